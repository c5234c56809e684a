import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sweepBreakGlass, sweepRequests } from '../../src/app/sweep-events.ts'
import {
  type BreakGlassEvent,
  type BreakGlassId,
  eventReviewText,
  eventText,
} from '../../src/domain/break-glass.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { Outbox } from '../../src/ports/outbox.ts'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { aTellingPolicy } from '../fixtures/outboxes.ts'
import { aPolicy, aPrincipal, NOON, PROD } from '../fixtures/policies.ts'
import {
  anId,
  aRequest,
  aReview,
  aStoreOfStatuses,
  aStoreWith,
  differently,
  sha256,
  theParty,
  WAITING,
} from '../fixtures/requests.ts'

const DAY = 24 * HOUR
const NEVER = NOON + 3650 * DAY

/** What sweeps at `at`. */
function aSweep<Store>(store: Store, at = NOON) {
  const clock = new FakeClock(at)
  let count = 0
  const newId = () => {
    count += 1
    return `${at}-${count}`
  }
  return { store, policy: aTellingPolicy(), clock, digest: sha256, newId }
}

/** What was queued: `request.expired expired` and so on, sorted. */
async function told(outbox: Outbox): Promise<readonly string[]> {
  const queued = await outbox.due(NEVER, 100, WAITING)
  return queued.map(({ event, fields }) => `${event} ${fields.profile}`).toSorted()
}

suite('a sweep of requests', () => {
  test('announces what expired, and nothing else', async () => {
    const store = await aStoreOfStatuses()
    assert.equal(await sweepRequests(aSweep(store)), 1)
    const [queued, ...others] = await store.due(NEVER, 100, WAITING)
    assert.deepEqual(others, [])
    const { event, at, target, fields } = queued ?? assert.fail('nothing was queued')
    assert.equal(event, 'request.expired')
    assert.equal(at, NOON - HOUR)
    assert.deepEqual(target, { kind: 'webhook', address: aTellingPolicy().notify[0]?.webhook })
    assert.equal(fields.requester, 'alice')
    assert.equal(fields.profile, 'expired')
  })

  test('takes what was decided off the undecided ones', async () => {
    const store = await aStoreOfStatuses()
    await sweepRequests(aSweep(store))
    const left = await collect(store.list({ which: 'undecided' }, WAITING))
    assert.deepEqual(
      left.map(({ request: { profile } }) => profile),
      ['pending'],
    )
  })

  test('announces each once, however many sweep and how often', async () => {
    const requests = [1, 2, 3].map((hours) =>
      aRequest({
        id: anId(`b${'b'.repeat(hours)}`),
        profile: `p${hours}`,
        createdAt: NOON - DAY - hours * HOUR,
      }),
    )
    const store = await aStoreWith(...requests)
    const counts = await Promise.all(
      [0, 1, 2].map((offset) => sweepRequests(aSweep(store, NOON + offset))),
    )
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      3,
    )
    assert.equal(await sweepRequests(aSweep(store, NOON + DAY)), 0)
    assert.deepEqual(
      await told(store),
      [1, 2, 3].map((hours) => `request.expired p${hours}`),
    )
  })

  test('leaves one alone whose last review may not be in sight yet', async () => {
    const request = aRequest({ createdAt: NOON - DAY })
    const store = await aStoreWith(request)
    assert.equal(await sweepRequests(aSweep(store, NOON + MINUTE - 1)), 0)
    await store.review(aReview(request, { at: NOON - 1 }), [], WAITING)
    assert.equal(await sweepRequests(aSweep(store, NOON + MINUTE)), 0)
    assert.deepEqual(await told(store), [])
  })

  test('settles what nobody is to be told of', async () => {
    const store = await aStoreOfStatuses()
    await sweepRequests({ ...aSweep(store), policy: aPolicy() })
    assert.deepEqual(await told(store), [])
    assert.equal(await sweepRequests(aSweep(store)), 0)
  })

  test('cut off by a silent store, goes on the next time', async () => {
    const whole = await aStoreOfStatuses()
    const silent = new SentinelError('STORE_UNAVAILABLE', 'no answer')
    const store = differently(whole, { settle: () => Promise.reject(silent) })
    await assert.rejects(sweepRequests(aSweep(store)), silent)
    assert.equal(await sweepRequests(aSweep(whole)), 1)
  })

  test('says how many it looked at', async () => {
    const seen: number[] = []
    await sweepRequests(aSweep(await aStoreOfStatuses()), (count) => seen.push(count))
    assert.ok((seen.at(-1) ?? 0) > 0)
  })
})

suite('a sweep of break-glass events', () => {
  test('announces once that an event ran out, and once that its review is overdue', async () => {
    const store = await aStoreWithEvent()
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + HOUR - 1)), 0)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + HOUR)), 1)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 2 * HOUR)), 0)
    assert.deepEqual(await told(store), ['break_glass.expired prod'])

    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 3 * DAY + HOUR - 1)), 0)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 3 * DAY + HOUR)), 1)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 9 * DAY)), 0)
    assert.deepEqual(await told(store), ['break_glass.expired prod', 'break_glass.overdue prod'])
    const [expired, overdue] = await store.due(NEVER, 9, WAITING)
    assert.equal(expired?.at, NOON + HOUR)
    assert.equal(overdue?.at, NOON + 3 * DAY + HOUR)
  })

  test('announces both, when nobody swept in time', async () => {
    const store = await aStoreWithEvent()
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 9 * DAY)), 2)
  })

  test('leaves it to who closed one to say so, and tells when the review is overdue', async () => {
    const store = await aStoreWithEvent()
    await store.close(ID, { at: NOON + MINUTE, by: 'alice' }, [], WAITING)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 2 * HOUR)), 0)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 9 * DAY)), 1)
    assert.deepEqual(await told(store), ['break_glass.overdue prod'])
  })

  test('takes what was reviewed off the open ones, and is never overdue then', async () => {
    const store = await aStoreWithEvent()
    const review = {
      eventId: ID,
      reviewer: theParty(aPrincipal('carol')),
      outcome: 'justified',
      at: NOON + 2 * HOUR,
      comment: 'the pager said so',
      eventHash: sha256(eventText(anEvent())),
    } as const
    await store.review({ ...review, seal: sha256(eventReviewText(review)) }, [], WAITING)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 9 * DAY)), 1)
    assert.deepEqual(await told(store), ['break_glass.expired prod'])
    assert.deepEqual(await collect(store.list({ which: 'open' }, WAITING)), [])
  })

  test('takes what need not be reviewed off the open ones', async () => {
    const { reviewWithin: _, ...event } = anEvent()
    const store = await aStoreWithEvent(event)
    assert.equal(await sweepBreakGlass(aSweep(store, NOON + 9 * DAY)), 1)
    assert.deepEqual(await collect(store.list({ which: 'open' }, WAITING)), [])
  })

  test('announces each once, when several sweep at the same time', async () => {
    const store = await aStoreWithEvent()
    const sweeps = [0, 1, 2, 3].map((offset) => aSweep(store, NOON + 9 * DAY + offset))
    const counts = await Promise.all(sweeps.map((sweep) => sweepBreakGlass(sweep)))
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      2,
    )
    assert.equal((await told(store)).length, 2)
  })
})

const ID = 'mzxw6ytboi3damrqgaya' as BreakGlassId

/** Alice broke the glass of prod at noon, for an hour, to be reviewed within three days. */
function anEvent(): BreakGlassEvent {
  return {
    id: ID,
    invoker: theParty(aPrincipal()),
    profile: 'prod',
    roleArn: PROD,
    reasonCode: 'incident',
    justification: 'the database is down, pager 4711',
    duration: 3600,
    rule: 'on-call',
    startedAt: NOON,
    reviewWithin: (3 * DAY) / 1000,
  }
}

async function aStoreWithEvent(event = anEvent()): Promise<MemoryBreakGlassStore> {
  const store = new MemoryBreakGlassStore()
  await store.begin(event, () => {}, [], WAITING)
  return store
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
