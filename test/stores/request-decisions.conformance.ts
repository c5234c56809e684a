import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import {
  aParty,
  aRequest,
  aReview,
  byAnotherSet,
  filed,
  type OpenRequestStoreUnderTest,
  sorted,
  waiting,
} from './request-under-test.ts'
import { aNotification, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const ACT = { at: NOW + MINUTE, by: 'os:bob', reason: `it's "gone" 🗝 ${'x'.repeat(185)}` }
const AGAIN = { at: NOW + HOUR, by: 'mallory', reason: 'to be seen' }

/** The part of the contract that is about what comes of a request. */
export function testRequestDecisions(open: OpenRequestStoreUnderTest): void {
  testReviews(open)
  testLatches(open)
  testSettling(open)
}

function testReviews(open: OpenRequestStoreUnderTest): void {
  suite('review', () => {
    test('files one for each UserId, word for word, and leaves the request as it is', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest({ required: 2 })
      const bob = aParty('bob')
      const reviews = [
        aReview(request, { reviewer: bob, comment: `go on, it's "fine" 🗝`, duration: 900 }),
        aReview(request, { reviewer: byAnotherSet(bob), at: NOW + 2 * MINUTE }),
        aReview(request, { verdict: 'deny', at: NOW + 3 * MINUTE, seal: 'f'.repeat(64) }),
      ]
      await place.store.create(request, [], WAITING)

      for (const review of reviews) {
        assert.equal(await place.peer.review(review, [], WAITING), 'written')
      }

      await eventually(place, async () => {
        const found = await place.store.get(request.id, WAITING)
        assert.deepEqual(sorted(found), { request, reviews })
      })
    })

    test('never changes one that was made', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      const first = aReview(request, { comment: 'go on' })
      const { reviewer } = first
      const [announced, unsaid] = [aNotification(), aNotification()]
      await place.store.create(request, [], WAITING)
      await place.store.review(first, [announced], WAITING)

      const deny = aReview(request, { reviewer, verdict: 'deny', at: NOW + HOUR })
      assert.deepEqual(await place.peer.review(deny, [unsaid], WAITING), first)
      assert.deepEqual(await place.peer.review(first, [unsaid], WAITING), first)

      await eventually(place, async () => {
        const found = await place.store.get(request.id, WAITING)
        assert.deepEqual(found?.reviews, [first])
        assert.deepEqual(await waiting(place.store, [announced, unsaid]), [announced.id])
      })
    })

    test('keeps those of one request from those of another', async (t) => {
      const place = await openIn(t, open)
      const [mine, other] = [aRequest(), aRequest()]
      const bob = aParty('bob')
      for (const request of [mine, other]) await place.store.create(request, [], WAITING)
      // Of the hash of the other one: that it does not count is not for the store to see.
      const { requestHash } = aReview(other)
      const reviews = [
        aReview(mine, { reviewer: bob, requestHash }),
        aReview(other, { reviewer: bob }),
      ]
      for (const review of reviews) await place.store.review(review, [], WAITING)

      await eventually(place, async () => {
        const found = [
          await place.store.get(mine.id, WAITING),
          await place.store.get(other.id, WAITING),
        ]
        assert.deepEqual(
          found.map((each) => each?.reviews),
          reviews.map((review) => [review]),
        )
      })
    })

    test('files none that it could not announce', async (t) => {
      const { store, ...place } = await openIn(t, open)
      const [request, announced] = [aRequest(), aNotification()]
      await store.create(request, [announced], WAITING)
      const review = aReview(request)

      await assert.rejects(store.review(review, [announced], WAITING), { code: 'STORE_INVALID' })

      assert.equal(await store.review(review, [aNotification()], WAITING), 'written')
      await eventually(place, async () => {
        assert.deepEqual((await store.get(request.id, WAITING))?.reviews, [review])
      })
    })
  })
}

function testLatches(open: OpenRequestStoreUnderTest): void {
  for (const verb of ['cancel', 'revoke'] as const) {
    const mark = verb === 'cancel' ? 'cancelled' : 'revoked'
    suite(verb, () => {
      test('says who, when and why, and changes nothing the second time', async (t) => {
        const place = await openIn(t, open)
        const { store, peer } = place
        const request = aRequest()
        const [announced, unsaid] = [aNotification(), aNotification()]
        await store.create(request, [], WAITING)

        assert.equal(await peer[verb](request.id, ACT, [announced], WAITING), 'written')
        assert.equal(await store[verb](request.id, AGAIN, [unsaid], WAITING), 'already')

        const found = await store.get(request.id, WAITING)
        assert.deepEqual(found, { ...filed(request), [mark]: ACT })
        await eventually(place, async () => {
          assert.deepEqual(await waiting(store, [announced, unsaid]), [announced.id])
        })
      })

      test('needs no reason', async (t) => {
        const { store } = await openIn(t, open)
        const request = aRequest()
        await store.create(request, [], WAITING)

        await store[verb](request.id, { at: NOW, by: 'alice' }, [], WAITING)

        const found = await store.get(request.id, WAITING)
        assert.deepEqual(found?.[mark], { at: NOW, by: 'alice' })
      })

      test('finds nothing where there is no request, makes none and announces nothing', async (t) => {
        const place = await openIn(t, open)
        const { id } = aRequest()
        const unsaid = aNotification()

        assert.equal(await place.store[verb](id, ACT, [unsaid], WAITING), 'missing')

        assert.equal(await place.store.get(id, WAITING), undefined)
        await eventually(place, async () => {
          assert.deepEqual(await waiting(place.store, [unsaid]), [])
        })
      })

      test('does nothing that it could not announce', async (t) => {
        const { store } = await openIn(t, open)
        const [request, announced] = [aRequest(), aNotification()]
        await store.create(request, [announced], WAITING)

        const answer = store[verb](request.id, ACT, [announced], WAITING)
        await assert.rejects(answer, { code: 'STORE_INVALID' })

        assert.deepEqual(await store.get(request.id, WAITING), filed(request))
      })
    })
  }

  test('a cancellation and a revocation leave each other and the reviews alone', async (t) => {
    const place = await openIn(t, open)
    const request = aRequest()
    const review = aReview(request)
    await place.store.create(request, [], WAITING)
    await place.store.review(review, [], WAITING)

    assert.equal(await place.store.revoke(request.id, ACT, [], WAITING), 'written')
    assert.equal(await place.peer.cancel(request.id, AGAIN, [], WAITING), 'written')

    await eventually(place, async () => {
      const found = await place.peer.get(request.id, WAITING)
      assert.deepEqual(found, { request, reviews: [review], cancelled: AGAIN, revoked: ACT })
    })
  })
}

function testSettling(open: OpenRequestStoreUnderTest): void {
  suite('settle', () => {
    test('is done by the first, who announces it, and changes nothing else', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const request = aRequest()
      const [announced, unsaid] = [aNotification(), aNotification()]
      await store.create(request, [], WAITING)

      assert.equal(await peer.settle(request.id, [announced], WAITING), true)
      assert.equal(await store.settle(request.id, [unsaid], WAITING), false)

      assert.deepEqual(await store.get(request.id, WAITING), filed(request))
      await eventually(place, async () => {
        assert.deepEqual(await waiting(store, [announced, unsaid]), [announced.id])
      })
    })

    test('has nothing to do for what is settled by itself, or is not there', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const [automatic, cancelled] = [aRequest({ isAutomatic: true }), aRequest()]
      const unsaid = aNotification()
      for (const request of [automatic, cancelled]) await store.create(request, [], WAITING)
      await store.cancel(cancelled.id, ACT, [], WAITING)

      for (const { id } of [automatic, cancelled, aRequest()]) {
        assert.equal(await store.settle(id, [unsaid], WAITING), false)
      }

      await eventually(place, async () => {
        assert.deepEqual(await waiting(store, [unsaid]), [])
      })
    })

    test('is not done when it could not be announced', async (t) => {
      const { store } = await openIn(t, open)
      const [request, announced] = [aRequest(), aNotification()]
      await store.create(request, [announced], WAITING)

      const answer = store.settle(request.id, [announced], WAITING)
      await assert.rejects(answer, { code: 'STORE_INVALID' })

      assert.equal(await store.settle(request.id, [], WAITING), true)
    })
  })
}
