import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { SessionStore, WriteOutcome } from '../../src/ports/session-store.ts'
import {
  aLock,
  aSession,
  collect,
  NOW,
  type OpenStoreUnderTest,
  openIn,
  progress,
  someone,
  WAITING,
} from './store-under-test.ts'

const END = { at: NOW + 2 * MINUTE, reason: 'SIGTERM' }

/** What holds when several processes act at once, and when one of them gives up. */
export function testConcurrency(open: OpenStoreUnderTest): void {
  suite('at once', () => {
    test('creations of one server make one record', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()

      const answers = await Promise.all(
        either(store, peer, 20, (handle) => handle.create(session, WAITING)),
      )

      assert.equal(answers.filter((answer) => answer === 'created').length, 1)
      assert.equal(answers.filter((answer) => answer === 'exists').length, 19)
    })

    test('one of several servers gets an id', async (t) => {
      const { store, peer } = await openIn(t, open)
      const { id } = someone()
      const sessions = Array.from({ length: 10 }, () => aSession({ id }))

      const answers = await Promise.allSettled(
        either(store, peer, 10, (handle, n) => handle.create(sessions[n]!, WAITING)),
      )

      const winner = answers.findIndex(({ status }) => status === 'fulfilled')
      const codes = answers.map((answer) =>
        answer.status === 'rejected' ? answer.reason.code : answer.value,
      )
      const expected = sessions.map((_, n) => (n === winner ? 'created' : 'SESSION_EXISTS'))
      assert.deepEqual(codes, expected)
      const found = await store.get(id, WAITING)
      assert.equal(found?.serverInstanceId, sessions[winner]?.serverInstanceId)
    })

    test('no touch is lost and none goes back, in whatever order they arrive', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)
      const counts = Array.from({ length: 25 }, (_, n) => ((n * 7) % 25) + 1)

      const outcomes = await Promise.all(
        either(store, peer, 25, (handle, n) =>
          handle.touch(session.id, progress(counts[n]!), NOW, WAITING),
        ),
      )

      assert.ok(outcomes.every((outcome) => outcome === 'written' || outcome === 'stale'))
      assert.equal(outcomes[counts.indexOf(25)], 'written')
      const found = await store.get(session.id, WAITING)
      assert.equal(found?.requestCount, 25)
      assert.equal(found.lastAccessAt, progress(25).lastAccessAt)
    })

    test('a busy session can be revoked, and no touch undoes it', async (t) => {
      const { store, peer } = await openIn(t, open)
      for (let round = 0; round < 10; round += 1) {
        const session = aSession()
        const revocation = { at: NOW, by: 'bob', reason: 'laptop stolen' }
        await store.create(session, WAITING)

        const touch = (n: number) => store.touch(session.id, progress(n), NOW, WAITING)
        const before = [touch(1), touch(2), touch(3)]
        const revoked = peer.revoke(session.id, revocation, WAITING)
        const after = [touch(4), touch(5), touch(6)]
        const outcomes = await Promise.all([...before, ...after])

        assert.equal((await revoked).outcome, 'revoked')
        assert.equal(await touch(7), 'revoked')
        const found = await store.get(session.id, WAITING)
        assert.deepEqual(found?.revocation, revocation)
        assert.equal(found?.requestCount, lastWritten(outcomes))
      }
    })

    test('one of several revocations stands', async (t) => {
      const { store, peer } = await openIn(t, open)
      const session = aSession()
      await store.create(session, WAITING)

      const answers = await Promise.all(
        either(store, peer, 10, (handle, n) =>
          handle.revoke(session.id, { at: NOW + n, by: `user${n}`, reason: 'incident' }, WAITING),
        ),
      )

      const winner = answers.findIndex(({ outcome }) => outcome === 'revoked')
      const stands = { at: NOW + winner, by: `user${winner}`, reason: 'incident' }
      for (const [n, answer] of answers.entries()) {
        assert.equal(answer.outcome, n === winner ? 'revoked' : 'already revoked')
        assert.ok('session' in answer)
        assert.deepEqual(answer.session.revocation, stands)
      }
      assert.deepEqual((await peer.get(session.id, WAITING))?.revocation, stands)
    })

    test('a session is either ended or revoked', async (t) => {
      const { store, peer } = await openIn(t, open)
      for (let round = 0; round < 20; round += 1) {
        const session = aSession()
        await store.create(session, WAITING)
        const end = () => store.end(session.id, progress(1), END, WAITING)
        const revoke = () =>
          peer.revoke(session.id, { at: NOW, by: 'bob', reason: 'incident' }, WAITING)

        const [ended, revoked] =
          round % 2 === 0
            ? await Promise.all([end(), revoke()])
            : (await Promise.all([revoke(), end()])).toReversed()

        const both = [ended, (revoked as { outcome: string }).outcome]
        const found = await store.get(session.id, WAITING)
        assert.ok(found?.end === undefined || found.revocation === undefined)
        assert.deepEqual(both, found?.end ? ['written', 'ended'] : ['revoked', 'revoked'])
      }
    })

    test('the lock that holds longest stands', async (t) => {
      const { store, peer } = await openIn(t, open)
      const { user, profile } = someone()
      const locks = Array.from({ length: 12 }, (_, n) =>
        aLock({ kind: 'user', name: user }, { until: NOW + HOUR + ((n * 5) % 12), by: `user${n}` }),
      )
      const [longest] = locks.toSorted((a, b) => b.until - a.until)

      const answers = await Promise.all(
        either(store, peer, 12, (handle, n) => handle.lock(locks[n]!, WAITING)),
      )

      assert.ok(answers.every((lock, n) => lock.until >= locks[n]!.until))
      const { locks: held } = await store.look({ user, profile }, WAITING)
      assert.deepEqual(
        held.filter(({ scope }) => scope.kind === 'user'),
        [longest],
      )
      await store.unlock({ kind: 'user', name: user }, WAITING)
    })
  })

  test('does nothing for a caller who no longer waits', async (t) => {
    const { store } = await openIn(t, open)
    const { user, profile, ...session } = aSession()
    const { id } = session
    const scope = { kind: 'user', name: user } as const
    await store.create({ ...session, user, profile }, WAITING)
    const before = await store.get(id, WAITING)
    const gone = AbortSignal.abort(new Error('nobody waits'))
    const other = aSession()

    const calls = {
      create: store.create(other, gone),
      touch: store.touch(id, progress(1), NOW, gone),
      settle: store.settle(id, progress(1), NOW, gone),
      end: store.end(id, progress(1), END, gone),
      look: store.look({ id, user, profile }, gone),
      get: store.get(id, gone),
      find: store.find(id, gone),
      list: collect(store.list({ user, which: 'all' }, gone)),
      revoke: store.revoke(id, { at: NOW, by: 'bob', reason: 'incident' }, gone),
      lock: store.lock(aLock(scope), gone),
      unlock: store.unlock(scope, gone),
      locks: store.locks(gone),
    }
    const answers = await Promise.allSettled(Object.values(calls))
    for (const [n, name] of Object.keys(calls).entries()) {
      const answer = answers[n]
      const code = answer?.status === 'rejected' && answer.reason.code
      assert.equal(code, 'STORE_UNAVAILABLE', name)
    }

    assert.deepEqual(await store.get(id, WAITING), before)
    assert.equal(await store.get(other.id, WAITING), undefined)
    const { locks } = await store.look({ user, profile }, WAITING)
    assert.ok(!locks.some((lock) => lock.scope.kind === 'user'))
  })
}

/** Starts `count` calls on both handles in turn, as two processes would. */
function either<Answer>(
  store: SessionStore,
  peer: SessionStore,
  count: number,
  call: (handle: SessionStore, n: number) => Promise<Answer>,
): Promise<Answer>[] {
  return Array.from({ length: count }, (_, n) => call(n % 2 === 0 ? store : peer, n))
}

/** The highest of the counts from 1 on that were written. */
function lastWritten(outcomes: readonly WriteOutcome[]): number {
  return outcomes.lastIndexOf('written') + 1
}
