import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import {
  EFFECTS,
  type Effect,
  type Grant,
  MODES,
  type Mode,
} from '../../src/domain/policy/types.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { anIssuer } from '../fixtures/app/issuing.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import {
  aBreakGlassRule,
  aGrant,
  anApprovalRule,
  aPolicy,
  aRule,
  NOON,
} from '../fixtures/policies.ts'

const ID = 'mzxw6ytboi3damrqgaya'
const STORE = 'dynamodb:eu-central-1:sentinel-sessions'

let world: World

suite('Issuer', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
  })
  afterEach(() => mock.timers.reset())

  suite('I1: issues on an explicit allow or a live grant, and on nothing else', () => {
    const grants: [what: string, grant: Grant | undefined][] = [
      ['no grant', undefined],
      ['an approval', aGrant()],
      ['broken glass', aGrant({ id: 'bg-1', basis: 'break_glass' })],
      ["somebody else's approval", aGrant({ person: 'iam:111122223333/mallory' })],
      ['an approval that has ended', aGrant({ endsAt: NOON })],
    ]
    /** What design § 4 says, written down once more. */
    const allowed = (effect: Effect | 'none', mode: Mode, grant: string, store: boolean) =>
      effect === 'allow' ||
      (effect === 'require_server' && mode === 'server') ||
      (effect === 'require_server_session' && mode === 'server' && store) ||
      ((effect === 'require_approval' || effect === 'none') &&
        ['an approval', 'broken glass'].includes(grant))

    for (const effect of [...EFFECTS, 'none'] as const) {
      for (const mode of MODES) {
        for (const [what, grant] of grants) {
          for (const store of [true, false]) {
            const verb = allowed(effect, mode, what, store) ? 'issues' : 'refuses'
            const where = store ? 'with a session' : 'without one'
            test(`${verb} on ${effect} in ${mode} mode with ${what}, ${where}`, async () => {
              world.grants.grants = grant ? [grant] : []
              const policy = aPolicy({
                rules: effect === 'none' ? [] : [aRule({ effect })],
                approvals: [anApprovalRule()],
                breakGlass: [aBreakGlassRule()],
              })
              const options = { policy, mode, ...(store && { sessionStore: STORE }) }
              const { issue } = await anIssuer(world, options)

              if (verb === 'issues') {
                const { requestId } = await issue()
                const [record] = world.log.of('issued')
                const isLifted = !['allow', 'require_server', 'require_server_session'].includes(
                  effect,
                )
                assert.equal(record?.basis, isLifted ? grant?.basis : 'policy')
                assert.equal(record?.grant_id, isLifted ? grant?.id : undefined)
                assert.equal(record?.request_id, requestId)
              } else {
                await assert.rejects(issue(), { code: 'POLICY_DENIED' })
                assert.equal(world.tokens.calls.assumeRole, 0)
                assert.deepEqual(world.log.records, [])
              }
            })
          }
        }
      }
    }

    test('refuses an outcome that nobody knows', async () => {
      const { issuer, assess } = await anIssuer(world)
      const { decision, ...rest } = assess()
      const odd = { ...rest, decision: { ...decision, outcome: 'maybe' as 'allow' } }
      await assert.rejects(issuer.issue(odd, ID), { code: 'POLICY_DENIED' })
      assert.equal(world.tokens.calls.assumeRole, 0)
    })
  })

  suite('I2: a credential leaves after its durable record', () => {
    test('under the request id that STS was given', async () => {
      const { issue } = await anIssuer(world)
      const { credentials } = await issue()
      const [made] = world.tokens.sessions
      const [record] = world.log.of('issued')
      assert.equal(made?.request.sourceIdentity, `sentinel=alice=policy=${ID}`)
      assert.equal(made?.request.roleSessionName, `alice-${ID}`)
      assert.equal(record?.source_identity, made?.request.sourceIdentity)
      assert.equal(record?.request_id, ID)
      assert.equal(record?.access_key_id, credentials.accessKeyId)
      assert.equal(
        record?.expires_at,
        new Date(credentials.expiration).toISOString().replace('.000', ''),
      )
      assert.equal(record?.duration_seconds, 900)
    })

    test('waits for a slow disk', async () => {
      world.log.latency = 700
      const { issue } = await anIssuer(world)
      const { ms } = await timed(world, issue())
      assert.equal(ms, 700)
    })

    test('gives nothing when the log cannot be written', async () => {
      const { issue } = await anIssuer(world)
      world.log.isFull = true
      await assert.rejects(issue(), { code: 'LOG_UNAVAILABLE' })
    })
  })

  suite('while STS was answering', () => {
    test('a policy that came to deny is obeyed', async () => {
      const { issue } = await anIssuer(world)
      world.tokens.meanwhile = () => {
        world.source.put(aPolicy({ rules: [aRule({ effect: 'deny', name: 'freeze' })] }))
        world.clock.advance(36 * SECOND)
      }
      await assert.rejects(issue(), { code: 'POLICY_DENIED', message: /freeze/ })
      assert.deepEqual(world.log.of('issued'), [])
    })

    test('a policy that became unreadable is obeyed', async () => {
      const { issue } = await anIssuer(world)
      world.tokens.meanwhile = () => {
        world.source.putText('{')
        world.clock.advance(36 * SECOND)
      }
      await assert.rejects(issue(), { code: 'POLICY_INVALID' })
      assert.deepEqual(world.log.of('issued'), [])
    })

    test('a policy that allows the same by another rule is recorded as it is now', async () => {
      const { issue } = await anIssuer(world)
      world.tokens.meanwhile = () => {
        world.source.put(aPolicy({ rules: [aRule({ name: 'newer' })] }))
        world.clock.advance(36 * SECOND)
      }
      await issue()
      const [record] = world.log.of('issued')
      assert.deepEqual([record?.rule, record?.policy?.version], ['newer', 2])
    })

    test('a shorter cap makes the credential too long', async () => {
      const { issue } = await anIssuer(world, { asked: 3600 })
      world.tokens.meanwhile = () => {
        world.source.put(aPolicy({ rules: [aRule({ maxDuration: 900 })] }))
        world.clock.advance(36 * SECOND)
      }
      await assert.rejects(issue(), { code: 'POLICY_UNAVAILABLE' })
      assert.deepEqual(world.log.of('issued'), [])
    })

    test('another basis than the one stamped is not recorded for it', async () => {
      world.grants.grants = [aGrant()]
      const policy = aPolicy({
        rules: [aRule({ effect: 'require_approval' })],
        approvals: [anApprovalRule()],
      })
      const { issue } = await anIssuer(world, { policy })
      world.tokens.meanwhile = () => {
        world.source.put(aPolicy({ rules: [aRule()] }))
        world.clock.advance(36 * SECOND)
      }
      await assert.rejects(issue(), { code: 'POLICY_UNAVAILABLE' })
      assert.deepEqual(world.log.of('issued'), [])
    })

    test('a window that closed is closed', async () => {
      const hours = { start: 0, end: 12 * 60 + 1 }
      const time = { hours, overnight: false, timezone: 'UTC' }
      const policy = aPolicy({ rules: [aRule({ conditions: { time } })] })
      const { issue } = await anIssuer(world, { policy })
      world.tokens.meanwhile = () => world.clock.advance(MINUTE)
      await assert.rejects(issue(), { code: 'POLICY_DENIED' })
    })

    test('a grant that was ended is ended', async () => {
      world.grants.grants = [aGrant()]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      const { issue, grants, assess } = await anIssuer(world, { policy })
      world.tokens.latency = 100
      const issuing = issue()
      issuing.catch(() => {})
      world.grants.grants = []
      await grants.look(assess().identity)
      await settle()
      await assert.rejects(
        timed(world, issuing).then(({ error }) => Promise.reject(error)),
        {
          code: 'POLICY_DENIED',
        },
      )
    })

    test('a grant that was ended is looked up again, once STS has taken its time', async () => {
      world.grants.grants = [aGrant()]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      const { issue } = await anIssuer(world, { policy })
      world.tokens.meanwhile = () => {
        world.grants.grants = []
        world.clock.advance(6 * SECOND)
      }
      await assert.rejects(issue(), { code: 'POLICY_DENIED' })
      assert.deepEqual(world.log.of('issued'), [])
    })

    test('I3: so much of a grant went by that the credential would outlive it', async () => {
      world.grants.grants = [aGrant({ endsAt: NOON + 20 * MINUTE })]
      const policy = aPolicy({ approvals: [anApprovalRule()] })
      const { issue } = await anIssuer(world, { policy, asked: 3600 })
      // On its way for 15 s before STS starts to count.
      world.tokens.distort = ({ credentials, ...answer }) => ({
        ...answer,
        credentials: { ...credentials, expiration: credentials.expiration + 15 * SECOND },
      })
      await assert.rejects(issue(), { code: 'POLICY_UNAVAILABLE' })
    })
  })

  test('records when the policy was not to be had again', async () => {
    const { issue } = await anIssuer(world)
    world.clock.advance(40 * SECOND)
    world.source.latency = MINUTE
    await timed(world, issue())
    assert.equal(world.log.of('issued')[0]?.stale_policy, true)
  })

  test('decides by the mode of the run, and no other', async () => {
    const policy = aPolicy({ rules: [aRule({ conditions: { mode: ['server'] } })] })
    const server = await anIssuer(world, { policy, mode: 'server' })
    assert.equal(server.assess().decision.outcome, 'allow')
    const cli = await anIssuer(world, { policy, mode: 'cli' })
    assert.equal(cli.assess().decision.outcome, 'refuse')
  })
})
