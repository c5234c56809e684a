import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Session, SessionId } from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { SessionQuery, SessionStore } from '../../src/ports/session-store.ts'
import {
  aLock,
  aSession,
  collect,
  eventually,
  NOW,
  type OpenStoreUnderTest,
  openIn,
  progress,
  someone,
  WAITING,
} from './store-under-test.ts'

const DAY = 24 * HOUR
const REVOCATION = { at: NOW + MINUTE, by: 'bob', reason: 'laptop stolen' }
const END = { at: NOW + 2 * MINUTE, reason: 'SIGTERM' }

/** The part of the contract that tables of sessions are made of. */
export function testList(open: OpenStoreUnderTest): void {
  suite('list', () => {
    test('gives whole sessions, the newest first, over days', async (t) => {
      const place = await openIn(t, open)
      const { user } = someone()
      const ages = [3 * DAY, 0, 40 * DAY, 1, DAY, 60 * DAY]
      const sessions = ages.map((age) => aSession({ user, startedAt: NOW - age }))
      for (const session of sessions) await place.store.create(session, WAITING)

      const newestFirst = sessions
        .toSorted((a, b) => b.startedAt - a.startedAt)
        .map((session) => ({
          ...session,
          createdAt: session.startedAt,
          updatedAt: session.startedAt,
        }))
      await eventually(place, async () => {
        assert.deepEqual(await listed(place.store, { user, which: 'all' }), newestFirst)
      })
    })

    test('combines its filters', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const [alice, prod] = [someone().user, someone().profile]
      const of = async (user: string, profile: string, age: number) => {
        const session = aSession({ user, profile, startedAt: NOW - age })
        await store.create(session, WAITING)
        return session.id
      }
      const mine = await of(alice, prod, 0)
      const ended = await of(alice, prod, 1)
      const revoked = await of(alice, prod, 2)
      const old = await of(alice, prod, DAY)
      const elsewhere = await of(alice, someone().profile, 3)
      const another = await of(someone().user, prod, 4)
      await store.end(ended, progress(1), END, WAITING)
      await store.revoke(revoked, REVOCATION, WAITING)

      const cases: [SessionQuery, SessionId[]][] = [
        [{ user: alice, which: 'all' }, [mine, ended, revoked, elsewhere, old]],
        [{ user: alice, which: 'live' }, [mine, elsewhere, old]],
        [{ profile: prod, which: 'all' }, [mine, ended, revoked, another, old]],
        [{ profile: prod, which: 'live' }, [mine, another, old]],
        [{ user: alice, profile: prod, which: 'all' }, [mine, ended, revoked, old]],
        [{ user: alice, profile: prod, which: 'live' }, [mine, old]],
        [{ user: alice, since: NOW - 3, which: 'live' }, [mine, elsewhere]],
        [{ user: alice, since: NOW - 2, which: 'live' }, [mine]],
        [{ profile: prod, since: NOW - 1, which: 'all' }, [mine, ended]],
        [{ user: alice, profile: prod, since: NOW, which: 'live' }, [mine]],
        [{ user: alice, profile: someone().profile, which: 'all' }, []],
        [{ user: alice.toUpperCase(), which: 'all' }, []],
        [{ user: alice.slice(0, -1), which: 'all' }, []],
      ]
      for (const [query, expected] of cases) {
        await eventually(place, async () => {
          const ids = (await listed(store, query)).map(({ id }) => id)
          assert.deepEqual(ids, expected, JSON.stringify(query))
        })
      }
    })

    test('lists without a filter, among whatever else there is', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const start = (age: number) => aSession({ startedAt: NOW - age })
      const sessions = [start(0), start(1), start(DAY), start(2 * DAY)]
      for (const session of sessions) await store.create(session, WAITING)
      await store.revoke(sessions[1]!.id, REVOCATION, WAITING)

      const ids = sessions.map(({ id }) => id)
      const ours = async (query: SessionQuery) => {
        const all = await listed(store, query)
        return all.map(({ id }) => id).filter((id) => ids.includes(id))
      }
      await eventually(place, async () => {
        const since = NOW - DAY
        assert.deepEqual(await ours({ since, which: 'all' }), ids.slice(0, 3))
        assert.deepEqual(await ours({ since, which: 'live' }), [ids[0], ids[2]])
        assert.deepEqual(await ours({ which: 'live' }), [ids[0], ids[2], ids[3]])
      })
    })

    test('pages through what no page holds, each session once', async (t) => {
      const place = await openIn(t, open)
      const { user, profile } = someone()
      // Many start in the same millisecond: where a page ends, the time alone says too little.
      const sessions = Array.from({ length: 450 }, (_, n) =>
        aSession({ user, startedAt: NOW - Math.floor(n / 120), ...(n % 11 === 0 && { profile }) }),
      )
      await inTurns(sessions, (session) => place.store.create(session, WAITING))

      await eventually(place, async () => {
        const seen: number[] = []
        const ids = new Set<SessionId>()
        let last = Number.POSITIVE_INFINITY
        const query = { user, profile, which: 'live' } as const
        for await (const session of place.store.list(query, WAITING, (n) => seen.push(n))) {
          assert.ok(session.startedAt <= last)
          last = session.startedAt
          ids.add(session.id)
        }
        const expected = sessions.filter((session) => session.profile === profile)
        assert.deepEqual(ids, new Set(expected.map(({ id }) => id)))
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        )
        assert.ok(seen.at(-1)! >= ids.size, `${seen.at(-1)} seen`)
        assert.equal((await listed(place.store, { user, which: 'all' })).length, 450)
      })
    })

    test('can be left in the middle, and holds up nothing then or meanwhile', async (t) => {
      const place = await openIn(t, open)
      const { user } = someone()
      const sessions = [3, 2, 1].map((age) => aSession({ user, startedAt: NOW - age }))
      for (const session of sessions) await place.store.create(session, WAITING)
      const another = aSession()

      await eventually(place, async () => {
        const ids: SessionId[] = []
        for await (const { id } of place.store.list({ user, which: 'live' }, WAITING)) {
          ids.push(id)
          await place.peer.create(another, WAITING)
          break
        }
        assert.deepEqual(ids, [sessions.at(-1)!.id])
      })
      assert.equal(await place.store.touch(another.id, progress(1), NOW, WAITING), 'written')
    })

    test('shows no locks', async (t) => {
      const place = await openIn(t, open)
      const { user, profile } = someone()
      await place.store.lock(aLock({ kind: 'user', name: user }), WAITING)
      const session = aSession({ user, profile })
      await place.store.create(session, WAITING)

      await eventually(place, async () => {
        const ids = (await listed(place.store, { user, which: 'all' })).map(({ id }) => id)
        assert.deepEqual(ids, [session.id])
        const recent = await listed(place.store, { since: NOW - MINUTE, which: 'live' })
        assert.ok(recent.every(({ id }) => /^[0-9a-f]{16}$/.test(id)))
      })
      await place.store.unlock({ kind: 'user', name: user }, WAITING)
    })
  })
}

function listed(store: SessionStore, query: SessionQuery): Promise<Session[]> {
  return collect(store.list(query, WAITING))
}

/** Does it for all `items`, 20 at a time. */
async function inTurns<Item>(items: Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await act(item)
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}
