import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { type ErrorCode, SentinelError } from '../../src/errors.ts'
import { policyFault } from '../fixtures/app/policy-source.ts'
import { aProfile, baseEnded, keys, session } from '../fixtures/app/profiles.ts'
import { stsFault } from '../fixtures/app/token-service.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import {
  aGrant,
  anApprovalRule,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
} from '../fixtures/policies.ts'

let world: World

suite('Run', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  test('is not opened for a profile that does not exist', async () => {
    await assert.rejects(world.openRun({ profile: 'nope' }), { code: 'PROFILE_NOT_FOUND' })
  })

  test('records all that design § 9 lists of an issuance', async () => {
    world.grants.grants = [aGrant()]
    const rules = [aRule({ name: 'prod', effect: 'require_approval' })]
    world.source.put(aPolicy({ rules, approvals: [anApprovalRule()] }))
    const run = await world.openRun({ mode: 'cli', endpointOverride: true })
    const { requestId } = await run.issueOnce()

    const [{ policy, ...record } = {}] = world.log.of('issued')
    assert.deepEqual(record, {
      type: 'issued',
      time: '2026-01-14T12:00:00.000Z',
      user: 'alice',
      person: 'iam:111122223333/alice',
      principal: 'arn:aws:iam::111122223333:user/alice',
      principal_id: 'AIDAALICE',
      profile: 'prod',
      role_arn: PROD,
      account: '444455556666',
      mode: 'cli',
      effect: 'require_approval',
      outcome: 'issued',
      basis: 'approval',
      rule: 'prod',
      rule_index: 0,
      reason: 'approval r-1 lifts rule "prod" until 2026-01-14T13:00:00Z',
      request_id: requestId,
      source_identity: `sentinel=alice=approval=${requestId}`,
      access_key_id: 'ASIAISSUED1',
      duration_seconds: 900,
      expires_at: '2026-01-14T12:15:00Z',
      grant_id: 'r-1',
      grant_from: '2026-01-14T11:00:00.000Z',
      grant_until: '2026-01-14T13:00:00.000Z',
      stamped: true,
      endpoint_override: true,
    })
    assert.match(policy?.sha256 ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual([policy?.reference, policy?.version], [world.source.reference, 2])
  })

  test('records the decision that refused, and the stamp that STS saw before', async () => {
    const run = await world.openRun({ mode: 'cli' })
    world.tokens.meanwhile = () => {
      if (world.tokens.calls.assumeRole === 0) return
      world.source.put(aPolicy({ rules: [aRule({ name: 'newer', effect: 'deny' })] }))
      world.clock.advance(36 * SECOND)
    }
    await assert.rejects(run.issueOnce(), { code: 'POLICY_DENIED' })

    const [record] = world.log.of('refused')
    assert.partialDeepStrictEqual(record, { effect: 'deny', rule: 'newer', policy: { version: 2 } })
    assert.match(record?.source_identity ?? '', /^sentinel=alice=policy=/)
    assert.equal(record?.source_identity, world.tokens.sessions[0]?.request.sourceIdentity)
  })

  test('begins and ends in the log, with the status it had', async () => {
    const run = await world.openRun()
    await run.endingWith(
      async () => ({ status: 7 }),
      ({ status }) => status,
    )
    await run[Symbol.asyncDispose]()
    assert.partialDeepStrictEqual(world.log.records, [
      { type: 'start', version: '0.1.0', profile: 'prod', mode: 'server', role_arn: PROD },
      { type: 'stop', exit_status: 7 },
    ])
    assert.equal(world.log.isClosed, true)
  })

  const ends: [error: Error, status: number][] = [
    [new SentinelError('POLICY_DENIED', 'refused'), 3],
    [new TypeError('a bug'), 70],
  ]
  for (const [error, status] of ends) {
    test(`ends with ${status} for ${error.name}`, async () => {
      const run = await world.openRun()
      await assert.rejects(
        run.endingWith(() => Promise.reject(error)),
        error,
      )
      await run[Symbol.asyncDispose]()
      assert.equal(world.log.of('stop')[0]?.exit_status, status)
    })
  }

  suite('a log that loses the last records', () => {
    const lost = new SentinelError('LOG_UNAVAILABLE', 'the log cannot be written')
    beforeEach(() => {
      world.log[Symbol.asyncDispose] = () => Promise.reject(lost)
    })

    test('is told of, and changes nothing about how the run ended', async () => {
      const run = await world.openRun()
      await run[Symbol.asyncDispose]()
      assert.deepEqual(world.notices.warnings, [lost.message])
    })

    test('is not told of twice when the run failed for it', async () => {
      const run = await world.openRun()
      await assert.rejects(run.endingWith(() => Promise.reject(lost)))
      await run[Symbol.asyncDispose]()
      assert.deepEqual(world.notices.warnings, [])
    })

    test('lets a bug through', async () => {
      world.log[Symbol.asyncDispose] = () => Promise.reject(new TypeError('a bug'))
      const run = await world.openRun()
      await assert.rejects(async () => run[Symbol.asyncDispose](), TypeError)
    })
  })

  suite('asks for', () => {
    const precedence: [what: string, mode: 'server' | 'cli', asked: object, seconds: number][] = [
      ['the setting', 'cli', { setting: 1200 }, 1200],
      ['the flag', 'cli', { setting: 1200, flag: 1500 }, 1500],
      ['the setting in server mode', 'server', { setting: 1200 }, 1200],
    ]
    for (const [what, mode, asked, seconds] of precedence) {
      test(`${what}: ${seconds} s`, async () => {
        const run = await world.openRun({ mode, asked: asked as { setting: number } })
        assert.equal((await run.issueOnce()).duration, seconds)
      })
    }

    const ofProfile: [mode: 'server' | 'cli', flag: number | undefined, seconds: number][] = [
      ['cli', undefined, 1800],
      ['cli', 1500, 1500],
      ['server', undefined, 1200],
    ]
    for (const [mode, flag, seconds] of ofProfile) {
      const how = flag ? 'with a flag' : 'without a flag'
      test(`${seconds} s where the profile says 1800, ${how} in ${mode} mode`, async () => {
        world.profiles.profile = aProfile({ durationSeconds: 1800 })
        const run = await world.openRun({ mode, asked: { setting: 1200, flag } })
        assert.equal((await run.issueOnce()).duration, seconds)
      })
    }
  })

  suite('a one-off refusal', () => {
    const failures: [what: string, fail: () => void, code: ErrorCode, known: string[]][] = [
      [
        'by the policy',
        () => world.source.put(aPolicy()),
        'POLICY_DENIED',
        ['user', 'policy', 'effect'],
      ],
      [
        'for the base credentials',
        () => {
          world.profiles.fault = baseEnded()
        },
        'BASE_CREDENTIALS_EXPIRED',
        [],
      ],
      [
        'for the policy',
        () => {
          world.source.fault = policyFault()
        },
        'POLICY_UNAVAILABLE',
        ['user'],
      ],
      [
        'for STS',
        () => {
          world.tokens.distort = () => {
            throw stsFault()
          }
        },
        'STS_UNAVAILABLE',
        ['user', 'policy', 'effect', 'source_identity'],
      ],
      [
        'for the clock',
        () => {
          world.clock.isSkewed = true
        },
        'CLOCK_SKEWED',
        ['user', 'policy'],
      ],
    ]
    test('for a local policy comes before AWS is asked for anything', async () => {
      world.source.isLocal = true
      const run = await world.openRun({ mode: 'cli' })
      world.source.fault = policyFault()
      await assert.rejects(run.issueOnce(), { code: 'POLICY_UNAVAILABLE' })
      assert.deepEqual([world.profiles.resolutions, world.tokens.calls.identify], [[], 0])
    })

    for (const [what, fail, code, known] of failures) {
      test(`${what} is recorded once, with all that was known`, async () => {
        const run = await world.openRun({ mode: 'cli' })
        fail()
        await assert.rejects(run.issueOnce(), { code })
        await run[Symbol.asyncDispose]()

        const [record, ...more] = world.log.of('refused')
        assert.deepEqual(more, [])
        assert.equal(record?.code, code)
        assert.match(record?.request_id ?? '', /^[a-z2-7]{20}$/)
        const found = ['user', 'policy', 'effect', 'source_identity'].filter(
          (key) => key in record!,
        )
        assert.deepEqual(found, known)
        assert.equal(record?.role_arn, PROD)
      })
    }

    test('is told by the command line, and not here as well', async () => {
      world.source.put(aPolicy())
      const run = await world.openRun({ mode: 'cli' })
      await assert.rejects(run.issueOnce())
      assert.deepEqual(world.notices.warnings, [])
    })

    test('stands when it cannot be recorded, and that is told', async () => {
      world.source.put(aPolicy())
      world.log.isFull = true
      const run = await world.openRun({ mode: 'cli' })
      await assert.rejects(run.issueOnce(), { code: 'POLICY_DENIED' })
      assert.match(world.notices.warnings[0] ?? '', /cannot be written/)
    })

    test('gives no credential when the log cannot be written', async () => {
      world.log.isFull = true
      const run = await world.openRun({ mode: 'cli' })
      await assert.rejects(run.issueOnce(), { code: 'LOG_UNAVAILABLE' })
    })
  })

  test('decides by a policy that is fresh when the person has answered', async () => {
    const run = await world.openRun({ mode: 'cli', mayPrompt: true })
    world.profiles.latency = 6 * MINUTE
    const issuing = timed(world, run.issueOnce(), HOUR)
    await settle()
    world.source.put(aPolicy())
    const { error } = await issuing
    assert.equal((error as SentinelError).code, 'POLICY_DENIED')
    assert.equal(world.tokens.calls.assumeRole, 0)
  })

  test('does not decide by what is older than 5 minutes when the source is silent', async () => {
    const run = await world.openRun({ mode: 'cli', mayPrompt: true })
    world.profiles.latency = 6 * MINUTE
    const issuing = timed(world, run.issueOnce(), HOUR)
    await settle()
    world.source.fault = policyFault()
    const { error } = await issuing
    assert.equal((error as SentinelError).code, 'POLICY_UNAVAILABLE')
    assert.equal(world.tokens.calls.assumeRole, 0)
  })

  suite('a supply', () => {
    const failures: [what: string, fail: () => void, code: ErrorCode][] = [
      ['the policy denies', () => world.source.put(aPolicy()), 'POLICY_DENIED'],
      ['the policy is invalid', () => world.source.putText('{'), 'POLICY_INVALID'],
      [
        'the policy is not to be had',
        () => {
          world.source.fault = policyFault()
        },
        'POLICY_UNAVAILABLE',
      ],
      [
        'the login has ended',
        () => {
          world.profiles.fault = baseEnded()
        },
        'BASE_CREDENTIALS_EXPIRED',
      ],
      [
        'STS fails',
        () => {
          world.tokens.fault = stsFault()
        },
        'STS_UNAVAILABLE',
      ],
      [
        'the log is full',
        () => {
          world.log.isFull = true
        },
        'LOG_UNAVAILABLE',
      ],
      [
        'the clock is off',
        () => {
          world.clock.isSkewed = true
        },
        'CLOCK_SKEWED',
      ],
      [
        'the profile has another role',
        () => {
          world.profiles.resolved = { base: keys(), role: { arn: `${PROD}2` } }
        },
        'PROFILE_CHANGED',
      ],
      [
        'the profile has no role',
        () => {
          const { roleArn: _, ...profile } = aProfile()
          world.profiles.profile = profile
          world.profiles.resolved = { base: keys() }
        },
        'PROFILE_UNSTAMPED',
      ],
    ]
    for (const [what, fail, code] of failures) {
      test(`is not opened when ${what}, which is recorded once and told by the caller`, async () => {
        fail()
        const run = await world.openRun()
        await assert.rejects(run.openSupply('warm-up'), { code })
        await run[Symbol.asyncDispose]()

        const records = world.log.of('refused')
        if (code === 'LOG_UNAVAILABLE') assert.deepEqual(records, [])
        else
          assert.deepEqual(
            records.map((record) => record.code),
            [code],
          )
        assert.deepEqual(world.notices.warnings, [])
      })
    }

    test('has its first credential when it opens', async () => {
      const supply = await world.openSupply()
      assert.equal(world.log.of('issued').length, 1)
      await supply.serve('same')
      assert.equal(world.tokens.calls.assumeRole, 1)
    })

    test('knows who asks when it opens lazily, and issues nothing', async () => {
      await world.openSupply('lazy')
      assert.deepEqual(world.tokens.calls, { identify: 1, assumeRole: 0, getSessionToken: 0 })
      assert.equal(world.source.fetches, 1)
    })

    test('asks a person before it opens, and never after', async () => {
      world.profiles.resolved = {
        base: session('ASIA1', NOON + 20 * MINUTE),
        role: { arn: PROD },
      }
      world.tokens.know('ASIA1', aPrincipal())
      // A policy that is kept in AWS is read with the same base credentials.
      const openPolicySource = (base: () => Promise<unknown>) => {
        world.source.base = base
        return world.source
      }
      Object.assign(world.deps, { openPolicySource })
      const run = await world.openRun({ mayPrompt: true })
      const supply = await run.openSupply('warm-up')
      assert.deepEqual(world.profiles.resolutions, [{ mayPrompt: true }])

      for (let minute = 0; minute < 30; minute += 1) {
        await world.advance(MINUTE, 10 * SECOND)
        await supply.serve('same').catch(() => {})
      }
      const [, ...later] = world.profiles.resolutions
      assert.ok(later.length > 0)
      assert.deepEqual(
        later.filter(({ mayPrompt }) => mayPrompt),
        [],
      )
      await run[Symbol.asyncDispose]()
    })
  })
})
