import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SessionProgress, SessionStart } from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import {
  aSession,
  eventually,
  NOW,
  type OpenStoreUnderTest,
  openIn,
  progress,
  WAITING,
} from './store-under-test.ts'

const REVOCATION = { at: NOW + MINUTE, by: 'bob', reason: 'laptop stolen' }
const END = { at: NOW + 2 * MINUTE, reason: 'command ended with status 0' }

/** What a record holds that was created and never written again. */
function created(session: SessionStart & SessionProgress) {
  return { ...session, createdAt: session.startedAt, updatedAt: session.startedAt }
}

/** The part of the contract that a server relies on. */
export function testRecords(open: OpenStoreUnderTest): void {
  suite('create', () => {
    test('makes a record that every handle reads as it was given', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()

      assert.equal(await store.create(session, WAITING), 'created')

      assert.deepEqual(await store.get(session.id, WAITING), created(session))
      assert.deepEqual(await peer.get(session.id, WAITING), created(session))
    })

    test('leaves out what is not known, and keeps every character and millisecond', async (t) => {
      const { store } = await openIn(t, open)
      const { roleArn: _, ...odd } = {
        ...aSession(),
        profile: `it's "50 %"_\\ #1 ünïcode 🗝 ${aSession().profile}`,
        user: 'a.b_c@d+e-f,abcdefghij',
        requestCount: Number.MAX_SAFE_INTEGER,
        leaseUntil: NOW + 999,
        expiresAt: NOW + 1000,
      }

      await store.create(odd, WAITING)

      assert.deepEqual(await store.get(odd.id, WAITING), created(odd))
    })

    test('makes a record that is ended at once, for a server that stops', async (t) => {
      const { store } = await openIn(t, open)
      const session = { ...aSession(), ...progress(3) }

      assert.equal(await store.create({ ...session, end: END }, WAITING), 'created')

      const found = await store.get(session.id, WAITING)
      assert.deepEqual(found, { ...created(session), end: END, updatedAt: END.at })
      assert.equal(await store.touch(session.id, progress(4), NOW, WAITING), 'ended')
    })

    test('changes nothing when the same server says it again, whatever came since', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      await store.touch(session.id, progress(5), NOW, WAITING)
      const touched = await store.get(session.id, WAITING)
      assert.equal(await peer.create({ ...session, end: END }, WAITING), 'exists')
      assert.deepEqual(await store.get(session.id, WAITING), touched)

      await peer.revoke(session.id, REVOCATION, WAITING)
      const revoked = await store.get(session.id, WAITING)
      assert.equal(await store.create(session, WAITING), 'exists')
      assert.deepEqual(await store.get(session.id, WAITING), revoked)
    })

    test('refuses an id that is the id of the session of another server', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      const other = aSession({ id: session.id })
      await assert.rejects(peer.create(other, WAITING), { code: 'SESSION_EXISTS' })
      const ended = { ...other, end: END }
      await assert.rejects(store.create(ended, WAITING), { code: 'SESSION_EXISTS' })

      assert.deepEqual(await store.get(session.id, WAITING), created(session))
    })
  })

  suite('touch', () => {
    test('writes the totals, and nothing else', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      assert.equal(await store.touch(session.id, progress(1), NOW + 5, WAITING), 'written')
      assert.equal(await peer.touch(session.id, progress(7), NOW + 9, WAITING), 'written')

      const expected = { ...created(session), ...progress(7), updatedAt: NOW + 9 }
      assert.deepEqual(await store.get(session.id, WAITING), expected)
    })

    test('changes nothing when it is said twice', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      await store.touch(session.id, progress(7), NOW + 9, WAITING)
      const once = await store.get(session.id, WAITING)
      assert.equal(await store.touch(session.id, progress(7), NOW + 9, WAITING), 'written')

      assert.deepEqual(await store.get(session.id, WAITING), once)
    })

    test('renews the lease of a server that handed out nothing more', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      const { requestCount, expiresAt } = session
      const { logHead } = progress(1)
      const heartbeat = { requestCount, expiresAt, leaseUntil: NOW + HOUR }

      const beats = [{ ...heartbeat, logHead }, heartbeat]
      for (const beat of beats)
        assert.equal(await store.touch(session.id, beat, NOW + MINUTE, WAITING), 'written')

      // Who does not know the head of the log leaves the one that is known.
      const expected = { ...created(session), ...beats[0], updatedAt: NOW + MINUTE }
      assert.deepEqual(await store.get(session.id, WAITING), expected)
    })

    test('takes an expiry that is before the one of the creation', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession({ expiresAt: NOW + 12 * HOUR })
      await store.create(session, WAITING)

      assert.equal(await store.touch(session.id, progress(1), NOW, WAITING), 'written')

      const found = await store.get(session.id, WAITING)
      assert.equal(found?.expiresAt, progress(1).expiresAt)
    })

    test('drops an older word that comes late', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      // As numbers 9 < 10, as text not.
      await store.touch(session.id, progress(10), NOW, WAITING)

      assert.equal(await store.touch(session.id, progress(9), NOW + 5, WAITING), 'stale')

      const expected = { ...created(session), ...progress(10), updatedAt: NOW }
      assert.deepEqual(await store.get(session.id, WAITING), expected)
    })

    test('does not hold an expiry or a lease in the past against a session', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      const late = NOW + 30 * 24 * HOUR
      assert.equal(await store.touch(session.id, progress(1, late), late, WAITING), 'written')
    })
  })

  suite('settle', () => {
    test('writes what was handed out before a revocation, but no lease', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.revoke(session.id, REVOCATION, WAITING)

      assert.equal(await store.settle(session.id, progress(3), NOW + 77, WAITING), 'written')

      const { leaseUntil: _, ...handedOut } = progress(3)
      assert.deepEqual(await store.get(session.id, WAITING), {
        ...created(session),
        ...handedOut,
        revocation: REVOCATION,
        updatedAt: NOW + 77,
      })
    })

    test('never lowers the count', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.touch(session.id, progress(10), NOW, WAITING)
      await store.revoke(session.id, REVOCATION, WAITING)
      const revoked = await store.get(session.id, WAITING)

      assert.equal(await store.settle(session.id, progress(9), NOW, WAITING), 'stale')
      assert.deepEqual(await store.get(session.id, WAITING), revoked)
      assert.equal(await store.settle(session.id, progress(10), NOW, WAITING), 'written')
    })

    test('writes nothing of a session that is not revoked', async (t) => {
      const { store } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      assert.equal(await store.settle(session.id, progress(3), NOW, WAITING), 'stale')
      assert.deepEqual(await store.get(session.id, WAITING), created(session))

      await store.end(session.id, progress(3), END, WAITING)
      const ended = await store.get(session.id, WAITING)
      assert.equal(await store.settle(session.id, progress(4), NOW, WAITING), 'ended')
      assert.deepEqual(await store.get(session.id, WAITING), ended)
    })
  })

  suite('end', () => {
    test('ends a session with its last totals', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      assert.equal(await store.end(session.id, progress(200), END, WAITING), 'written')

      const expected = { ...created(session), ...progress(200), end: END, updatedAt: END.at }
      assert.deepEqual(await peer.get(session.id, WAITING), expected)
    })

    test('is final: neither a touch nor another end changes it', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.end(session.id, progress(2), END, WAITING)
      const ended = await store.get(session.id, WAITING)

      const again = { at: END.at + 5, reason: 'SIGTERM' }
      assert.equal(await peer.end(session.id, progress(3), again, WAITING), 'ended')
      assert.equal(await peer.touch(session.id, progress(3), NOW, WAITING), 'ended')

      assert.deepEqual(await store.get(session.id, WAITING), ended)
    })
  })

  suite('a revoked session', () => {
    test('is reported to every word of its server, and stays as it is', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await peer.revoke(session.id, REVOCATION, WAITING)
      const revoked = await peer.get(session.id, WAITING)

      assert.equal(await store.touch(session.id, progress(1), NOW + HOUR, WAITING), 'revoked')
      assert.equal(await store.end(session.id, progress(1), END, WAITING), 'revoked')

      assert.deepEqual(await store.get(session.id, WAITING), revoked)
    })
  })

  suite('a session without a row', () => {
    test('is missing to every word, and none of them makes a row', async (t) => {
      const { store, ...place } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.touch(session.id, progress(1), NOW, WAITING)
      await place.remove(session.id)

      const words = [
        await store.touch(session.id, progress(2), NOW, WAITING),
        await store.settle(session.id, progress(2), NOW, WAITING),
        await store.end(session.id, progress(2), END, WAITING),
        (await store.revoke(session.id, REVOCATION, WAITING)).outcome,
      ]

      assert.deepEqual(words, ['missing', 'missing', 'missing', 'missing'])
      assert.equal(await store.get(session.id, WAITING), undefined)
      await eventually(place, async () => {
        assert.deepEqual(await store.find(session.id, WAITING), [])
      })
    })

    test('is missing after its revocation was deleted: nothing makes it active again', async (t) => {
      const { store, remove } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      await store.revoke(session.id, REVOCATION, WAITING)
      await remove(session.id)

      assert.equal(await store.touch(session.id, progress(2), NOW, WAITING), 'missing')

      const { user, profile } = session
      const { session: seen } = await store.look({ id: session.id, user, profile }, WAITING)
      assert.equal(seen, undefined)
    })
  })
}
