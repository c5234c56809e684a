/**
 * Break-glass events (design § 8): access at once, limited, loud, reviewed afterwards.
 *
 *     live ──▶ closed │ over ──▶ reviewed      overdue, when nobody does in time
 *
 * @module
 */
import type { Act, Digest } from './access-request.ts'
import { isSameParty, type Party } from './party.ts'
import type { Grant, REASON_CODES } from './policy/types.ts'
import { HOUR, type Instant, SECOND } from './time.ts'

/** 20 characters of base32. */
export type BreakGlassId = string & { readonly brand: 'BreakGlassId' }

export interface BreakGlassEvent {
  readonly id: BreakGlassId
  readonly invoker: Party
  readonly profile: string
  readonly roleArn: string
  readonly reasonCode: (typeof REASON_CODES)[number]
  /** 20 to 1000 characters. */
  readonly justification: string
  /** Seconds. */
  readonly duration: number
  /** The policy's `break_glass` rule it was allowed by. */
  readonly rule: string
  readonly startedAt: Instant
  /** Seconds after its end by which it is to be reviewed; absent: it need not be. */
  readonly reviewWithin?: number
}

export interface BreakGlassReview {
  readonly eventId: BreakGlassId
  readonly reviewer: Party
  readonly outcome: 'justified' | 'misuse'
  readonly at: Instant
  /** At most 500 characters. */
  readonly comment: string
  /** SHA-256, in hex, of {@link eventText}. */
  readonly eventHash: string
  /** SHA-256, in hex, of {@link eventReviewText}. */
  readonly seal: string
}

/** An event with all that came of it. */
export interface FiledEvent {
  readonly event: BreakGlassEvent
  readonly closed?: Act
  readonly reviews: readonly BreakGlassReview[]
}

/** Seconds that an event lives at most, whoever wrote its row. */
export const LONGEST_EVENT = 4 * 3600

/** How long an event counts for whether another may begin: no policy looks back further. */
export const HISTORY_SPAN = 31 * 24 * HOUR

/**
 * The events that decide whether another may begin: those that started within
 * {@link HISTORY_SPAN} before it, and those still open.
 */
export interface BreakGlassHistory {
  /** Of the invoker, on any profile. */
  readonly ofPerson: readonly FiledEvent[]
  /** On the profile, of anybody. */
  readonly ofProfile: readonly FiledEvent[]
}

export const EVENT_STATUSES = ['live', 'unreviewed', 'overdue', 'reviewed', 'ended'] as const
/** `unreviewed`: over, and to be reviewed; `ended`: over, and no rule asks for a review. */
export type EventStatus = (typeof EVENT_STATUSES)[number]

export interface EventState {
  readonly status: EventStatus
  /** When it ended, or will. */
  readonly endsAt: Instant
  /** Until when it is to be reviewed. */
  readonly reviewBy?: Instant
  /** The first that counts. */
  readonly review?: BreakGlassReview
}

/**
 * When an event of `at`, or a review of then, may be cleaned up: a year after the event's end, in
 * seconds since the epoch. A review never goes before its event.
 */
export function eventRemovableAt(at: Instant): number {
  // No event lives for longer than some hours.
  return Math.ceil((at + 24 * HOUR) / SECOND) + 365 * 24 * 3600
}

export function isBreakGlassId(text: string): text is BreakGlassId {
  return /^[a-z2-7]{20}$/.test(text)
}

export function eventText(event: BreakGlassEvent): string {
  const { id, invoker, profile, roleArn, reasonCode, justification } = event
  const { duration, rule, startedAt, reviewWithin } = event
  const { person, user, principal, principalId } = invoker
  return JSON.stringify([
    'sentinel break-glass event 1',
    id,
    [person, user, principal, principalId],
    [profile, roleArn, reasonCode, justification],
    [duration, rule, startedAt, reviewWithin ?? null],
  ])
}

export function eventReviewText(review: Omit<BreakGlassReview, 'seal'>): string {
  const { eventId, reviewer, outcome, at, comment, eventHash } = review
  const { person, user, principal, principalId } = reviewer
  return JSON.stringify([
    'sentinel break-glass review 1',
    eventId,
    [person, user, principal, principalId],
    [outcome, at, comment],
    eventHash,
  ])
}

export function eventEnd({ event, closed }: Pick<FiledEvent, 'event' | 'closed'>): Instant {
  const end = event.startedAt + Math.min(event.duration, LONGEST_EVENT) * SECOND
  return closed ? Math.min(closed.at, end) : end
}

export function eventState(filed: FiledEvent, digest: Digest, now: Instant): EventState {
  const { event, reviews } = filed
  const endsAt = eventEnd(filed)
  const hash = digest(eventText(event))
  const [review] = reviews
    .filter(
      (candidate) =>
        candidate.eventId === event.id &&
        candidate.eventHash === hash &&
        candidate.seal === digest(eventReviewText(candidate)) &&
        !isSameParty(candidate.reviewer, event.invoker),
    )
    .toSorted((a, b) => a.at - b.at)
  const reviewBy =
    event.reviewWithin === undefined ? undefined : endsAt + event.reviewWithin * SECOND
  const state = { endsAt, ...(reviewBy !== undefined && { reviewBy }), ...(review && { review }) }
  if (now < endsAt) return { ...state, status: 'live' }
  if (review) return { ...state, status: 'reviewed' }
  if (reviewBy === undefined) return { ...state, status: 'ended' }
  return { ...state, status: now < reviewBy ? 'unreviewed' : 'overdue' }
}

/** The grant that a live event is. */
export function grantOfEvent(filed: FiledEvent, now: Instant): Grant | undefined {
  const { id, invoker, profile, roleArn, startedAt } = filed.event
  const endsAt = eventEnd(filed)
  if (now < startedAt || now >= endsAt) return undefined
  const { person } = invoker
  return { id, basis: 'break_glass', person, profile, roleArn, startsAt: startedAt, endsAt }
}
