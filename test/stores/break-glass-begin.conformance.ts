import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BreakGlassHistory } from '../../src/domain/break-glass.ts'
import { assertAdmitted } from '../../src/domain/break-glass-admission.ts'
import { HOUR } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import type { BreakGlassStore } from '../../src/ports/break-glass-store.ts'
import {
  admitAll,
  admitNobody,
  anEvent,
  aProfile,
  aReview,
  begun,
  byId,
  historyFor,
  news,
  type OpenBreakGlassUnderTest,
  REFUSAL,
  waiting,
} from './break-glass-under-test.ts'
import { aParty, byAnotherSet, sha256 } from './request-under-test.ts'
import { eventually, NOW, openIn, WAITING } from './store-under-test.ts'

const DAY = 24 * HOUR

/** What an event is held against when it begins, alone or among others. */
export function testBegin(open: OpenBreakGlassUnderTest): void {
  suite('begin', () => {
    testOne(open)
    testHistory(open)
    testRaces(open)
  })
}

function testOne(open: OpenBreakGlassUnderTest): void {
  test('keeps all that there is to say about an event', async (t) => {
    const { store, peer } = await openIn(t, open)
    const full = anEvent()
    const { reviewWithin: _, ...bare } = anEvent({ duration: 900, reasonCode: 'other' })

    for (const event of [full, bare]) {
      await store.begin(event, admitAll, [], WAITING)

      assert.deepEqual(await peer.get(event.id, WAITING), { event, reviews: [] })
    }
  })

  test('writes nothing of what is not admitted, and says why', async (t) => {
    const place = await openIn(t, open)
    const [event, announced] = [anEvent(), news()]

    const begin = place.store.begin(event, admitNobody, [announced], WAITING)

    await assert.rejects(begin, (error) => error === REFUSAL)
    assert.equal(await place.peer.get(event.id, WAITING), undefined)
    assert.deepEqual(await historyFor(place.peer, event), { ofPerson: [], ofProfile: [] })
    await begun(place.store)
    assert.deepEqual(await waiting(place.store, [announced]), [])
  })

  test('announces with the event, or does not begin it', async (t) => {
    const place = await openIn(t, open)
    const [announced, other] = [news(), news()]
    await place.store.begin(anEvent(), admitAll, [announced], WAITING)
    const event = anEvent()

    const begin = place.store.begin(event, admitAll, [other, announced], WAITING)

    await assert.rejects(begin, { code: 'STORE_INVALID' })
    assert.equal(await place.store.get(event.id, WAITING), undefined)
    assert.deepEqual(await historyFor(place.peer, event), { ofPerson: [], ofProfile: [] })
    await eventually(place, async () => {
      assert.deepEqual(await waiting(place.store, [announced, other]), [announced.id])
    })
  })

  test('begins the very same event once, whatever is said the second time', async (t) => {
    const place = await openIn(t, open)
    const [event, announced] = [anEvent(), news()]
    await place.store.begin(event, admitAll, [announced], WAITING)

    await place.peer.begin(event, admitNobody, [announced], WAITING)

    assert.deepEqual(await place.store.get(event.id, WAITING), { event, reviews: [] })
    assert.equal(
      (await historyFor(place.peer, { ...anEvent(), profile: event.profile })).ofProfile.length,
      1,
    )
    await eventually(place, async () => {
      assert.deepEqual(await waiting(place.store, [announced]), [announced.id])
    })
  })

  test('never puts an event in the place of another', async (t) => {
    const { store, peer } = await openIn(t, open)
    const event = await begun(store)

    const other = { ...event, justification: 'something else altogether' }
    await assert.rejects(peer.begin(other, admitAll, [], WAITING), { code: 'BREAK_GLASS_EXISTS' })

    assert.deepEqual(await store.get(event.id, WAITING), { event, reviews: [] })
  })
}

function testHistory(open: OpenBreakGlassUnderTest): void {
  test("shows the person's events on any profile, and everybody's on this one", async (t) => {
    const { store, peer } = await openIn(t, open)
    const [alice, bob, profile] = [aParty(), aParty(), aProfile()]
    const here = await begun(store, { invoker: alice, profile })
    const elsewhere = await begun(peer, { invoker: alice })
    const others = await begun(store, { invoker: bob, profile })
    await begun(store, { invoker: bob })
    // Another permission set is another principal: the same person.
    const asDeveloper = await begun(peer, { invoker: byAnotherSet(alice), profile: `${profile}-2` })

    const history = await historyFor(store, anEvent({ invoker: alice, profile }))

    const filed = [here, elsewhere, asDeveloper].map((event) => ({ event, reviews: [] }))
    assert.deepEqual(history.ofPerson, byId(filed))
    assert.deepEqual(
      history.ofProfile,
      byId([here, others].map((event) => ({ event, reviews: [] }))),
    )
  })

  test('shows how events ended, and their reviews', async (t) => {
    const place = await openIn(t, open)
    const event = await begun(place.store)
    const closed = { at: NOW + HOUR / 2, by: 'alice', reason: 'fixed' }
    const review = aReview(event)
    await place.store.close(event.id, closed, [], WAITING)
    await place.store.review(review, [], WAITING)

    const { invoker, profile } = event
    const filed = { event, closed, reviews: [review] }
    await eventually(place, async () => {
      const history = await historyFor(place.peer, anEvent({ invoker, profile }))
      assert.deepEqual(history, { ofPerson: [filed], ofProfile: [filed] })
    })
  })

  test('looks back 31 days and at what is open, and ahead, as clocks differ', async (t) => {
    const { store, peer } = await openIn(t, open)
    const [invoker, profile] = [aParty(), aProfile()]
    const at = (startedAt: number) => begun(store, { invoker, profile, startedAt })
    const ancient = await at(NOW - 40 * DAY)
    const forgotten = await at(NOW - 31 * DAY - 1)
    const counted = await at(NOW - 31 * DAY)
    const ahead = await at(NOW + 1000)
    for (const { id } of [forgotten, counted, ahead]) await store.settle(id, WAITING)

    const { ofPerson, ofProfile } = await historyFor(peer, anEvent({ invoker, profile }))

    const expected = byId([ancient, counted, ahead].map((event) => ({ event, reviews: [] })))
    assert.deepEqual(ofPerson, expected)
    assert.deepEqual(ofProfile, expected)
  })
}

function testRaces(open: OpenBreakGlassUnderTest): void {
  const firstOf = (list: keyof BreakGlassHistory) => (history: BreakGlassHistory) => {
    if (history[list].length > 0) throw REFUSAL
  }

  for (const [subject, list] of [
    ['person', 'ofPerson'],
    ['profile', 'ofProfile'],
  ] as const) {
    test(`one of 64 at the same time begins, where one is admitted a ${subject}`, async (t) => {
      const place = await openIn(t, open)
      const [invoker, profile] = [aParty(), aProfile()]
      const events = Array.from({ length: 64 }, () =>
        anEvent(subject === 'person' ? { invoker } : { profile }),
      )
      const announced = events.map(() => news())

      const answers = await Promise.allSettled(
        events.map((event, n) =>
          either(place, n).begin(event, firstOf(list), [announced[n]!], WAITING),
        ),
      )

      const winner = answers.findIndex(({ status }) => status === 'fulfilled')
      const winning = events[winner]
      assert.ok(winning)
      for (const [n, answer] of answers.entries()) {
        if (n !== winner) assert.ok(answer.status === 'rejected' && answer.reason === REFUSAL)
      }
      const { [list]: found } = await historyFor(place.peer, anEvent({ invoker, profile }))
      assert.deepEqual(found, [{ event: winning, reviews: [] }])
      await eventually(place, async () => {
        assert.deepEqual(await waiting(place.store, announced), [announced[winner]?.id])
      })
    })
  }

  test('each of several at the same time is shown those before it', async (t) => {
    const place = await openIn(t, open)
    const [invoker, profile] = [aParty(), aProfile()]
    const events = Array.from({ length: 6 }, () => anEvent({ invoker, profile }))

    const seen = await Promise.all(
      events.map(async (event, n) => {
        let count = -1
        const look = ({ ofPerson, ofProfile }: BreakGlassHistory) => {
          count = ofPerson.length
          assert.equal(ofProfile.length, count)
        }
        await either(place, n).begin(event, look, [], WAITING)
        return count
      }),
    )

    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
    )
  })

  test('keeps a rule among people who all invoke it at the same time', async (t) => {
    const place = await openIn(t, open)
    const [people, profiles] = [
      [aParty(), aParty(), aParty()],
      [aProfile(), aProfile()],
    ]
    const rule = {
      name: 'on-call',
      profiles: ['prod *'],
      users: [],
      reasonCodes: [],
      maxPerProfile: { count: 2, window: 24 * 3600 },
      blockWhenOverdue: false,
      overridesDeny: false,
    } as const
    const events = people.flatMap((invoker) =>
      profiles.flatMap((profile) =>
        Array.from({ length: 4 }, (_, n) => anEvent({ invoker, profile, startedAt: NOW + n })),
      ),
    )

    const answers = await Promise.allSettled(
      events.map((event, n) => {
        const when = { now: event.startedAt, digest: sha256 }
        const admit = (history: BreakGlassHistory) => assertAdmitted(event, history, rule, when)
        return either(place, n).begin(event, admit, [], WAITING)
      }),
    )

    const began = events.filter((_, n) => answers[n]?.status === 'fulfilled')
    const pairs = new Set(began.map(({ invoker, profile }) => `${invoker.person} ${profile}`))
    assert.equal(pairs.size, began.length)
    for (const profile of profiles) {
      assert.equal(began.filter((event) => event.profile === profile).length, 2)
    }
    for (const answer of answers) {
      const isExpected =
        answer.status === 'fulfilled' ||
        hasCode(answer.reason, 'BREAK_GLASS_LIVE', 'BREAK_GLASS_REFUSED')
      assert.ok(isExpected)
    }
  })
}

function either(
  { store, peer }: { readonly store: BreakGlassStore; readonly peer: BreakGlassStore },
  n: number,
): BreakGlassStore {
  return n % 2 === 0 ? store : peer
}
