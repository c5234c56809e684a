import type { Act } from '../../domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassId,
  type BreakGlassReview,
  eventRemovableAt,
  type FiledEvent,
  isBreakGlassId,
} from '../../domain/break-glass.ts'
import { REASON_CODES } from '../../domain/policy/types.ts'
import type { Instant } from '../../domain/time.ts'
import { type Item, integer, openRow, type Row, text, time } from './attributes.ts'
import { dayPartitionOf } from './day-partitions.ts'
import { partyAttributes, readAuthor } from './party-attributes.ts'

/** The value of `open` while an event is live, or is still to be reviewed. */
export const OPEN_EVENTS = 'event'

/**
 * The key of an event. It names the invoker by what IAM knows as `aws:userid`, so that nobody can
 * be given the right to begin one in another's name.
 */
export function eventKey({ id, invoker }: Pick<BreakGlassEvent, 'id' | 'invoker'>): string {
  return `bg#${invoker.principalId}#${id}`
}

/** The key of a review, which names the reviewer likewise. */
export function eventReviewKey({ eventId, reviewer }: BreakGlassReview): string {
  return `${reviewPrefix(eventId)}${reviewer.principalId}`
}

/** What the keys of all reviews of an event begin with. */
export function reviewPrefix(id: BreakGlassId): string {
  return `bgreview#${id}#`
}

/** The value of `person` under which the reviews of an event are found. */
export function reviewsOf(id: BreakGlassId): string {
  return `review#${id}`
}

/** The row of an event that begins. */
export function toEventItem(event: BreakGlassEvent): Item {
  const { id, invoker, startedAt, reviewWithin } = event
  return {
    id: text(eventKey(event)),
    ...partyAttributes(invoker),
    person: text(invoker.person),
    profile: text(event.profile),
    role_arn: text(event.roleArn),
    reason_code: text(event.reasonCode),
    justification: text(event.justification),
    duration: integer(event.duration),
    rule: text(event.rule),
    started_at: time(startedAt),
    created_at: time(startedAt),
    ...(reviewWithin !== undefined && { review_within: integer(reviewWithin) }),
    open: text(OPEN_EVENTS),
    day: text(dayPartitionOf(startedAt, id)),
    ttl: integer(eventRemovableAt(startedAt)),
  }
}

/** The attributes that closing an event sets, and nothing else does. */
export function closingOf({ at, by, reason }: Act): Item {
  return {
    closed_at: time(at),
    closed_by: text(by),
    ...(reason !== undefined && { closed_reason: text(reason) }),
  }
}

export function toEventReviewItem(review: BreakGlassReview): Item {
  const { eventId, reviewer, at } = review
  return {
    id: text(eventReviewKey(review)),
    ...partyAttributes(reviewer),
    reviewer_person: text(reviewer.person),
    person: text(reviewsOf(eventId)),
    outcome: text(review.outcome),
    comment: text(review.comment),
    event_hash: text(review.eventHash),
    seal: text(review.seal),
    created_at: time(at),
    ttl: integer(eventRemovableAt(at)),
  }
}

/** The event's id in its key; `undefined` for any other key. */
export function eventIdIn(key: string): BreakGlassId | undefined {
  const id = /^bg#[^#]+#([^#]+)$/.exec(key)?.[1]
  return id !== undefined && isBreakGlassId(id) ? id : undefined
}

/** Reads an event's row back, without its reviews. Throws `STORE_INVALID` for any other row. */
export function eventFromItem(item: Item, location: string): Omit<FiledEvent, 'reviews'> {
  const row = openRow(item, location)
  const [, principalId = ''] = row.text('id').split('#')
  const id = eventIdIn(row.text('id'))
  if (!id) throw row.invalid('its id is not that of a break-glass event')
  const reviewWithin = row.optional('review_within', row.integer)
  const closed = readClosing(row)
  const event = {
    id,
    invoker: readAuthor(row, 'person', principalId),
    profile: row.text('profile'),
    roleArn: row.text('role_arn'),
    reasonCode: readReasonCode(row),
    justification: row.text('justification'),
    duration: row.integer('duration'),
    rule: row.text('rule'),
    startedAt: readStart(row),
    ...(reviewWithin !== undefined && { reviewWithin }),
  }
  return { event, ...(closed && { closed }) }
}

/** Reads a review's row back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function eventReviewFromItem(item: Item, location: string): BreakGlassReview {
  const row = openRow(item, location)
  const key = /^bgreview#([^#]+)#([^#]+)$/.exec(row.text('id'))
  const [, eventId = '', principalId = ''] = key ?? []
  if (!isBreakGlassId(eventId)) throw row.invalid('its id is not that of a review')
  return {
    eventId,
    reviewer: readAuthor(row, 'reviewer_person', principalId),
    outcome: readOutcome(row),
    at: row.instant('created_at'),
    comment: row.text('comment'),
    eventHash: row.text('event_hash'),
    seal: row.text('seal'),
  }
}

/** What is sorted by is what is told. */
function readStart(row: Row): Instant {
  const startedAt = row.instant('started_at')
  if (row.instant('created_at') === startedAt) return startedAt
  throw row.invalid('created_at is not started_at')
}

/** Half a latch is none that Sentinel wrote, and must not pass for an open one. */
function readClosing(row: Row): Act | undefined {
  if (!['closed_at', 'closed_by', 'closed_reason'].some((name) => row.has(name))) return undefined
  const reason = row.optional('closed_reason', row.text)
  return {
    at: row.instant('closed_at'),
    by: row.text('closed_by'),
    ...(reason !== undefined && { reason }),
  }
}

function readReasonCode(row: Row): BreakGlassEvent['reasonCode'] {
  const code = row.text('reason_code')
  const known = REASON_CODES.find((one) => one === code)
  if (known) return known
  throw row.invalid(`unknown reason_code ${JSON.stringify(code.slice(0, 40))}`)
}

function readOutcome(row: Row): BreakGlassReview['outcome'] {
  const outcome = row.text('outcome')
  if (outcome === 'justified' || outcome === 'misuse') return outcome
  throw row.invalid(`unknown outcome ${JSON.stringify(outcome.slice(0, 40))}`)
}
