import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Session, SessionId } from '../../src/domain/session.ts'
import { parseStoreLocation } from '../../src/domain/store-location.ts'
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
const REVOCATION = { at: NOW + MINUTE, by: 'os:bob', reason: `it's "gone" 🗝 ${'x'.repeat(185)}` }
const END = { at: NOW + 2 * MINUTE, reason: 'SIGTERM' }

/** The part of the contract that people rely on, but for the locks. */
export function testDirectory(open: OpenStoreUnderTest): void {
  test('names its place in a form that settings take', async (t) => {
    const { store, peer } = await openIn(t, open)

    assert.ok(parseStoreLocation(store.location), store.location)
    assert.equal(peer.location, store.location)
  })

  test('keeps what was written when it is closed', async (t) => {
    const { store, peer } = await openIn(t, open)
    const session = aSession()
    await store.create(session, WAITING)

    if (store !== peer) await store[Symbol.asyncDispose]()

    assert.equal((await peer.get(session.id, WAITING))?.user, session.user)
  })

  suite('revoke', () => {
    test('says who, when and why, and leaves what the server wrote', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.touch(session.id, progress(5), NOW, WAITING)
      const touched = await store.get(session.id, WAITING)

      const answer = await peer.revoke(session.id, REVOCATION, WAITING)

      const expected = { ...touched, revocation: REVOCATION, updatedAt: REVOCATION.at }
      assert.deepEqual(answer, { outcome: 'revoked', session: expected })
      assert.deepEqual(await store.get(session.id, WAITING), expected)
    })

    test('changes nothing the second time', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.revoke(session.id, REVOCATION, WAITING)
      const first = await store.get(session.id, WAITING)

      const again = { at: REVOCATION.at + 5, by: 'mallory', reason: 'to be seen' }
      const answer = await peer.revoke(session.id, again, WAITING)

      assert.deepEqual(answer, { outcome: 'already revoked', session: first })
      assert.deepEqual(await store.get(session.id, WAITING), first)
    })

    test('does not take what has ended', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.end(session.id, progress(5), END, WAITING)
      const ended = await store.get(session.id, WAITING)

      const answer = await store.revoke(session.id, REVOCATION, WAITING)

      assert.deepEqual(answer, { outcome: 'ended', session: ended })
      assert.deepEqual(await store.get(session.id, WAITING), ended)
    })

    test('takes a session whose server was silent for days', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession({ startedAt: NOW - 9 * DAY })
      await store.create(session, WAITING)

      const { outcome } = await store.revoke(session.id, REVOCATION, WAITING)

      assert.equal(outcome, 'revoked')
    })

    test('finds nothing to revoke where there is no session, and makes none', async (t) => {
      const { store } = await openIn(t, open)
      const { id } = someone()

      assert.deepEqual(await store.revoke(id, REVOCATION, WAITING), { outcome: 'missing' })

      assert.equal(await store.get(id, WAITING), undefined)
    })
  })

  suite('find', () => {
    test('finds ids by how they begin, whatever became of the sessions', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const [first, second, third] = await family(store, 3)
      const stranger = aSession()
      await store.create(stranger, WAITING)
      await store.revoke(first!, REVOCATION, WAITING)
      await store.end(second!, progress(1), END, WAITING)

      await eventually(place, async () => {
        const found = await store.find(first!.slice(0, 12), WAITING)
        assert.deepEqual(found.toSorted(), [first, second, third])
        assert.deepEqual(await store.find(third!, WAITING), [third])
      })
      assert.deepEqual(await store.find(someone().id, WAITING), [])
    })

    test('gives up to 10', async (t) => {
      const place = await openIn(t, open)
      const ids = await family(place.store, 12)

      await eventually(place, async () => {
        const found = await place.store.find(ids[0]!.slice(0, 12), WAITING)
        assert.equal(new Set(found).size, 10)
        assert.ok(found.every((id) => ids.includes(id)))
      })
    })
  })

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

/** Creates sessions whose ids begin with the same 12 digits; resolves to the ids, in order. */
async function family(store: SessionStore, count: number): Promise<SessionId[]> {
  const prefix = someone().id.slice(0, 12)
  const ids = Array.from({ length: count }, (_, n) => {
    return `${prefix}${n.toString(16).padStart(4, '0')}` as SessionId
  })
  for (const id of ids) await store.create(aSession({ id }), WAITING)
  return ids
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
