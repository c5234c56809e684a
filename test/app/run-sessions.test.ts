import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import type { SessionLock } from '../../src/domain/session.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { ID, TABLE } from '../fixtures/app/session-stores.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { aPolicy, aRule, NOON, PROD } from '../fixtures/policies.ts'

const FLAG = { location: TABLE, origin: '--session-table' }
const NO_SIGNAL = new AbortController().signal
const REVOCATION = { at: NOON, by: 'bob', reason: 'laptop stolen' }

let world: World

/** A lock on alice, for an hour from noon. */
function aLock(overrides: Partial<SessionLock> = {}): SessionLock {
  const scope = { kind: 'user', name: 'alice' } as const
  return { scope, at: NOON, until: NOON + 60 * MINUTE, by: 'bob', reason: 'incident', ...overrides }
}

function unavailable(): Promise<never> {
  return Promise.reject(new SentinelError('STORE_UNAVAILABLE', 'the table did not answer'))
}

const required = () => aPolicy({ rules: [aRule({ effect: 'require_server_session' })] })

suite('sessions of a run', () => {
  beforeEach(() => {
    stopTimers()
    world = new World()
    world.sessions.configured = FLAG
  })
  afterEach(() => mock.timers.reset())

  suite('session creation', () => {
    test('makes one record of who runs what, where and until when', async () => {
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      await settle()

      assert.equal(world.sessions.count('create'), 1)
      const session = await world.sessions.rows.sessions.get(ID)
      assert.partialDeepStrictEqual(session, {
        id: ID,
        user: 'alice',
        profile: 'prod',
        roleArn: PROD,
        startedAt: NOON,
        expiresAt: NOON + 15 * MINUTE,
        host: 'laptop',
        pid: 4711,
        requestCount: 0,
      })
      assert.match(session?.serverInstanceId ?? '', /^[a-z2-7]{20}$/)
      assert.deepEqual([session?.end, session?.revocation], [undefined, undefined])
    })

    test('lets the server and its records know the id', async () => {
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      await settle()

      assert.equal(run.id, ID)
      assert.partialDeepStrictEqual(world.log.of('issued')[0], {
        session_id: ID,
        session_store: TABLE,
      })
      assert.equal(world.log.of('session.created').length, 1)
    })

    test('lets it live as long as was asked for', async () => {
      await using run = await world.openRun({ asked: { flag: 1800, setting: 900 } })
      await run.openSupply('lazy')
      await settle()
      assert.equal(world.sessions.rows.sessions.get(ID)?.expiresAt, NOON + 30 * MINUTE)
    })

    test('makes none for whom the policy refuses', async () => {
      world.source.put(aPolicy())
      await using run = await world.openRun()
      await assert.rejects(run.openSupply('warm-up'), { code: 'POLICY_DENIED' })
      await settle()
      assert.equal(world.sessions.count('create'), 0)
    })

    test('names the place that the policy names', async () => {
      world.sessions.configured = undefined
      world.source.put(aPolicy({ rules: [aRule()], stores: { sessions: 'dynamodb:mine' } }))
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      assert.deepEqual(world.sessions.opened, ['dynamodb:eu-central-1:mine'])
    })

    test('makes sure of the place that the policy names, before anything is issued', async () => {
      world.sessions.configured = undefined
      world.sessions.claimFault = new SentinelError('CONFIG_INVALID', 'of another account')
      world.source.put(aPolicy({ rules: [aRule()], stores: { sessions: 'dynamodb:mine' } }))
      for (const mode of ['server', 'cli'] as const) {
        await using run = await world.openRun({ mode })
        const work = mode === 'server' ? run.openSupply('warm-up') : run.issueOnce()
        await assert.rejects(work, { code: 'CONFIG_INVALID' })
      }
      assert.deepEqual([world.sessions.opened, world.tokens.calls.assumeRole], [[], 0])
    })

    test('refuses to track elsewhere than the policy says', async () => {
      world.source.put(aPolicy({ rules: [aRule()], stores: { sessions: 'dynamodb:mine' } }))
      await using run = await world.openRun()
      await assert.rejects(run.openSupply('warm-up'), { code: 'CONFIG_INVALID' })
      assert.deepEqual([world.sessions.opened, world.tokens.calls.assumeRole], [[], 0])
    })

    test('says once that a place is for this machine only', async () => {
      world.sessions.configured = { location: 'sqlite:/tmp/s.db', origin: 'session_store' }
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      assert.deepEqual(world.notices.infos, [
        'the session is tracked in sqlite:/tmp/s.db, for this machine only',
      ])
    })
  })

  suite('session tracking optional', () => {
    test('opens nothing when nobody names a store, and all else works', async () => {
      world.sessions.configured = undefined
      await using run = await world.openRun()
      const supply = await run.openSupply('warm-up')
      await supply.serve('same')
      await run.closeSession('SIGTERM')

      assert.deepEqual([world.sessions.opened, world.sessions.calls], [[], []])
      assert.equal(run.session, undefined)
      assert.equal(run.id, world.log.stream)
      assert.equal(world.log.of('issued')[0]?.session_id, undefined)
    })

    test('opens nothing without one for a single issuance either', async () => {
      world.sessions.configured = undefined
      await using run = await world.openRun({ mode: 'cli' })
      await run.issueOnce()
      assert.deepEqual(world.sessions.opened, [])
    })
  })

  suite('creation failure does not stop the server', () => {
    test('serves, and creates it when the store answers again', async () => {
      world.sessions.fault = unavailable
      await using run = await world.openRun()
      const supply = await run.openSupply('warm-up')
      await settle()
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
      assert.ok(world.notices.warnings.length > 0)

      world.sessions.fault = undefined
      await world.advance(5 * SECOND)
      assert.equal(world.sessions.rows.sessions.size, 1)
    })

    test('serves when the store cannot even be opened', async () => {
      world.sessions.openFault = new SentinelError('STORE_UNAVAILABLE', 'the disk is full')
      await using run = await world.openRun()
      const supply = await run.openSupply('warm-up')
      assert.equal((await supply.serve('same')).accessKeyId, 'ASIAISSUED1')
      assert.match(world.notices.warnings[0] ?? '', /the disk is full/)
    })

    test('does not serve then where the policy denies it', async () => {
      world.sessions.openFault = new SentinelError('STORE_UNAVAILABLE', 'the disk is full')
      world.source.put(aPolicy({ rules: [aRule()], sessionOutage: 'deny' }))
      await using run = await world.openRun()
      await assert.rejects(run.openSupply('warm-up'), { code: 'STORE_UNAVAILABLE' })
    })
  })

  suite('require_server_session', () => {
    test('issues once the record exists', async () => {
      world.source.put(required())
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      assert.equal(world.sessions.rows.sessions.size, 1)
      assert.equal(world.tokens.calls.assumeRole, 1)
      const types = world.log.records.map(({ type }) => type)
      assert.ok(types.indexOf('session.created') < types.indexOf('issued'))
    })

    test('ends the start, with nothing issued, when the record cannot be made', async () => {
      world.source.put(required())
      world.sessions.fault = unavailable
      await using run = await world.openRun()
      const { error } = await timed(world, run.openSupply('warm-up'))
      assert.ok(error instanceof SentinelError && error.code === 'STORE_UNAVAILABLE', String(error))
      assert.equal(world.tokens.calls.assumeRole, 0)
    })

    for (const location of ['memory:', 'sqlite:/tmp/s.db']) {
      test(`is not met by ${location}`, async () => {
        world.source.put(required())
        world.sessions.configured = { location, origin: '--session-store' }
        await using run = await world.openRun()
        await assert.rejects(run.openSupply('warm-up'), { code: 'POLICY_DENIED' })
        assert.equal(world.tokens.calls.assumeRole, 0)
      })
    }

    test('is not met by what is in this process alone, whatever the policy names', async () => {
      world.sessions.configured = undefined
      world.source.put({ ...required(), stores: { sessions: 'memory:' } })
      await using run = await world.openRun()
      await assert.rejects(run.openSupply('warm-up'), { code: 'POLICY_DENIED' })
    })

    test('is met in the store that the policy names, however it is written', async () => {
      world.sessions.configured = undefined
      world.source.put({ ...required(), stores: { sessions: 'dynamodb:sentinel-sessions' } })
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      assert.equal(world.tokens.calls.assumeRole, 1)
    })
  })

  suite('a revocation', () => {
    test('is obeyed within 5 seconds: refused, dropped, told, recorded', async () => {
      await using run = await world.openRun()
      const supply = await run.openSupply('warm-up')
      await settle()
      const { session } = run
      assert.ok(session)
      session.route.assertLive()
      const store = await world.sessions.open(TABLE)
      await store.revoke(ID, REVOCATION, NO_SIGNAL)

      await world.advance(5 * SECOND)
      const refused = { code: 'SESSION_REVOKED', message: /revoked by bob: laptop stolen/ }
      assert.throws(() => session.route.assertLive(), refused)
      assert.throws(() => session.route.assertLive(), refused)
      assert.equal(session.revoked.aborted, true)
      assert.equal(world.notices.warnings.length, 1)
      assert.partialDeepStrictEqual(world.log.of('revoked'), [{ session_id: ID, user: 'alice' }])
      // What was held is gone: the next one would have to be made, and none is.
      await assert.rejects(supply.serve('same'), refused)
      assert.equal(world.tokens.calls.assumeRole, 1)

      await run.closeSession('SIGTERM')
      await supply.close()
      const refusals = world.log.of('refused')
      assert.equal(refusals.filter(({ of }) => of === undefined).length, 1)
    })

    test('while STS is answering keeps what was made from leaving', async () => {
      await using run = await world.openRun()
      const supply = await run.openSupply('lazy')
      await settle()
      world.tokens.latency = 3 * SECOND
      const served = supply.serve('same').catch((error: unknown) => error)
      const store = await world.sessions.open(TABLE)
      await store.revoke(ID, REVOCATION, NO_SIGNAL)
      run.session?.assert()
      await world.advance(5 * SECOND)

      assert.ok((await served) instanceof SentinelError)
      assert.equal(world.tokens.calls.assumeRole, 1)
      assert.deepEqual(world.log.of('issued'), [])
      await assert.rejects(supply.serve('same'), { code: 'SESSION_REVOKED' })
      await supply.close()
    })
  })

  suite('a lock', () => {
    test('stops a server before anything is issued or recorded as a session', async () => {
      const store = await world.sessions.open(TABLE)
      await store.lock(aLock(), NO_SIGNAL)
      await using run = await world.openRun()
      await assert.rejects(run.openSupply('warm-up'), { code: 'SESSION_LOCKED' })
      assert.deepEqual([world.tokens.calls.assumeRole, world.sessions.count('create')], [0, 0])
      assert.equal(world.log.of('refused')[0]?.code, 'SESSION_LOCKED')
      // The command fails with it, which is where it is told.
      assert.deepEqual(world.notices.warnings, [])
    })

    for (const mode of ['cli', 'credential_process'] as const) {
      test(`stops a single issuance in mode ${mode}`, async () => {
        const store = await world.sessions.open(TABLE)
        await store.lock(aLock({ scope: { kind: 'profile', name: 'prod' } }), NO_SIGNAL)
        await using run = await world.openRun({ mode })
        await assert.rejects(run.issueOnce(), { code: 'SESSION_LOCKED' })
        assert.equal(world.tokens.calls.assumeRole, 0)
      })
    }

    test('of somebody else stops nobody', async () => {
      const store = await world.sessions.open(TABLE)
      await store.lock(aLock({ scope: { kind: 'user', name: 'mallory' } }), NO_SIGNAL)
      await using run = await world.openRun({ mode: 'cli' })
      await run.issueOnce()
      assert.equal(world.tokens.calls.assumeRole, 1)
      assert.equal(world.sessions.closed, 1)
    })

    test('stops a server that runs, until it is over', async () => {
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      await settle()
      const store = await world.sessions.open(TABLE)
      await store.lock(aLock({ until: NOON + MINUTE }), NO_SIGNAL)
      await world.advance(5 * SECOND)
      assert.throws(() => run.session?.route.assertLive(), { code: 'SESSION_LOCKED' })
      assert.match(world.notices.warnings.join(), /^user alice is locked until [^,]*$/)
      await world.advance(MINUTE)
      run.session?.route.assertLive()
    })

    test('is looked for no longer than the store is silent', async () => {
      world.sessions.fault = () => new Promise(() => {})
      await using run = await world.openRun({ mode: 'cli' })
      const { ms } = await timed(world, run.issueOnce())
      assert.ok(ms <= 2500, `${ms} ms`)
      assert.equal(world.tokens.calls.assumeRole, 1)
    })

    test('that cannot be looked for refuses where the policy denies it', async () => {
      world.source.put(aPolicy({ rules: [aRule()], sessionOutage: 'deny' }))
      world.sessions.fault = unavailable
      await using run = await world.openRun({ mode: 'cli' })
      const { error } = await timed(world, run.issueOnce())
      assert.ok(error instanceof SentinelError && error.code === 'STORE_UNAVAILABLE')
      assert.equal(world.tokens.calls.assumeRole, 0)
    })
  })

  test('ends for a server whose policy comes to name another store', async () => {
    await using run = await world.openRun()
    await run.openSupply('warm-up')
    await settle()
    world.source.put(aPolicy({ rules: [aRule()], stores: { sessions: 'dynamodb:elsewhere' } }))
    await world.advance(40 * SECOND)
    assert.throws(() => run.session?.route.assertLive(), { code: 'SESSION_STORE_CHANGED' })
  })

  test('are demanded of a server that has none, once the policy names a store', async () => {
    world.sessions.configured = undefined
    await using run = await world.openRun()
    const supply = await run.openSupply('warm-up')
    world.source.put(aPolicy({ rules: [aRule()], stores: { sessions: 'dynamodb:mine' } }))
    await world.advance(40 * SECOND)
    const { error } = await timed(world, supply.serve('same'))
    assert.ok(error instanceof SentinelError)
    assert.deepEqual([error.code, world.tokens.calls.assumeRole], ['SESSION_STORE_CHANGED', 1])
  })

  suite('session shutdown', () => {
    test('marks the session expired, with every credential counted', async () => {
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      await settle()
      for (let count = 0; count < 200; count += 1) run.session?.route.touch(NOON + 20 * MINUTE)
      await run.closeSession('command ended with status 0')

      const session = world.sessions.rows.sessions.get(ID)
      assert.equal(session?.requestCount, 200)
      assert.equal(session?.expiresAt, NOON + 20 * MINUTE)
      assert.deepEqual(session?.end, { at: NOON, reason: 'command ended with status 0' })
      assert.equal(world.log.of('session.ended')[0]?.reason, 'command ended with status 0')
      // What is in the log by then, its own end included, the record vouches for.
      assert.equal(world.log.records.at(-1)?.type, 'session.ended')
      assert.equal(session?.logHead, world.log.head()?.hash.slice(0, 32))
      assert.equal(world.sessions.closed, 1)
    })

    test('is not stopped by a disk that is slow, or full', async () => {
      for (const fault of [{ latency: 5 * SECOND }, { isFull: true }]) {
        world = new World()
        world.sessions.configured = FLAG
        await using run = await world.openRun()
        await run.openSupply('warm-up')
        await settle()
        Object.assign(world.log, fault)
        const { ms } = await timed(world, run.closeSession('SIGTERM'))
        assert.ok(ms <= 250, `${ms} ms`)
        assert.equal(world.sessions.rows.sessions.get(ID)?.end?.reason, 'SIGTERM')
        Object.assign(world.log, { latency: 0, isFull: false })
      }
    })

    test('is not stopped by a store that does not answer', async () => {
      await using run = await world.openRun()
      await run.openSupply('warm-up')
      await settle()
      world.sessions.fault = () => new Promise(() => {})
      const { ms } = await timed(world, run.closeSession('SIGTERM'))
      assert.ok(ms <= 2000, `${ms} ms`)
    })

    test('comes with the end of the run, however that came about', async () => {
      {
        await using run = await world.openRun()
        await run.openSupply('warm-up')
        await settle()
      }
      assert.equal(world.sessions.rows.sessions.get(ID)?.end?.reason, 'internal error')
    })
  })
})
