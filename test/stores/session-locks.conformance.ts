import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { describeScope, lockId, type SessionLock } from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { LookSubject, SessionStore } from '../../src/ports/session-store.ts'
import {
  aLock,
  aSession,
  eventually,
  NOW,
  type OpenStoreUnderTest,
  openIn,
  progress,
  someone,
  WAITING,
} from './store-under-test.ts'

/** The part of the contract that holds people off: locks, and the look at a session and them. */
export function testLocks(open: OpenStoreUnderTest): void {
  suite('look', () => {
    test('sees the session as it is at once, whoever wrote', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      const { id, user, profile } = session
      await store.create(session, WAITING)
      const look = async () => (await peer.look({ id, user, profile }, WAITING)).session

      assert.deepEqual(await look(), await store.get(id, WAITING))
      await store.touch(id, progress(3), NOW, WAITING)
      assert.equal((await look())?.requestCount, 3)
      await store.revoke(id, { at: NOW, by: 'bob', reason: 'laptop stolen' }, WAITING)
      assert.deepEqual((await look())?.revocation, { at: NOW, by: 'bob', reason: 'laptop stolen' })
    })

    test('finds no session where there is none, or none was asked for', async (t) => {
      const { store } = await openIn(t, open)
      const { id, user, profile } = someone()

      const unknown = await store.look({ id, user, profile }, WAITING)
      const unasked = await store.look({ user, profile }, WAITING)

      assert.ok(!('session' in unknown) && !('session' in unasked))
    })

    test('sees the locks on the user and the profile, and not those on others', async (t) => {
      const { store, peer } = await openIn(t, open)
      const { id, user, profile } = someone()
      // A user and a profile of one name are not one.
      const onUser = aLock({ kind: 'user', name: user })
      const onProfile = aLock({ kind: 'profile', name: profile })
      const others = [
        aLock({ kind: 'user', name: profile }),
        aLock({ kind: 'profile', name: user }),
        aLock({ kind: 'user', name: `${user}x` }),
        aLock({ kind: 'user', name: user.toUpperCase() }),
      ]
      for (const lock of [onUser, onProfile, ...others]) await store.lock(lock, WAITING)

      assert.deepEqual(await locksOn(peer, { user, profile }), [onProfile, onUser])
      assert.deepEqual(await locksOn(peer, { id, user, profile }), [onProfile, onUser])
      assert.deepEqual(await locksOn(peer, { user, profile: 'prod' }), [onUser])

      for (const { scope } of [onUser, onProfile, ...others]) await store.unlock(scope, WAITING)
    })

    test('sees a lock that is over: its reader knows the time', async (t) => {
      const { store } = await openIn(t, open)
      const { user, profile } = someone()
      const over = aLock({ kind: 'user', name: user }, { until: NOW - HOUR })
      await store.lock(over, WAITING)

      assert.deepEqual(await locksOn(store, { user, profile }), [over])

      await store.unlock(over.scope, WAITING)
    })

    test('sees the lock on everyone', async (t) => {
      const { store } = await openIn(t, open)
      const { user, profile } = someone()
      // A shared table may have one from another test: the one with the latest end holds.
      const everyone = aLock({ kind: 'all' }, { until: Date.now() + 24 * HOUR })

      assert.deepEqual(await store.lock(everyone, WAITING), everyone)
      const { locks } = await store.look({ user, profile }, WAITING)
      assert.deepEqual(locks, [everyone])

      await store.unlock({ kind: 'all' }, WAITING)
      assert.deepEqual(await store.look({ user, profile }, WAITING), { locks: [] })
    })
  })

  suite('lock', () => {
    test('keeps the one that holds longest', async (t) => {
      const { store, peer } = await openIn(t, open)
      const { user, profile } = someone()
      let at = NOW
      const lock = (until: number, by: string) => {
        at += 1
        return aLock({ kind: 'user', name: user }, { at, until, by, reason: `"${by}" says so` })
      }
      const [first, shorter] = [lock(NOW + HOUR, 'bob'), lock(NOW + HOUR - 1, 'carol')]
      const [same, longer] = [lock(NOW + HOUR, 'dave'), lock(NOW + HOUR + 1, 'eve')]

      assert.deepEqual(await store.lock(first, WAITING), first)
      assert.deepEqual(await peer.lock(shorter, WAITING), first)
      assert.deepEqual(await locksOn(store, { user, profile }), [first])
      assert.deepEqual(await peer.lock(same, WAITING), same)
      assert.deepEqual(await store.lock(longer, WAITING), longer)
      assert.deepEqual(await locksOn(peer, { user, profile }), [longer])

      await store.unlock(longer.scope, WAITING)
    })

    test('can be set anew, and shorter, once it was taken away', async (t) => {
      const { store, peer } = await openIn(t, open)
      const { user, profile } = someone()
      const scope = { kind: 'user', name: user } as const
      const long = aLock(scope, { until: NOW + 9 * HOUR })
      await store.lock(long, WAITING)

      assert.deepEqual(await peer.unlock(scope, WAITING), long)
      assert.equal(await store.unlock(scope, WAITING), undefined)
      assert.deepEqual(await locksOn(store, { user, profile }), [])

      const short = aLock(scope, { until: NOW + MINUTE })
      assert.deepEqual(await store.lock(short, WAITING), short)
      await store.unlock(scope, WAITING)
    })

    test('takes any name', async (t) => {
      const { store } = await openIn(t, open)
      const { user, id } = someone()
      const profile = `#all "it's" 50 % ünïcode 🗝 ${id}`
      const lock = aLock({ kind: 'profile', name: profile })

      await store.lock(lock, WAITING)

      assert.deepEqual(await locksOn(store, { user, profile }), [lock])
      assert.deepEqual(await store.unlock(lock.scope, WAITING), lock)
    })
  })

  test('locks are listed, the newest first, those that are over too', async (t) => {
    const place = await openIn(t, open)
    const { user, profile } = someone()
    const locks = [
      aLock({ kind: 'user', name: user }, { at: NOW + 2, until: NOW + 3 }),
      aLock({ kind: 'profile', name: profile }, { at: NOW + 1 }),
      aLock({ kind: 'user', name: `${user}x` }, { at: NOW, until: NOW + 9 * HOUR }),
    ]
    for (const lock of locks.toReversed()) await place.store.lock(lock, WAITING)

    const ours = locks.map(({ scope }) => describeScope(scope))
    await eventually(place, async () => {
      const all = await place.peer.locks(WAITING)
      const found = all.filter(({ scope }) => ours.includes(describeScope(scope)))
      assert.deepEqual(found, locks)
    })

    for (const { scope } of locks) await place.store.unlock(scope, WAITING)
    await eventually(place, async () => {
      const all = await place.store.locks(WAITING)
      assert.ok(!all.some(({ scope }) => ours.includes(describeScope(scope))))
    })
  })
}

/** The locks of a look in the order of their keys, but for one on everyone. */
async function locksOn(store: SessionStore, subject: LookSubject): Promise<SessionLock[]> {
  const { locks } = await store.look(subject, WAITING)
  return locks
    .filter(({ scope }) => scope.kind !== 'all')
    .toSorted((a, b) => (lockId(a.scope) < lockId(b.scope) ? -1 : 1))
}
