import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Act } from '../../src/domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassReview,
  eventEnd,
  eventRemovableAt,
  eventState,
  eventText,
  type FiledEvent,
  grantOfEvent,
  isBreakGlassId,
} from '../../src/domain/break-glass.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { anEvent, anEventId, aReview } from '../stores/break-glass-under-test.ts'
import { aParty, byAnotherSet, sha256 } from '../stores/request-under-test.ts'
import { NOW } from '../stores/store-under-test.ts'

/** From `NOW`, for an hour, to be reviewed within three days. */
const event = anEvent({ duration: 3600, reviewWithin: 72 * 3600 })
const END = NOW + HOUR
const REVIEW_BY = END + 72 * HOUR
const closed: Act = { at: NOW + 10 * MINUTE, by: 'alice' }

function filed(...reviews: BreakGlassReview[]): FiledEvent {
  return { event, reviews }
}

function statusOf(filed: FiledEvent, now: number): string {
  return eventState(filed, sha256, now).status
}

suite('eventEnd', () => {
  test('is when its time is over, unless it was closed before', () => {
    assert.equal(eventEnd({ event }), END)
    assert.equal(eventEnd({ event, closed }), closed.at)
  })

  test('is 4 hours after its start at the latest, whatever stands in its row', () => {
    assert.equal(eventEnd({ event: { ...event, duration: 30 * 24 * 3600 } }), NOW + 4 * HOUR)
  })

  test('is never put off by closing', () => {
    assert.equal(eventEnd({ event, closed: { ...closed, at: END + 1 } }), END)
  })
})

suite('eventState', () => {
  const review = aReview(event)
  const { reviewWithin: _, ...unchecked } = event
  const cases: [what: string, filed: FiledEvent, now: number, status: string][] = [
    ['live to its last millisecond', filed(), END - 1, 'live'],
    ['to be reviewed from its end on', filed(), END, 'unreviewed'],
    ['to be reviewed from its close on', { ...filed(), closed }, closed.at, 'unreviewed'],
    ['to be reviewed in time', filed(), REVIEW_BY - 1, 'unreviewed'],
    ['overdue from then on', filed(), REVIEW_BY, 'overdue'],
    [
      'overdue the sooner it was closed',
      { ...filed(), closed },
      REVIEW_BY - 50 * MINUTE,
      'overdue',
    ],
    ['reviewed, however late', filed(aReview(event, { at: REVIEW_BY + HOUR })), 9e15, 'reviewed'],
    ['live though somebody reviewed it', filed(review), END - 1, 'live'],
    ['over where nobody wants a review', { event: unchecked, reviews: [] }, 9e15, 'ended'],
  ]
  for (const [what, filed, now, status] of cases) {
    test(`is ${what}`, () => assert.equal(statusOf(filed, now), status))
  }

  test('tells until when to review, and by whom it was first', () => {
    const [late, early] = [aReview(event, { at: END + 2 }), aReview(event, { at: END + 1 })]

    const state = eventState(filed(late, early), sha256, END + HOUR)

    assert.deepEqual(state, {
      status: 'reviewed',
      endsAt: END,
      reviewBy: REVIEW_BY,
      review: early,
    })
  })

  test('counts no review by whoever broke the glass', () => {
    const { invoker } = event
    const reviewers = {
      themselves: invoker,
      'by another permission set': byAnotherSet(invoker),
      'as another person': { ...aParty(), principalId: invoker.principalId },
      'as the same principal': { ...aParty(), principal: invoker.principal },
    }
    for (const [who, reviewer] of Object.entries(reviewers)) {
      assert.equal(statusOf(filed(aReview(event, { reviewer })), END), 'unreviewed', who)
    }
  })

  test('counts no review of which anything was altered', () => {
    const altered: Partial<BreakGlassReview>[] = [
      { eventId: anEventId() },
      ...Object.keys(review.reviewer).map((key) => ({
        reviewer: { ...review.reviewer, [key]: 'mallory' },
      })),
      { outcome: 'misuse' },
      { at: review.at + 1 },
      { comment: `${review.comment} ` },
      { eventHash: sha256('another event') },
      { seal: sha256('nothing') },
    ]
    for (const alteration of altered) {
      const status = statusOf(filed({ ...review, ...alteration }), END)
      assert.equal(status, 'unreviewed', JSON.stringify(alteration))
    }
  })

  test('counts no review of an event that was altered since', () => {
    const altered: Partial<BreakGlassEvent>[] = [
      ...Object.keys(event.invoker).map((key) => ({
        invoker: { ...event.invoker, [key]: 'somebody' },
      })),
      { profile: 'dev' },
      { roleArn: 'arn:aws:iam::444455556666:role/Dev' },
      { reasonCode: 'maintenance' },
      { justification: 'nothing to see here, really' },
      { duration: event.duration - 1 },
      { rule: 'another' },
      { startedAt: NOW - 1 },
      { reviewWithin: 71 * 3600 },
    ]
    for (const alteration of altered) {
      const state = statusOf({ event: { ...event, ...alteration }, reviews: [review] }, END)
      assert.equal(state, 'unreviewed', JSON.stringify(alteration))
    }
  })

  test('counts no review that was filed for another event', () => {
    const another = anEvent({ ...event, id: anEventId() })

    assert.equal(statusOf(filed(aReview(another)), END), 'unreviewed')
    assert.equal(statusOf(filed(aReview(another, { eventId: event.id })), END), 'unreviewed')
  })

  test('is what a naive reading says, at random times', () => {
    for (let seed = 1; seed <= scaled(500); seed += 1) {
      const next = random(seed)
      const around = (at: number) => at + pick(next, [-HOUR, -1, 0, 1, HOUR])
      const isClosed = next() < 0.5
      const reviews = next() < 0.5 ? [aReview(event)] : []
      const some = {
        ...filed(...reviews),
        ...(isClosed && { closed: { ...closed, at: around(END) } }),
      }
      const end = some.closed && some.closed.at < END ? some.closed.at : END
      const now = around(pick(next, [NOW, end, end + 72 * HOUR]))

      const naive =
        now < end
          ? 'live'
          : reviews.length > 0
            ? 'reviewed'
            : now - end >= 72 * HOUR
              ? 'overdue'
              : 'unreviewed'
      assert.equal(statusOf(some, now), naive, `seed ${seed}`)
      const isGranted = grantOfEvent(some, now) !== undefined
      assert.equal(isGranted, naive === 'live' && now >= NOW, `seed ${seed}`)
    }
  })
})

suite('grantOfEvent', () => {
  test('is for the person, the profile and the role, from the start to the end', () => {
    const { id, invoker, profile, roleArn } = event
    const { person } = invoker
    const basis = 'break_glass'
    const grant = { id, basis, person, profile, roleArn, startsAt: NOW, endsAt: END }

    assert.equal(grantOfEvent(filed(), NOW - 1), undefined)
    assert.deepEqual(grantOfEvent(filed(), NOW), grant)
    assert.deepEqual(grantOfEvent(filed(), END - 1), grant)
    assert.equal(grantOfEvent(filed(), END), undefined)
  })

  test('ends with the close', () => {
    const early = { ...filed(), closed }

    assert.equal(grantOfEvent(early, closed.at - 1)?.endsAt, closed.at)
    assert.equal(grantOfEvent(early, closed.at), undefined)
  })
})

suite('break-glass events', () => {
  test('are hashed with all that there is to say about them', () => {
    const text = eventText(event)
    for (const value of Object.values({ ...event, ...event.invoker })) {
      if (typeof value !== 'object') assert.ok(text.includes(JSON.stringify(value)), String(value))
    }
  })

  test('have ids of 20 characters of base32', () => {
    assert.ok(isBreakGlassId('mzxw6ytboi3damrqgaya'))
    for (const text of ['', 'mzxw6', 'mzxw6ytboi3damrqgay1', 'MZXW6YTBOI3DAMRQGAYA']) {
      assert.equal(isBreakGlassId(text), false, text)
    }
  })

  test('are kept for a year after they ended, and their reviews as long', () => {
    const year = 365 * 24 * HOUR

    assert.ok(eventRemovableAt(NOW) * 1000 >= NOW + 4 * HOUR + year)
    assert.ok(eventRemovableAt(NOW + 1000) >= eventRemovableAt(NOW))
  })
})
