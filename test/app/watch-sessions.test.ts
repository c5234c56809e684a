import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { SessionFilter } from '../../src/app/list-sessions.ts'
import { type Snapshot, watchSessions } from '../../src/app/watch-sessions.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { NOON } from '../fixtures/policies.ts'
import {
  ALICE,
  anId,
  aSession,
  aStoredSession,
  aStoreWith,
  differently,
  unavailable,
} from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal

/** Watches with time in hand: each `next` is a look, 2 seconds after the last one. */
function watch(t: TestContext, directory: SessionStore, filter: SessionFilter = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = new FakeClock()
  const snapshots = watchSessions({ directory, clock }, filter)
  let isFirst = true
  async function next(afterMs = 2 * SECOND): Promise<Snapshot> {
    if (!isFirst) clock.advance(afterMs)
    const step = snapshots.next()
    if (!isFirst) {
      await new Promise(setImmediate)
      t.mock.timers.tick(2000)
    }
    isFirst = false
    const { value } = await step
    return value ?? assert.fail('the watch is over')
  }
  return { next, clock }
}

const changesOf = ({ changes }: Snapshot) =>
  changes.map(({ change, shown: { session, status } }) => [change, session.id, status])

const shownIn = ({ sessions }: Snapshot) =>
  sessions.map(({ session, status }) => [session.id, status])

suite('watchSessions', () => {
  test('gives every session there is at first, and then what changes', async (t) => {
    const store = await aStoreWith(aSession())
    const { next, clock } = watch(t, store)
    assert.deepEqual(changesOf(await next()), [['started', ALICE, 'active']])
    assert.deepEqual(changesOf(await next()), [])

    const used = { requestCount: 4, expiresAt: NOON + HOUR, leaseUntil: NOON + 3 * MINUTE }
    await store.touch(ALICE, used, clock.aws(), WAITING)
    await store.create(aSession({ id: anId('2'), startedAt: clock.aws() }), WAITING)
    assert.deepEqual(changesOf(await next()), [
      ['started', anId('2'), 'active'],
      ['touched', ALICE, 'active'],
    ])
  })

  test('tells a heartbeat apart from a use', async (t) => {
    const store = await aStoreWith(aSession())
    const { next } = watch(t, store)
    await next()
    await store.touch(ALICE, aSession({ leaseUntil: NOON + 5 * MINUTE }), NOON, WAITING)
    assert.deepEqual(changesOf(await next()), [])
  })

  test('tells that a server fell silent, though its record did not change', async (t) => {
    const { next } = watch(t, await aStoreWith(aSession()))
    await next()
    assert.deepEqual(changesOf(await next(5 * MINUTE)), [['status', ALICE, 'stale']])
  })

  const ends: [how: string, end: (store: SessionStore) => Promise<unknown>, status: string][] = [
    [
      'was revoked',
      (store) => store.revoke(ALICE, { at: NOON, by: 'carol', reason: 'left' }, WAITING),
      'revoked',
    ],
    [
      'ended',
      (store) => store.end(ALICE, aSession(), { at: NOON, reason: 'SIGTERM' }, WAITING),
      'expired',
    ],
  ]
  for (const [how, end, status] of ends) {
    test(`shows one that ${how} as ${status} for half a minute`, async (t) => {
      const store = await aStoreWith(aSession())
      const { next } = watch(t, store)
      await next()
      await end(store)
      const snapshot = await next()
      assert.deepEqual(changesOf(snapshot), [['status', ALICE, status]])
      assert.deepEqual(shownIn(snapshot), [[ALICE, status]])
      assert.deepEqual(shownIn(await next(29 * SECOND)), [[ALICE, status]])
      const later = await next(SECOND)
      assert.deepEqual([shownIn(later), changesOf(later)], [[], []])
    })
  }

  test('tells that a record was deleted, once, as it was', async (t) => {
    const inner = await aStoreWith(aSession())
    let isDeleted = false
    const store = differently(inner, {
      get: async (id, signal) => (isDeleted ? undefined : inner.get(id, signal)),
      async *list(query, signal) {
        if (!isDeleted) yield* inner.list(query, signal)
      },
    })
    const { next } = watch(t, store)
    await next()
    isDeleted = true
    assert.deepEqual(changesOf(await next()), [['gone', ALICE, 'active']])
    assert.deepEqual(changesOf(await next()), [])
  })

  test('takes one that a lagging index left out for as good as listed', async (t) => {
    const inner = await aStoreWith(aSession())
    let isListed = true
    const store = differently(inner, {
      async *list(query, signal) {
        if (isListed) yield* inner.list(query, signal)
      },
    })
    const { next } = watch(t, store)
    await next()
    isListed = false
    const without = await next()
    assert.deepEqual([changesOf(without), shownIn(without)], [[], [[ALICE, 'active']]])
    isListed = true
    assert.deepEqual(changesOf(await next()), [])
  })

  test('calls an old one that comes to be what is asked for changed, not started', async (t) => {
    const store = await aStoreWith(aSession())
    const { next } = watch(t, store, { status: 'stale' })
    assert.deepEqual(changesOf(await next()), [])
    assert.deepEqual(changesOf(await next(3 * MINUTE)), [['status', ALICE, 'stale']])
  })

  test('goes on when the store is silent, with what was known then', async (t) => {
    const inner = await aStoreWith(aSession())
    let isSilent = false
    const store = differently(inner, {
      async *list(query, signal) {
        if (isSilent) throw unavailable()
        yield* inner.list(query, signal)
      },
    })
    const { next } = watch(t, store)
    await next()
    isSilent = true
    for (const _ of [1, 2]) {
      const snapshot = await next(10 * MINUTE)
      assert.equal(snapshot.silence?.since, NOON)
      assert.equal(snapshot.silence?.error.code, 'STORE_UNAVAILABLE')
      assert.deepEqual([shownIn(snapshot), changesOf(snapshot)], [[[ALICE, 'active']], []])
    }
    isSilent = false
    const again = await next()
    assert.equal(again.silence, undefined)
    assert.deepEqual(changesOf(again), [['status', ALICE, 'expired']])
  })

  test('does not begin on a silent store, nor go on when its table is gone', async (t) => {
    const inner = await aStoreWith()
    let error: SentinelError | undefined = unavailable()
    const store = differently(inner, {
      async *list(query, signal) {
        if (error) throw error
        yield* inner.list(query, signal)
      },
    })
    await assert.rejects(watch(t, store).next(), { code: 'STORE_UNAVAILABLE' })

    t.mock.timers.reset()
    error = undefined
    const { next } = watch(t, store)
    await next()
    error = new SentinelError('STORE_NOT_FOUND', 'there is no table sessions')
    await assert.rejects(next(), { code: 'STORE_NOT_FOUND' })
  })

  test('holds the newest 1000, and says that there are more', async (t) => {
    let count = 2000
    const store = differently(await aStoreWith(), {
      get: () => assert.fail('what newer ones crowded out is not looked for'),
      async *list() {
        for (let age = 0; age < 5000; age += 1) {
          yield aStoredSession({ id: anId(`${count - age}`), startedAt: NOON + (count - age) })
        }
      },
    })
    const { next } = watch(t, store)
    const first = await next()
    assert.deepEqual([first.sessions.length, first.isCut], [1000, true])
    count += 100
    const second = await next()
    assert.equal(second.sessions.length, 1000)
    assert.equal(second.changes.length, 100)
  })
})
