import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SessionId } from '../../src/domain/session.ts'
import { parseStoreLocation } from '../../src/domain/store-location.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'
import {
  aSession,
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
