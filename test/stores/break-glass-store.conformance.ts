import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { FiledEvent } from '../../src/domain/break-glass.ts'
import { HOUR } from '../../src/domain/time.ts'
import { testBegin } from './break-glass-begin.conformance.ts'
import { testList } from './break-glass-list.conformance.ts'
import {
  admitAll,
  anEvent,
  anEventId,
  aReview,
  begun,
  news,
  type OpenBreakGlassUnderTest,
  waiting,
} from './break-glass-under-test.ts'
import { testOutbox } from './outbox.conformance.ts'
import { aParty, byAnotherSet } from './request-under-test.ts'
import { collect, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const CLOSED = { at: NOW + HOUR / 2, by: 'alice', reason: 'fixed: "db-1" 🗝' }

/** The contract of `BreakGlassStore`, run once for every backend that claims to keep it. */
export function testBreakGlassStore(backend: string, open: OpenBreakGlassUnderTest): void {
  suite(`BreakGlassStore: ${backend}`, () => {
    testBegin(open)
    testClose(open)
    testReview(open)
    testAnnounce(open)
    testSettle(open)
    testList(open)
    testPatience(open)
  })
  testOutbox(`break-glass, ${backend}`, async () => {
    const place = await open()
    const announce = place.store.begin.bind(place.store)
    return {
      ...place,
      announce: (notifications) => announce(anEvent(), admitAll, notifications, WAITING),
    }
  })
}

function testClose(open: OpenBreakGlassUnderTest): void {
  suite('close', () => {
    test('latches the first end, with or without a reason, and announces it', async (t) => {
      const place = await openIn(t, open)
      const { reason: _, ...silent } = CLOSED
      for (const closed of [CLOSED, silent]) {
        const event = await begun(place.store)
        const [first, second] = [news(), news()]

        const word = await place.store.close(event.id, closed, [first], WAITING)
        const again = { at: NOW, by: 'bob', reason: 'me too' }
        const words = [word, await place.peer.close(event.id, again, [second], WAITING)]

        assert.deepEqual(words, ['written', 'already'])
        const found = await place.peer.get(event.id, WAITING)
        assert.deepEqual(found, { event, closed, reviews: [] })
        await eventually(place, async () => {
          assert.deepEqual(await waiting(place.store, [first, second]), [first.id])
        })
      }
    })

    test('is one of several at the same time', async (t) => {
      const { store, peer } = await openIn(t, open)
      const event = await begun(store)

      const words = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          (n % 2 === 0 ? store : peer).close(
            event.id,
            { at: NOW + n, by: `user${n}` },
            [],
            WAITING,
          ),
        ),
      )

      const winner = words.indexOf('written')
      const expected = words.map((_, n) => (n === winner ? 'written' : 'already'))
      assert.deepEqual(words, expected)
      const closed = { at: NOW + winner, by: `user${winner}` }
      assert.deepEqual(await store.get(event.id, WAITING), { event, closed, reviews: [] })
    })

    test('makes nothing where there is no event', async (t) => {
      const place = await openIn(t, open)
      const [id, announced] = [anEventId(), news()]

      assert.equal(await place.store.close(id, CLOSED, [announced], WAITING), 'missing')

      assert.equal(await place.peer.get(id, WAITING), undefined)
      await begun(place.store)
      assert.deepEqual(await waiting(place.store, [announced]), [])
    })
  })
}

function testReview(open: OpenBreakGlassUnderTest): void {
  suite('review', () => {
    test('keeps one of each UserId, as it was first', async (t) => {
      const place = await openIn(t, open)
      const event = await begun(place.store)
      const bob = aParty()
      const first = aReview(event, { reviewer: bob })
      const second = aReview(event, { reviewer: bob, outcome: 'misuse', comment: 'on reflection' })
      const carols = aReview(event, { outcome: 'misuse', at: first.at + 1 })
      const [told, hushed, toldToo] = [news(), news(), news()]

      assert.equal(await place.store.review(first, [told], WAITING), 'written')
      assert.deepEqual(await place.peer.review(second, [hushed], WAITING), first)
      assert.equal(await place.peer.review(carols, [toldToo], WAITING), 'written')

      await eventually(place, async () => {
        const found = await place.store.get(event.id, WAITING)
        assert.deepEqual(inOrder(found), { event, reviews: [first, carols] })
        const ids = await waiting(place.store, [told, hushed, toldToo])
        assert.deepEqual(new Set(ids), new Set([told.id, toldToo.id]))
      })
    })

    test('keeps apart what one person says by two permission sets', async (t) => {
      const place = await openIn(t, open)
      const event = await begun(place.store)
      const bob = aParty()
      const reviews = [
        aReview(event, { reviewer: bob }),
        aReview(event, { reviewer: byAnotherSet(bob), at: NOW + 9 * HOUR }),
      ]

      for (const review of reviews) {
        assert.equal(await place.store.review(review, [], WAITING), 'written')
      }

      await eventually(place, async () => {
        assert.deepEqual(inOrder(await place.peer.get(event.id, WAITING)), { event, reviews })
      })
    })

    test('is one of several that somebody makes at the same time', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const event = await begun(store)
      const reviewer = aParty()
      const reviews = Array.from({ length: 8 }, (_, n) =>
        aReview(event, { reviewer, comment: `said ${n} times` }),
      )

      const words = await Promise.all(
        reviews.map((review, n) => (n % 2 === 0 ? store : peer).review(review, [], WAITING)),
      )

      const winner = words.indexOf('written')
      const expected = words.map((_, n) => (n === winner ? 'written' : reviews[winner]))
      assert.deepEqual(words, expected)
      await eventually(place, async () => {
        const found = await store.get(event.id, WAITING)
        assert.deepEqual(found, { event, reviews: [reviews[winner]] })
      })
    })
  })
}

function testAnnounce(open: OpenBreakGlassUnderTest): void {
  suite('announce', () => {
    test('says each thing once, and whether this was the first', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const event = await begun(store)
      const announced = [news(), news(), news()]
      const [expired, repeated, overdue] = announced as [Announced, Announced, Announced]

      const words = [
        await store.announce(event.id, 'expired', [expired], WAITING),
        await peer.announce(event.id, 'expired', [repeated], WAITING),
        await peer.announce(event.id, 'overdue', [overdue], WAITING),
        await store.announce(event.id, 'overdue', [], WAITING),
      ]

      assert.deepEqual(words, [true, false, true, false])
      assert.deepEqual(await store.get(event.id, WAITING), { event, reviews: [] })
      await eventually(place, async () => {
        const ids = await waiting(store, announced)
        assert.deepEqual(new Set(ids), new Set([expired.id, overdue.id]))
      })
    })

    test('is one of several at the same time', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const event = await begun(store)
      const announced = Array.from({ length: 8 }, () => news())

      const words = await Promise.all(
        announced.map((told, n) =>
          (n % 2 === 0 ? store : peer).announce(event.id, 'expired', [told], WAITING),
        ),
      )

      assert.equal(words.filter(Boolean).length, 1)
      const winner = announced[words.indexOf(true)]
      await eventually(place, async () => {
        assert.deepEqual(await waiting(store, announced), [winner?.id])
      })
    })

    test('makes nothing where there is no event', async (t) => {
      const place = await openIn(t, open)
      const [id, announced] = [anEventId(), news()]

      assert.equal(await place.store.announce(id, 'overdue', [announced], WAITING), false)

      assert.equal(await place.peer.get(id, WAITING), undefined)
      await begun(place.store)
      assert.deepEqual(await waiting(place.store, [announced]), [])
    })
  })
}

type Announced = ReturnType<typeof news>

function testSettle(open: OpenBreakGlassUnderTest): void {
  suite('settle', () => {
    test('takes an event off the open ones for good, and changes nothing else', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const event = await begun(store)
      const { person } = event.invoker
      await store.settle(event.id, WAITING)
      await peer.settle(event.id, WAITING)

      assert.equal(await store.close(event.id, CLOSED, [], WAITING), 'written')
      const review = aReview(event)
      assert.equal(await peer.review(review, [], WAITING), 'written')
      assert.equal(await peer.announce(event.id, 'expired', [], WAITING), true)

      const filed = { event, closed: CLOSED, reviews: [review] }
      await eventually(place, async () => {
        assert.deepEqual(await peer.get(event.id, WAITING), filed)
        assert.deepEqual(await collect(store.list({ person, which: 'all' }, WAITING)), [filed])
        assert.deepEqual(await collect(store.list({ person, which: 'open' }, WAITING)), [])
      })
    })

    test('makes nothing where there is no event', async (t) => {
      const { store, peer } = await openIn(t, open)
      const id = anEventId()

      await store.settle(id, WAITING)

      assert.equal(await peer.get(id, WAITING), undefined)
    })
  })
}

function testPatience(open: OpenBreakGlassUnderTest): void {
  test('does nothing for a caller who no longer waits', async (t) => {
    const { store, peer } = await openIn(t, open)
    const event = await begun(store)
    const gone = AbortSignal.abort(new Error('nobody waits'))
    const other = anEvent()

    const calls = {
      begin: store.begin(other, admitAll, [], gone),
      get: store.get(event.id, gone),
      find: store.find(event.id, gone),
      close: store.close(event.id, CLOSED, [], gone),
      review: store.review(aReview(event), [], gone),
      announce: store.announce(event.id, 'expired', [], gone),
      settle: store.settle(event.id, gone),
      list: collect(store.list({ person: event.invoker.person, which: 'all' }, gone)),
    }
    const answers = await Promise.allSettled(Object.values(calls))

    for (const [n, name] of Object.keys(calls).entries()) {
      const answer = answers[n]
      const code = answer?.status === 'rejected' && answer.reason.code
      assert.equal(code, 'STORE_UNAVAILABLE', name)
    }
    assert.equal(await peer.get(other.id, WAITING), undefined)
    assert.deepEqual(await peer.get(event.id, WAITING), { event, reviews: [] })
    assert.equal(await peer.announce(event.id, 'expired', [], WAITING), true)
  })
}

/** With the reviews in the order that they were made in. */
function inOrder(filed: FiledEvent | undefined): FiledEvent | undefined {
  return filed && { ...filed, reviews: filed.reviews.toSorted((a, b) => a.at - b.at) }
}
