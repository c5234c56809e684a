import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { requestState } from '../../src/domain/access-request.ts'
import type { Notification } from '../../src/domain/notification.ts'
import { MINUTE } from '../../src/domain/time.ts'
import type { RequestStore } from '../../src/ports/request-store.ts'
import {
  aParty,
  aRequest,
  aReview,
  filed,
  listed,
  type OpenRequestStoreUnderTest,
  type RequestStoreUnderTest,
  sha256,
  waiting,
} from './request-under-test.ts'
import { aNotification, collect, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

/** What holds when several processes act at once, and when one of them gives up. */
export function testRequestConcurrency(open: OpenRequestStoreUnderTest): void {
  suite('at once', () => {
    test('one of several requests gets an id, and is the one announced', async (t) => {
      const place = await openIn(t, open)
      const { id } = aRequest()
      const requests = Array.from({ length: 10 }, () => aRequest({ id }))
      const news = requests.map(() => aNotification())

      const answers = await Promise.allSettled(
        either(place, 10, (handle, n) => handle.create(requests[n]!, [news[n]!], WAITING)),
      )

      const winner = answers.findIndex(({ status }) => status === 'fulfilled')
      const codes = answers.map((answer) =>
        answer.status === 'rejected' ? answer.reason.code : 'created',
      )
      const expected = requests.map((_, n) => (n === winner ? 'created' : 'REQUEST_EXISTS'))
      assert.deepEqual(codes, expected)
      assert.deepEqual(await place.store.get(id, WAITING), filed(requests[winner]!))
      await assertAnnounced(place, news, [winner])
    })

    test('the same request made many times is made and announced once', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      const news = Array.from({ length: 10 }, () => aNotification())

      await Promise.all(
        either(place, 10, (handle, n) => handle.create(request, [news[n]!], WAITING)),
      )

      await eventually(place, async () => {
        assert.equal((await waiting(place.store, news)).length, 1)
      })
    })

    test('a decision made many times by one person is one decision', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      const reviewer = aParty('bob')
      const news = Array.from({ length: 10 }, () => aNotification())
      const reviews = news.map((_, n) =>
        aReview(request, {
          reviewer,
          at: NOW + MINUTE + n,
          verdict: n % 3 === 0 ? 'deny' : 'approve',
        }),
      )
      await place.store.create(request, [], WAITING)

      const answers = await Promise.all(
        either(place, 10, (handle, n) => handle.review(reviews[n]!, [news[n]!], WAITING)),
      )

      const winner = answers.indexOf('written')
      const expected = reviews.map((_, n) => (n === winner ? 'written' : reviews[winner]))
      assert.deepEqual(answers, expected)
      await eventually(place, async () => {
        const found = await place.store.get(request.id, WAITING)
        assert.deepEqual(found?.reviews, [reviews[winner]])
      })
      await assertAnnounced(place, news, [winner])
    })

    test('two approvers need no transaction, and a deny among them ends it', async (t) => {
      const place = await openIn(t, open)
      const verdicts = ['approve', 'approve', 'deny'] as const
      const [approved, denied] = [aRequest({ required: 2 }), aRequest({ required: 2 })]
      for (const request of [approved, denied]) await place.store.create(request, [], WAITING)

      await Promise.all(
        either(place, 5, (handle, n) => {
          const request = n < 2 ? approved : denied
          const verdict = n < 2 ? 'approve' : verdicts[n - 2]!
          return handle.review(aReview(request, { verdict }), [], WAITING)
        }),
      )

      await eventually(place, async () => {
        const status = async ({ id }: typeof approved) => {
          const found = await place.store.get(id, WAITING)
          return found && requestState(found, sha256, NOW + 2 * MINUTE).status
        }
        assert.equal(await status(approved), 'approved')
        assert.equal(await status(denied), 'denied')
      })
    })

    for (const verb of ['cancel', 'revoke'] as const) {
      test(`one of several that ${verb} stands, and is the one announced`, async (t) => {
        const place = await openIn(t, open)
        const request = aRequest()
        const news = Array.from({ length: 10 }, () => aNotification())
        const acts = news.map((_, n) => ({ at: NOW + n, by: `user${n}`, reason: `reason ${n}` }))
        await place.store.create(request, [], WAITING)

        const answers = await Promise.all(
          either(place, 10, (handle, n) => handle[verb](request.id, acts[n]!, [news[n]!], WAITING)),
        )

        const winner = answers.indexOf('written')
        assert.deepEqual(
          answers,
          acts.map((_, n) => (n === winner ? 'written' : 'already')),
        )
        const found = await place.peer.get(request.id, WAITING)
        assert.deepEqual(found?.[verb === 'cancel' ? 'cancelled' : 'revoked'], acts[winner])
        await assertAnnounced(place, news, [winner])
      })
    }

    test('the first that settles is the only one, and announces it', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      const news = Array.from({ length: 10 }, () => aNotification())
      await place.store.create(request, [], WAITING)

      const answers = await Promise.all(
        either(place, 10, (handle, n) => handle.settle(request.id, [news[n]!], WAITING)),
      )

      assert.equal(answers.filter(Boolean).length, 1)
      await assertAnnounced(place, news, [answers.indexOf(true)])
    })
  })

  test('does nothing for a caller who no longer waits', async (t) => {
    const place = await openIn(t, open)
    const { store } = place
    const [request, other, unsaid] = [aRequest(), aRequest(), aNotification()]
    const { id } = request
    const { person } = request.requester
    await store.create(request, [], WAITING)
    const gone = AbortSignal.abort(new Error('nobody waits'))
    const act = { at: NOW, by: 'bob' }

    const calls = {
      create: store.create(other, [unsaid], gone),
      get: store.get(id, gone),
      find: store.find(id, gone),
      review: store.review(aReview(request), [unsaid], gone),
      cancel: store.cancel(id, act, [unsaid], gone),
      revoke: store.revoke(id, act, [unsaid], gone),
      settle: store.settle(id, [unsaid], gone),
      list: collect(store.list({ person, which: 'all' }, gone)),
    }
    const answers = await Promise.allSettled(Object.values(calls))

    for (const [n, name] of Object.keys(calls).entries()) {
      const answer = answers[n]
      const code = answer?.status === 'rejected' && answer.reason.code
      assert.equal(code, 'STORE_UNAVAILABLE', name)
    }
    assert.equal(await store.get(other.id, WAITING), undefined)
    await eventually(place, async () => {
      assert.deepEqual(await listed(store, { person, which: 'undecided' }), [filed(request)])
      assert.deepEqual(await waiting(store, [unsaid]), [])
    })
  })
}

/** Starts `count` calls on both handles in turn, as two processes would. */
function either<Answer>(
  { store, peer }: RequestStoreUnderTest,
  count: number,
  call: (handle: RequestStore, n: number) => Promise<Answer>,
): Promise<Answer>[] {
  return Array.from({ length: count }, (_, n) => call(n % 2 === 0 ? store : peer, n))
}

/** Asserts that of `news` those at `places` wait in the outbox, and no other. */
async function assertAnnounced(
  place: RequestStoreUnderTest,
  news: readonly Notification[],
  places: readonly number[],
): Promise<void> {
  await eventually(place, async () => {
    const expected = places.map((n) => news[n]?.id)
    assert.deepEqual(await waiting(place.store, news), expected)
  })
}
