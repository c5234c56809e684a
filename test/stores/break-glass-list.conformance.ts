import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BreakGlassId } from '../../src/domain/break-glass.ts'
import { HOUR } from '../../src/domain/time.ts'
import type { BreakGlassQuery } from '../../src/ports/break-glass-store.ts'
import {
  anEventId,
  aProfile,
  aReview,
  begun,
  type OpenBreakGlassUnderTest,
} from './break-glass-under-test.ts'
import { aParty } from './request-under-test.ts'
import { collect, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const DAY = 24 * HOUR

/** Looking for events: by a part of their id, and in lists. */
export function testList(open: OpenBreakGlassUnderTest): void {
  suite('list', () => {
    test('gives whole events, the newest first, over days', async (t) => {
      const place = await openIn(t, open)
      const { store, peer } = place
      const invoker = aParty()
      const start = (age: number) => begun(store, { invoker, startedAt: NOW - age })
      const [old, newest, oldest, between] = [
        await start(3 * DAY),
        await start(0),
        await start(40 * DAY),
        await start(1),
      ]
      const closed = { at: NOW + 1, by: 'alice' }
      const reviews = [aReview(old, { at: NOW }), aReview(old, { at: NOW + 1 })]
      await store.close(between.id, closed, [], WAITING)
      for (const review of reviews) await store.review(review, [], WAITING)

      await eventually(place, async () => {
        const found = await collect(peer.list({ person: invoker.person, which: 'all' }, WAITING))
        assert.deepEqual(
          found.map(({ reviews, ...filed }) => ({
            ...filed,
            reviews: reviews.toSorted((a, b) => a.at - b.at),
          })),
          [
            { event: newest, reviews: [] },
            { event: between, closed, reviews: [] },
            { event: old, reviews },
            { event: oldest, reviews: [] },
          ],
        )
      })
    })

    test('combines its filters', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const [alice, bob, prod] = [aParty(), aParty(), aProfile()]
      const of = async (invoker: typeof alice, profile: string, age: number) => {
        const { id } = await begun(store, { invoker, profile, startedAt: NOW - age })
        return id
      }
      const mine = await of(alice, prod, 0)
      const settled = await of(alice, prod, 1)
      const closed = await of(alice, prod, 2)
      const elsewhere = await of(alice, aProfile(), 3)
      const others = await of(bob, prod, 4)
      const old = await of(alice, prod, DAY)
      await store.settle(settled, WAITING)
      await store.close(closed, { at: NOW, by: 'alice' }, [], WAITING)

      const { person } = alice
      const cases: [BreakGlassQuery, BreakGlassId[]][] = [
        [{ person, which: 'all' }, [mine, settled, closed, elsewhere, old]],
        [{ person, which: 'open' }, [mine, closed, elsewhere, old]],
        [{ profile: prod, which: 'all' }, [mine, settled, closed, others, old]],
        [{ profile: prod, which: 'open' }, [mine, closed, others, old]],
        [{ person, profile: prod, which: 'all' }, [mine, settled, closed, old]],
        [{ person, profile: prod, which: 'open' }, [mine, closed, old]],
        [{ person, since: NOW - 3, which: 'open' }, [mine, closed, elsewhere]],
        [{ person, since: NOW - 2, which: 'all' }, [mine, settled, closed]],
        [{ profile: prod, since: NOW - 1, which: 'open' }, [mine]],
        [{ person, profile: prod, since: NOW + 1, which: 'all' }, []],
        [{ person, profile: aProfile(), which: 'all' }, []],
        [{ person: person.toUpperCase(), which: 'all' }, []],
        [{ person: person.slice(0, -1), which: 'all' }, []],
      ]
      for (const [query, expected] of cases) {
        await eventually(place, async () => {
          const found = await collect(store.list(query, WAITING))
          const ids = found.map(({ event }) => event.id)
          assert.deepEqual(ids, expected, JSON.stringify(query))
        })
      }
    })

    test('lists without a filter, among whatever else there is', async (t) => {
      const place = await openIn(t, open)
      const { store } = place
      const ages = [0, 1, DAY, 2 * DAY]
      const ids: BreakGlassId[] = []
      for (const age of ages) ids.push((await begun(store, { startedAt: NOW - age })).id)
      await store.settle(ids[1]!, WAITING)

      const ours = async (query: BreakGlassQuery) => {
        const found = await collect(place.peer.list(query, WAITING))
        return found.map(({ event }) => event.id).filter((id) => ids.includes(id))
      }
      await eventually(place, async () => {
        const since = NOW - DAY
        assert.deepEqual(await ours({ since, which: 'all' }), ids.slice(0, 3))
        assert.deepEqual(await ours({ since, which: 'open' }), [ids[0], ids[2]])
        assert.deepEqual(await ours({ which: 'open' }), [ids[0], ids[2], ids[3]])
      })
    })

    test('pages through what no page holds, each event once', async (t) => {
      const place = await openIn(t, open)
      // Many start in the same millisecond: where a page ends, the time alone says too little.
      const ids = new Set<BreakGlassId>()
      const rest = Array.from({ length: 230 }, (_, n) => NOW + Math.floor(n / 100)).values()
      const lane = async () => {
        for (const startedAt of rest) ids.add((await begun(place.store, { startedAt })).id)
      }
      await Promise.all(Array.from({ length: 10 }, lane))

      await eventually(place, async () => {
        const seen: number[] = []
        const found: BreakGlassId[] = []
        let last = Number.POSITIVE_INFINITY
        const query = { since: NOW, which: 'open' } as const
        for await (const { event } of place.peer.list(query, WAITING, (n) => seen.push(n))) {
          assert.ok(event.startedAt <= last)
          last = event.startedAt
          if (ids.has(event.id)) found.push(event.id)
        }
        assert.equal(found.length, 230)
        assert.deepEqual(new Set(found), ids)
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        )
        assert.ok(seen.at(-1)! >= 230, `${seen.at(-1)} seen`)
      })
    })

    test('can be left in the middle, and holds up nothing then or meanwhile', async (t) => {
      const place = await openIn(t, open)
      const invoker = aParty()
      for (const age of [2, 1]) await begun(place.store, { invoker, startedAt: NOW - age })

      await eventually(place, async () => {
        let count = 0
        for await (const _ of place.store.list({ person: invoker.person, which: 'all' }, WAITING)) {
          count += 1
          await begun(place.peer)
          break
        }
        assert.equal(count, 1)
      })
      await begun(place.store)
    })
  })

  suite('find', () => {
    test('gives the ids that begin so, 10 at most', async (t) => {
      const place = await openIn(t, open)
      const prefix = anEventId().slice(0, 12)
      const ids: BreakGlassId[] = []
      for (const letter of 'abyz27') {
        const id = `${prefix}${letter.repeat(8)}` as BreakGlassId
        ids.push((await begun(place.store, { id })).id)
      }

      const find = async (text: string) => [...(await place.peer.find(text, WAITING))].toSorted()
      await eventually(place, async () => {
        assert.deepEqual(await find(prefix), ids.toSorted())
        assert.deepEqual(await find(`${prefix}z`), [ids[3]])
        assert.deepEqual(await find(ids[4]!), [ids[4]])
      })
      assert.deepEqual(await find(`${prefix}q`), [])
      for (const letter of 'cdefgh') {
        await begun(place.store, { id: `${prefix}${letter.repeat(8)}` as BreakGlassId })
      }
      await eventually(place, async () => {
        assert.equal((await find(prefix)).length, 10)
      })
    })
  })
}
