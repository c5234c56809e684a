import type { Act } from '../../domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassId,
  type BreakGlassReview,
  eventRemovableAt,
  type FiledEvent,
  isBreakGlassId,
} from '../../domain/break-glass.ts'
import type { Party } from '../../domain/party.ts'
import { REASON_CODES } from '../../domain/policy/types.ts'
import { toTimestamp } from '../../domain/time.ts'
import { instant, integer, invalid, optional, text } from './columns.ts'
import type { Row } from './connection.ts'

/** An event that begins, as the columns of its row. */
export function toEventRow(event: BreakGlassEvent) {
  const { invoker, startedAt } = event
  return {
    id: event.id,
    person: invoker.person,
    user: invoker.user,
    principal: invoker.principal,
    principal_id: invoker.principalId,
    profile: event.profile,
    role_arn: event.roleArn,
    reason_code: event.reasonCode,
    justification: event.justification,
    duration: event.duration,
    rule: event.rule,
    started_at: toTimestamp(startedAt),
    review_within: event.reviewWithin ?? null,
    open: 'event',
    expired_announced: 0,
    overdue_announced: 0,
    ttl: eventRemovableAt(startedAt),
  }
}

export function toReviewRow(review: BreakGlassReview) {
  const { reviewer, at } = review
  return {
    event_id: review.eventId,
    reviewer_person: reviewer.person,
    user: reviewer.user,
    principal: reviewer.principal,
    principal_id: reviewer.principalId,
    outcome: review.outcome,
    created_at: toTimestamp(at),
    comment: review.comment,
    event_hash: review.eventHash,
    seal: review.seal,
    ttl: eventRemovableAt(at),
  }
}

/** Reads the key of a row of events. Throws `STORE_INVALID`. */
export function idOf(row: Row, column: 'id' | 'event_id' = 'id'): BreakGlassId {
  const id = text(row, column)
  if (!isBreakGlassId(id)) throw invalid(row, column)
  return id
}

/** Reads a whole row of events; its `reviews` were read before. Throws `STORE_INVALID`. */
export function fromEventRow(row: Row, reviews: readonly BreakGlassReview[]): FiledEvent {
  const closed = closingOf(row)
  return { event: eventOf(row), ...(closed && { closed }), reviews }
}

/** Reads a whole row of reviews, to which its reader gave an `id`. Throws `STORE_INVALID`. */
export function fromReviewRow(row: Row): BreakGlassReview {
  const outcome = text(row, 'outcome')
  if (outcome !== 'justified' && outcome !== 'misuse') throw invalid(row, 'outcome')
  return {
    eventId: idOf(row, 'event_id'),
    reviewer: partyOf(row, 'reviewer_person'),
    outcome,
    at: instant(row, 'created_at'),
    comment: text(row, 'comment'),
    eventHash: text(row, 'event_hash'),
    seal: text(row, 'seal'),
  }
}

function eventOf(row: Row): BreakGlassEvent {
  const code = text(row, 'reason_code')
  const reasonCode = REASON_CODES.find((known) => known === code)
  if (!reasonCode) throw invalid(row, 'reason_code')
  return {
    id: idOf(row),
    invoker: partyOf(row, 'person'),
    profile: text(row, 'profile'),
    roleArn: text(row, 'role_arn'),
    reasonCode,
    justification: text(row, 'justification'),
    duration: integer(row, 'duration'),
    rule: text(row, 'rule'),
    startedAt: instant(row, 'started_at'),
    ...optional('reviewWithin', row, 'review_within', integer),
  }
}

function closingOf(row: Row): Act | undefined {
  if (row.closed_at === null) return undefined
  return {
    at: instant(row, 'closed_at'),
    by: text(row, 'closed_by'),
    ...optional('reason', row, 'closed_reason', text),
  }
}

function partyOf(row: Row, person: 'person' | 'reviewer_person'): Party {
  return {
    person: text(row, person),
    user: text(row, 'user'),
    principal: text(row, 'principal'),
    principalId: text(row, 'principal_id'),
  }
}
