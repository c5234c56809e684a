import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AccessRequest, AccessRequestId } from '../../src/domain/access-request.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { RequestQuery } from '../../src/ports/request-store.ts'
import {
  aParty,
  aRequest,
  aReview,
  filed,
  listed,
  type OpenRequestStoreUnderTest,
  sorted,
} from './request-under-test.ts'
import { aNotification, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const DAY = 24 * HOUR
const ACT = { at: NOW + MINUTE, by: 'alice', reason: 'done' }

/** The part of the contract that tables of requests are made of, and grants are found by. */
export function testRequestList(open: OpenRequestStoreUnderTest): void {
  suite('list', () => {
    test('gives whole requests with all that came of them, the newest first', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const requester = aParty()
      const ages = [3 * DAY, 0, 40 * DAY, 1, DAY, 60 * DAY]
      const requests = ages.map((age) => aRequest({ requester, createdAt: NOW - age }))
      for (const request of requests) await store.create(request, [aNotification()], WAITING)
      const [reviewed, cancelled, revoked] = requests
      const reviews = [1, 2, 3].map((n) => aReview(reviewed!, { at: reviewed!.createdAt + n }))
      for (const review of reviews) await store.review(review, [], WAITING)
      await store.cancel(cancelled!.id, ACT, [], WAITING)
      await store.revoke(revoked!.id, ACT, [], WAITING)

      const results = [
        { request: reviewed!, reviews },
        { ...filed(cancelled!), cancelled: ACT },
        { ...filed(revoked!), revoked: ACT },
        ...requests.slice(3).map(filed),
      ]
      const newestFirst = results.toSorted((a, b) => b.request.createdAt - a.request.createdAt)
      await eventually(place, async () => {
        const found = await listed(place.peer, { person: requester.person, which: 'all' })
        assert.deepEqual(found.map(sorted), newestFirst)
      })
    })

    test('combines its filters', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const alice = aParty()
      const { person } = alice
      const { profile } = aRequest()
      const create = async (overrides: Partial<AccessRequest>, age: number) => {
        const request = aRequest({ ...overrides, createdAt: NOW - age })
        await store.create(request, [], WAITING)
        return request.id
      }
      const mine = { requester: alice, profile }
      const open_ = await create(mine, 0)
      const settled = await create(mine, 1)
      const cancelled = await create(mine, 2)
      const elsewhere = await create({ requester: alice }, 3)
      const another = await create({ profile }, 4)
      const automatic = await create({ ...mine, isAutomatic: true }, 5)
      // However old: somebody has to notice that it expired.
      const earlier = await create(mine, 3 * DAY)
      await store.settle(settled, [], WAITING)
      await store.cancel(cancelled, ACT, [], WAITING)

      const cases: [RequestQuery, AccessRequestId[]][] = [
        [{ person, which: 'all' }, [open_, settled, cancelled, elsewhere, automatic, earlier]],
        [{ person, which: 'undecided' }, [open_, elsewhere, earlier]],
        [{ profile, which: 'all' }, [open_, settled, cancelled, another, automatic, earlier]],
        [{ profile, which: 'undecided' }, [open_, another, earlier]],
        [{ person, profile, which: 'all' }, [open_, settled, cancelled, automatic, earlier]],
        [{ person, profile, which: 'undecided' }, [open_, earlier]],
        [{ person, since: NOW - 3, which: 'undecided' }, [open_, elsewhere]],
        [{ person, since: NOW - 2, which: 'undecided' }, [open_]],
        [{ profile, since: NOW - 1, which: 'all' }, [open_, settled]],
        [{ person, profile, since: NOW, which: 'undecided' }, [open_]],
        [{ person, profile: aRequest().profile, which: 'all' }, []],
        [{ person: person.toUpperCase(), which: 'all' }, []],
        [{ person: person.slice(0, -1), which: 'all' }, []],
      ]
      for (const [query, expected] of cases) {
        await eventually(place, async () => {
          const ids = (await listed(store, query)).map(({ request }) => request.id)
          assert.deepEqual(ids, expected, JSON.stringify(query))
        })
      }
    })

    test('lists without a filter, among whatever else there is', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const requests = [0, 1, 2, DAY].map((age) => aRequest({ createdAt: NOW - age }))
      for (const request of requests) await store.create(request, [aNotification()], WAITING)
      await store.review(aReview(requests[0]!), [aNotification()], WAITING)
      await store.settle(requests[1]!.id, [aNotification()], WAITING)

      const ids = requests.map(({ id }) => id)
      const ours = async (query: RequestQuery) => {
        const all = await listed(store, query)
        return all.map(({ request }) => request.id).filter((id) => ids.includes(id))
      }
      await eventually(place, async () => {
        const since = NOW - 2
        assert.deepEqual(await ours({ since, which: 'all' }), ids.slice(0, 3))
        assert.deepEqual(await ours({ since, which: 'undecided' }), [ids[0], ids[2]])
        assert.deepEqual(await ours({ since: NOW - DAY, which: 'all' }), ids)
      })
    })

    test('shows a request no longer among the undecided that was revoked', async (t) => {
      const place = await openIn(t, open)
      const request = aRequest()
      await place.store.create(request, [], WAITING)
      await place.store.revoke(request.id, ACT, [], WAITING)

      const { person } = request.requester
      await eventually(place, async () => {
        assert.equal((await listed(place.store, { person, which: 'all' })).length, 1)
        assert.deepEqual(await listed(place.store, { person, which: 'undecided' }), [])
      })
    })

    test('pages through what no page holds, each request once', async (t) => {
      const place = await openIn(t, open)
      const [requester, { profile }] = [aParty(), aRequest()]
      // Many in the same millisecond: where a page ends, the time alone says too little.
      const requests = Array.from({ length: 450 }, (_, n) =>
        aRequest({
          requester,
          createdAt: NOW - Math.floor(n / 120),
          ...(n % 11 === 0 && { profile }),
        }),
      )
      await inTurns(requests, (request) => place.store.create(request, [], WAITING))

      await eventually(place, async () => {
        const seen: number[] = []
        const ids = new Set<AccessRequestId>()
        let last = Number.POSITIVE_INFINITY
        const query = { person: requester.person, profile, which: 'undecided' } as const
        for await (const { request } of place.store.list(query, WAITING, (n) => seen.push(n))) {
          assert.ok(request.createdAt <= last)
          last = request.createdAt
          ids.add(request.id)
        }
        const expected = requests.filter((request) => request.profile === profile)
        assert.deepEqual(ids, new Set(expected.map(({ id }) => id)))
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        )
        assert.ok(seen.at(-1)! >= ids.size, `${seen.at(-1)} seen`)
        const all = await listed(place.store, { person: requester.person, which: 'all' })
        assert.equal(all.length, 450)
      })
    })

    test('can be left in the middle, and holds up nothing then or meanwhile', async (t) => {
      const place = await openIn(t, open)
      const requester = aParty()
      const requests = [3, 2, 1].map((age) => aRequest({ requester, createdAt: NOW - age }))
      for (const request of requests) await place.store.create(request, [], WAITING)
      const another = aRequest()

      await eventually(place, async () => {
        const ids: AccessRequestId[] = []
        const query = { person: requester.person, which: 'undecided' } as const
        for await (const { request } of place.store.list(query, WAITING)) {
          ids.push(request.id)
          await place.peer.create(another, [], WAITING)
          break
        }
        assert.deepEqual(ids, [requests.at(-1)!.id])
      })
      assert.equal(await place.store.settle(another.id, [], WAITING), true)
    })
  })
}

/** Does it for all `items`, 20 at a time. */
async function inTurns<Item>(items: Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await act(item)
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}
