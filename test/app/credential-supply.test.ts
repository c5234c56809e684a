import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import type { CredentialSupply } from '../../src/app/credential-supply.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { policyFault } from '../fixtures/app/policy-source.ts'
import { baseEnded, keys, session } from '../fixtures/app/profiles.ts'
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

/** Lets time pass with the timers of a server: ticks, and the policy's refreshes. */
async function pass(supply: CredentialSupply, ms: number, step = 2 * SECOND): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await world.advance(Math.min(step, left), step)
    supply.tick()
    await settle()
  }
}

/** What a client gets for `error`. */
function answerOf(error: unknown): [status: number, code: string] {
  assert.ok(error instanceof SentinelError, String(error))
  return [error.status, error.code]
}

/** The way it usually ends: a login by Identity Center, until `life` from noon. */
function logIn(accessKeyId: string, life: number): void {
  world.tokens.know(accessKeyId, aPrincipal())
  world.profiles.resolved = { base: session(accessKeyId, NOON + life), role: { arn: PROD } }
}

suite('CredentialSupply', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  suite('warm', () => {
    test('answers without waiting for anything', async () => {
      const supply = await world.openSupply()
      const calls = { ...world.tokens.calls }
      const timers = mock.method(globalThis, 'setTimeout')

      let answered = false
      void supply.serve('same').then(() => {
        answered = true
      })
      // One turn for the answer, one for whoever waits for it.
      await null
      await null
      timers.mock.restore()
      assert.equal(answered, true)
      assert.equal(timers.mock.callCount(), 0)
      assert.deepEqual(world.tokens.calls, calls)
      assert.deepEqual([world.source.fetches, world.grants.lookups], [1, 1])
    })

    test('gives the same object again', async () => {
      const supply = await world.openSupply()
      assert.equal(await supply.serve('same'), await supply.serve('same'))
    })

    test('writes no line a request', async () => {
      const supply = await world.openSupply()
      const before = world.log.records.length
      for (let request = 0; request < 1000; request += 1) await supply.serve('same')
      assert.equal(world.log.records.length, before)
      await pass(supply, MINUTE)
      assert.deepEqual(
        world.log.of('served').map(({ count, request_id }) => [count, request_id]),
        [[1000, world.log.of('issued')[0]?.request_id]],
      )
    })
  })

  suite('cold', () => {
    test('COAL-1: makes one credential for ten thousand who ask at once', async () => {
      const supply = await world.openSupply('lazy')
      world.tokens.latency = 300
      const answers = Array.from({ length: 10_000 }, () => supply.serve('same'))
      const { ms, value = [] } = await timed(world, Promise.all(answers))
      assert.ok(ms <= 1000, `${ms} ms`)
      assert.equal(new Set(value).size, 1)
      assert.equal(world.tokens.calls.assumeRole, 1)
      assert.equal(world.log.of('issued').length, 1)
    })

    test('COAL-3: makes one record of a refusal of ten thousand, and one of their number', async () => {
      const supply = await world.openSupply('lazy')
      world.source.put(aPolicy())
      world.clock.advance(36 * SECOND)
      const answers = Array.from({ length: 10_000 }, () => supply.serve('same'))
      const results = await Promise.allSettled(answers)
      assert.ok(results.every((result) => result.status === 'rejected'))
      for (let retry = 0; retry < 3; retry += 1) {
        await world.advance(SECOND)
        await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
      }
      await supply.close()

      const [record, repeated, ...more] = world.log.of('refused')
      assert.deepEqual(more, [])
      assert.partialDeepStrictEqual(record, {
        code: 'POLICY_DENIED',
        user: 'alice',
        effect: 'deny',
      })
      assert.partialDeepStrictEqual(repeated, { of: record?.request_id, repeats: 10_002 })
      assert.deepEqual(world.notices.warnings, ['profile prod is refused: no rule matches'])
      assert.equal(world.tokens.calls.assumeRole, 0)
    })

    test('LAT-2: says to ask again after 900 ms of a slow STS, and has it at the second try', async () => {
      const supply = await world.openSupply('lazy')
      world.tokens.latency = 2500
      const first = await timed(world, supply.serve('same'))
      assert.equal(first.ms, 900)
      assert.deepEqual(answerOf(first.error), [503, 'STS_UNAVAILABLE'])
      assert.match((first.error as SentinelError).reply ?? '', /still being made: ask again$/)
      await world.advance(SECOND)
      const second = await timed(world, supply.serve('same'))
      assert.equal(second.value?.accessKeyId, 'ASIAISSUED1')
      assert.equal(first.ms + SECOND + second.ms, 2500)
      assert.equal(world.tokens.calls.assumeRole, 1)
    })

    const slow: [what: string, slow: () => void][] = [
      [
        'STS',
        () => {
          world.tokens.latency = HOUR
        },
      ],
      [
        'the log',
        () => {
          world.log.latency = HOUR
        },
      ],
      [
        'the store of grants',
        () => {
          world.grants.latency = HOUR
        },
      ],
      [
        'the policy',
        () => {
          world.source.latency = HOUR
          world.clock.advance(6 * MINUTE)
        },
      ],
      [
        'the login',
        () => {
          world.profiles.latency = HOUR
          world.clock.advance(61 * MINUTE)
        },
      ],
      [
        'everything',
        () => {
          world.clock.advance(61 * MINUTE)
          for (const part of [
            world.tokens,
            world.log,
            world.grants,
            world.source,
            world.profiles,
          ]) {
            part.latency = HOUR
          }
        },
      ],
    ]
    for (const [what, slowDown] of slow) {
      test(`never takes a second to answer, whatever ${what} takes`, async () => {
        logIn('ASIA1', HOUR)
        const supply = await world.openSupply('lazy')
        slowDown()
        for (let request = 0; request < 3; request += 1) {
          const { ms, error } = await timed(world, supply.serve('same'))
          assert.ok(ms <= 900, `${ms} ms`)
          assert.equal(answerOf(error)[0], 503)
          await world.advance(700)
        }
      })
    }
  })

  suite('re-serving', () => {
    test('COAL-2: needs 7 AssumeRole for an hour of 15 minutes each, at a request a second', async () => {
      const supply = await world.openSupply()
      for (let second = 0; second < 3600; second += 1) {
        await supply.serve('same')
        world.clock.advance(SECOND)
        mock.timers.tick(SECOND)
        if (second % 4 === 0) supply.tick()
        await settle()
      }
      await supply.close()

      assert.ok(world.tokens.calls.assumeRole <= 7, `${world.tokens.calls.assumeRole}`)
      assert.equal(world.log.of('issued').length, world.tokens.calls.assumeRole)
      const served = world.log.of('served').map(({ count = 0 }) => count)
      assert.equal(
        served.reduce((sum, count) => sum + count),
        3600,
      )
      assert.ok(served.length <= 67, `${served.length} records`)
      assert.deepEqual(world.log.of('refused'), [])
    })

    test('mints ahead of need, and serves what there is meanwhile', async () => {
      const supply = await world.openSupply()
      await pass(supply, 9 * MINUTE + 15 * SECOND)
      world.tokens.latency = 5 * SECOND
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
      await settle()
      await world.advance(5 * SECOND)
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED2')
      assert.equal(world.tokens.calls.assumeRole, 2)
    })

    test('serves to the last 60 s while STS is down, asking it seldom, and recovers', async () => {
      const supply = await world.openSupply()
      world.tokens.fault = stsFault()
      await pass(supply, 9 * MINUTE)
      for (let second = 9 * 60; second < 14 * 60; second += 1) {
        assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
        await pass(supply, SECOND)
      }
      const { ms, error } = await timed(world, supply.serve('same'))
      assert.deepEqual(answerOf(error), [503, 'STS_UNAVAILABLE'])
      assert.equal(ms, 0)
      assert.ok(world.tokens.calls.assumeRole < 30, `${world.tokens.calls.assumeRole} calls`)

      world.tokens.fault = undefined
      await pass(supply, SECOND)
      assert.match((await supply.serve('same')).accessKeyId, /^ASIAISSUED2$/)
    })

    test('serves at once while a renewal hangs, once that is known to be slow', async () => {
      const supply = await world.openSupply()
      await pass(supply, 10 * MINUTE)
      world.tokens.latency = HOUR
      assert.equal((await timed(world, supply.serve('same'))).ms, 900)
      const { ms, value } = await timed(world, supply.serve('same'))
      assert.deepEqual([ms, value?.accessKeyId], [0, 'ASIAISSUED1'])
    })

    test('serves what is recorded while the log is full, and mints nothing', async () => {
      const supply = await world.openSupply()
      world.log.isFull = true
      await pass(supply, 10 * MINUTE)
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
      await pass(supply, 4 * MINUTE)
      await assert.rejects(supply.serve('same'), { code: 'LOG_UNAVAILABLE' })

      world.log.isFull = false
      await pass(supply, SECOND)
      const { accessKeyId } = await supply.serve('same')
      assert.ok(world.log.of('issued').some((record) => record.access_key_id === accessKeyId))
    })

    test('mints anew under another base key', async () => {
      logIn('ASIA1', 20 * MINUTE)
      const supply = await world.openSupply()
      logIn('ASIA2', HOUR)
      await pass(supply, 11 * MINUTE)
      await supply.serve('same')
      assert.deepEqual(
        world.tokens.sessions.map(({ base }) => base.accessKeyId),
        ['ASIA1', 'ASIA2'],
      )
    })

    test('hands the session of an unstamped profile on, with one record', async () => {
      world.source.put(aPolicy({ rules: [aRule({ unstamped: true })] }))
      const { roleArn: _, ...profile } = world.profiles.profile
      world.profiles.profile = profile
      world.profiles.resolved = { base: session('ASIA1', NOON + 12 * MINUTE) }
      const supply = await world.openSupply()
      for (let second = 0; second < 11 * 60; second += 10) {
        assert.equal((await supply.serve('same')).accessKeyId, 'ASIA1')
        await pass(supply, 10 * SECOND)
      }
      assert.equal(world.log.of('issued').length, 1)
      await assert.rejects(supply.serve('same'), { code: 'BASE_CREDENTIALS_EXPIRED' })

      world.profiles.resolved = { base: session('ASIA2', NOON + HOUR) }
      await pass(supply, SECOND)
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIA2')
    })
  })

  suite('the policy', () => {
    test('that came to deny is obeyed by the next request, whatever is in memory', async () => {
      const supply = await world.openSupply()
      world.source.put(aPolicy({ rules: [aRule({ name: 'freeze', effect: 'deny' })] }))
      await pass(supply, 31 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED', message: /freeze/ })

      world.source.put(aPolicy({ rules: [aRule()] }))
      await pass(supply, 31 * SECOND)
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED2')
    })

    test('that came to deny while a credential was recorded keeps it from all who wait', async () => {
      const supply = await world.openSupply('lazy')
      world.log.latency = 800
      await world.advance(29.5 * SECOND, SECOND)
      const first = timed(world, supply.serve('same'))
      await settle()
      // The refresh finds it while the record is on its way to the disk.
      world.source.put(aPolicy({ rules: [aRule({ effect: 'deny' })] }))
      const { error } = await first
      assert.deepEqual(answerOf(error), [503, 'STS_UNAVAILABLE'])
      assert.equal(world.log.of('issued').length, 1)
      world.log.latency = 0
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('that is not to be had decides for 5 minutes, with a warning, and no longer', async () => {
      const supply = await world.openSupply()
      world.source.fault = policyFault()
      await pass(supply, 4 * MINUTE + 50 * SECOND)
      await supply.serve('same')
      assert.match(world.notices.warnings[0] ?? '', /cannot be fetched/)

      await pass(supply, 11 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_UNAVAILABLE' })
      world.source.fault = undefined
      await pass(supply, SECOND)
      await supply.serve('same')
      assert.equal(world.tokens.calls.assumeRole, 1)
    })

    test('that is not to be had and a login that has ended leave what is minted', async () => {
      logIn('ASIA1', HOUR)
      const supply = await world.openSupply()
      await pass(supply, HOUR - MINUTE)
      await supply.serve('same')
      world.source.fault = policyFault()
      world.profiles.fault = baseEnded()
      const resolutions = world.profiles.resolutions.length
      for (let second = 0; second < 120; second += 1) {
        await pass(supply, SECOND)
        await supply.serve('same')
      }
      assert.deepEqual(world.log.of('refused'), [])
      assert.ok(world.profiles.resolutions.length - resolutions <= 3)
    })

    test('that became invalid refuses what is in memory', async () => {
      const supply = await world.openSupply()
      world.source.putText('{')
      await pass(supply, 31 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_INVALID' })
    })
  })

  test('does not pass over a new policy because the mint has just failed', async () => {
    const supply = await world.openSupply()
    await pass(supply, 10 * MINUTE)
    const age = world.clock.monotonic - world.source.answers.at(-1)!.askedAt.monotonic
    world.clock.advance(34.9 * SECOND - age)
    world.tokens.fault = stsFault()
    await supply.serve('same')

    // The failure is still remembered, and the policy is a moment too old.
    world.clock.advance(200)
    world.source.put(aPolicy())
    world.source.latency = 300
    const { ms, error } = await timed(world, supply.serve('same'))
    assert.equal(ms, 300)
    assert.deepEqual(answerOf(error), [503, 'STS_UNAVAILABLE'])
  })

  suite('a profile', () => {
    test('that came to stand for another role is not served any more when it is resolved', async () => {
      logIn('ASIA1', 14 * MINUTE)
      const supply = await world.openSupply()
      await supply.serve('same')
      const arn = 'arn:aws:iam::444455556666:role/Admin'
      world.profiles.resolved = { base: session('ASIA2', NOON + HOUR), role: { arn } }
      await pass(supply, 13 * MINUTE + 40 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'PROFILE_CHANGED' })
    })
  })

  suite('base credentials that ended', () => {
    beforeEach(() => logIn('ASIA1', 20 * MINUTE))

    test('leave what is minted to its last 60 s, then 403, then new ones without a restart', async () => {
      const supply = await world.openSupply()
      world.profiles.fault = baseEnded()
      await pass(supply, 19 * MINUTE)
      await supply.serve('same')
      const [last] = world.tokens.sessions.slice(-1)
      while (world.clock.aws() < last!.expiration - MINUTE) {
        assert.equal((await supply.serve('same')).accessKeyId, last?.accessKeyId)
        await pass(supply, 5 * SECOND)
      }
      const error = await supply.serve('same').catch((refusal: unknown) => refusal)
      assert.deepEqual(answerOf(error), [403, 'BASE_CREDENTIALS_EXPIRED'])
      assert.ok(world.notices.hints.includes('run: aws sso login --profile corp'))

      world.profiles.fault = undefined
      logIn('ASIA2', 10 * HOUR)
      await pass(supply, SECOND)
      await supply.serve('same')
      assert.equal(world.tokens.sessions.at(-1)?.base.accessKeyId, 'ASIA2')
    })

    test('are told of again when they end again', async () => {
      const supply = await world.openSupply('lazy')
      for (const key of ['ASIA2', 'ASIA3']) {
        world.profiles.fault = baseEnded()
        await pass(supply, 40 * MINUTE, 10 * SECOND)
        await assert.rejects(supply.serve('same'), { code: 'BASE_CREDENTIALS_EXPIRED' })
        world.profiles.fault = undefined
        logIn(key, world.clock.aws() - NOON + 20 * MINUTE)
        await pass(supply, SECOND)
        await supply.serve('same')
      }
      const told = world.notices.warnings.filter((text) => text === baseEnded().message)
      assert.equal(told.length, 2)
    })

    test('are renewed once when STS knows of it first', async () => {
      const supply = await world.openSupply('lazy')
      let refusals = 0
      world.tokens.meanwhile = () => {
        world.tokens.fault = refusals === 0 ? baseEnded() : undefined
        refusals += 1
        logIn('ASIA2', HOUR)
      }
      await supply.serve('same')
      assert.equal(world.tokens.sessions[0]?.base.accessKeyId, 'ASIA2')
      assert.deepEqual(world.log.of('refused'), [])
    })

    test('of somebody else end the run, for good and in the log', async () => {
      const supply = await world.openSupply()
      world.tokens.know('ASIA2', aPrincipal('mallory'))
      world.profiles.resolved = { base: session('ASIA2', NOON + HOUR), role: { arn: PROD } }
      await pass(supply, 11 * MINUTE)
      await assert.rejects(supply.serve('same'), { code: 'PRINCIPAL_CHANGED' })

      logIn('ASIA3', HOUR)
      await pass(supply, 2 * MINUTE)
      await assert.rejects(supply.serve('same'), { code: 'PRINCIPAL_CHANGED' })
      await supply.close()
      const [record] = world.log.of('refused')
      assert.partialDeepStrictEqual(record, { code: 'PRINCIPAL_CHANGED', user: 'alice' })
      assert.equal(world.notices.warnings.filter((text) => /mallory/.test(text)).length, 1)
    })
  })

  suite('a clock', () => {
    test('that is off refuses, in the log too, and nothing breaks in between', async () => {
      const supply = await world.openSupply()
      world.clock.isSkewed = true
      supply.tick()
      await assert.rejects(supply.serve('same'), { code: 'CLOCK_SKEWED' })
      assert.equal(world.log.of('refused')[0]?.code, 'CLOCK_SKEWED')

      world.clock.isSkewed = false
      await world.advance(SECOND)
      await supply.serve('same')
    })
  })

  suite('after a sleep', () => {
    test('serves nothing until the policy is read again', async () => {
      const supply = await world.openSupply()
      world.source.latency = 2 * SECOND
      world.clock.sleep(6 * SECOND)
      const { ms, error } = await timed(world, supply.serve('same'))
      assert.ok(ms <= 900, `${ms} ms`)
      assert.deepEqual(answerOf(error), [503, 'POLICY_UNAVAILABLE'])

      await world.advance(2 * SECOND)
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
    })

    test('obeys what the policy became meanwhile', async () => {
      const supply = await world.openSupply()
      world.source.put(aPolicy())
      world.clock.sleep(6 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('is noticed by a tick as well', async () => {
      const supply = await world.openSupply()
      world.clock.sleep(6 * SECOND)
      supply.tick()
      await settle()
      assert.equal(world.source.fetches, 2)
      await supply.serve('same')
    })

    test('of 5 s is none', async () => {
      const supply = await world.openSupply()
      world.clock.sleep(5 * SECOND)
      await supply.serve('same')
      assert.equal(world.source.fetches, 1)
    })

    test('reads grants again, and does not serve by one that is gone', async () => {
      world.source.put(aPolicy({ approvals: [anApprovalRule()] }))
      world.grants.grants = [aGrant()]
      const supply = await world.openSupply()
      world.grants.grants = []
      world.clock.sleep(6 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('does not go on with a grant while its store is silent', async () => {
      world.source.put(aPolicy({ approvals: [anApprovalRule()] }))
      world.grants.grants = [aGrant()]
      const supply = await world.openSupply()
      world.grants.fault = new Error('ECONNREFUSED')
      world.clock.sleep(6 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('does not remember the failure before it', async () => {
      const supply = await world.openSupply('lazy')
      world.tokens.fault = stsFault()
      await assert.rejects(supply.serve('same'), { code: 'STS_UNAVAILABLE' })
      world.tokens.fault = undefined
      world.clock.wall -= HOUR
      await supply.serve('same')
    })
  })

  suite('a grant', () => {
    beforeEach(() => {
      world.source.put(aPolicy({ approvals: [anApprovalRule()] }))
    })

    test('is looked for at the next try of whoever was refused', async () => {
      const supply = await world.openSupply('lazy')
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
      world.grants.grants = [aGrant()]
      await pass(supply, SECOND)
      await supply.serve('same')
      assert.equal(world.log.of('issued')[0]?.basis, 'approval')
    })

    test('that was ended from outside is obeyed within 5 s', async () => {
      world.grants.grants = [aGrant()]
      const supply = await world.openSupply()
      world.grants.grants = []
      await pass(supply, 5 * SECOND, 4 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('holds for a minute while its store is silent', async () => {
      world.grants.grants = [aGrant()]
      const supply = await world.openSupply()
      world.grants.fault = new Error('ECONNREFUSED')
      await pass(supply, 58 * SECOND)
      await supply.serve('same')
      await pass(supply, 4 * SECOND)
      await assert.rejects(supply.serve('same'), { code: 'POLICY_DENIED' })
    })

    test('has a last credential that ends with it, and says so once', async () => {
      const endsAt = NOON + 40 * MINUTE
      world.grants.grants = [aGrant({ endsAt })]
      const supply = await world.openSupply()
      let last = await supply.serve('same')
      const ends = new Set<number>()
      while (world.clock.aws() < endsAt - 2 * MINUTE) {
        last = await supply.serve('same')
        ends.add(last.expiration)
        await pass(supply, 4 * SECOND, 4 * SECOND)
      }
      assert.ok(last.expiration <= endsAt - 10 * SECOND)
      assert.ok(last.expiration >= endsAt - 70 * SECOND, `${endsAt - last.expiration}`)
      assert.ok(world.tokens.calls.assumeRole <= 5)
      assert.equal(ends.size, world.tokens.calls.assumeRole)
      await supply.close()
      // That no more can be had is no news at every request.
      const failures = world.log.of('refused')
      assert.ok(failures.length <= 20, `${failures.length} records`)
      assert.deepEqual(new Set(failures.map(({ code }) => code)), new Set(['DURATION_TOO_SHORT']))
    })

    test('is not minted for again when the last credential ends with it already', async () => {
      world.options = { ...world.options, asked: { setting: 3600 } }
      world.grants.grants = [aGrant({ endsAt: NOON + 40 * MINUTE })]
      const supply = await world.openSupply()
      await pass(supply, 24 * MINUTE + 30 * SECOND, 4 * SECOND)
      assert.equal(world.tokens.calls.assumeRole, 1)
    })
  })

  suite('closing', () => {
    test('records what was only counted', async () => {
      const supply = await world.openSupply()
      await supply.serve('same')
      await supply.serve('unknown')
      await supply.close()
      assert.deepEqual(
        world.log.of('served').map(({ count, peer }) => [count, peer]),
        [
          [1, undefined],
          [1, 'unknown'],
        ],
      )
    })

    test('ends a mint under way, and records that before the run stops', async () => {
      const run = await world.openRun()
      const supply = await run.openSupply('lazy')
      world.tokens.latency = HOUR
      const request = supply.serve('same')
      request.catch(() => {})
      await settle()
      const { ms } = await timed(world, supply.close())
      await run[Symbol.asyncDispose]()
      assert.equal(ms, 0)
      assert.deepEqual(
        world.log.records.map(({ type, code }) => code ?? type),
        ['start', 'INTERRUPTED', 'stop'],
      )
    })

    test('does not wait for a disk that hangs', async () => {
      const supply = await world.openSupply('lazy')
      world.log.latency = HOUR
      const request = supply.serve('same')
      request.catch(() => {})
      await settle()
      assert.equal((await timed(world, supply.close())).ms, SECOND)
    })
  })

  test('lets a bug through as one', async () => {
    const supply = await world.openSupply('lazy')
    world.tokens.meanwhile = () => {
      throw new TypeError('a bug')
    }
    await assert.rejects(supply.serve('same'), TypeError)
    assert.deepEqual(world.log.of('refused'), [])
  })

  test('says nothing of what it holds', async () => {
    const supply = await world.openSupply()
    await supply.serve('same')
    await supply.close()
    const said = JSON.stringify([world.log.records, world.notices])
    assert.doesNotMatch(said, /secret of|token of/)
    assert.ok(said.includes(keys().accessKeyId) === false)
  })
})
