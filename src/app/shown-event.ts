import type { Digest } from '../domain/access-request.ts'
import {
  type BreakGlassReview,
  type EventState,
  eventState,
  type FiledEvent,
} from '../domain/break-glass.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'

/** A break-glass event with what had come of it when it was looked at. */
export interface ShownEvent {
  readonly filed: FiledEvent
  readonly state: EventState
  /** Oldest first. One that does not count was altered, or is by the invoker. */
  readonly reviews: readonly { readonly review: BreakGlassReview; readonly isCounted: boolean }[]
}

/** Looks at an event at `now`. */
export function showEvent(filed: FiledEvent, digest: Digest, now: Instant): ShownEvent {
  const isCounted = (review: BreakGlassReview) =>
    eventState({ ...filed, reviews: [review] }, digest, now).review !== undefined
  return {
    filed,
    state: eventState(filed, digest, now),
    reviews: filed.reviews
      .toSorted((a, b) => a.at - b.at)
      .map((review) => ({ review, isCounted: isCounted(review) })),
  }
}

type Field = string | number | null

const FIELDS: Readonly<Record<string, (shown: ShownEvent) => Field>> = {
  id: ({ filed }) => filed.event.id,
  status: ({ state }) => state.status,
  user: ({ filed }) => filed.event.invoker.user,
  person: ({ filed }) => filed.event.invoker.person,
  principal: ({ filed }) => filed.event.invoker.principal,
  principal_id: ({ filed }) => filed.event.invoker.principalId,
  profile: ({ filed }) => filed.event.profile,
  role_arn: ({ filed }) => filed.event.roleArn,
  reason_code: ({ filed }) => filed.event.reasonCode,
  justification: ({ filed }) => filed.event.justification,
  duration_seconds: ({ filed }) => filed.event.duration,
  rule: ({ filed }) => filed.event.rule,
  started_at: ({ filed }) => toTimestamp(filed.event.startedAt),
  ends_at: ({ state }) => toTimestamp(state.endsAt),
  closed_at: ({ filed }) => timestamp(filed.closed?.at),
  closed_by: ({ filed }) => filed.closed?.by ?? null,
  closed_reason: ({ filed }) => filed.closed?.reason ?? null,
  review_by: ({ state }) => timestamp(state.reviewBy),
  reviewed_at: ({ state }) => timestamp(state.review?.at),
  reviewed_by: ({ state }) => state.review?.reviewer.user ?? null,
  review_outcome: ({ state }) => state.review?.outcome ?? null,
  review_comment: ({ state }) => state.review?.comment ?? null,
}

/** The names of the fields of an event, in order, but for its reviews. */
export const EVENT_FIELDS: readonly string[] = Object.keys(FIELDS)

/**
 * An event as programs see it, whether listed, shown or announced: always the same fields, `null`
 * for what is not there. `status` is derived.
 */
export function eventFacts(shown: ShownEvent): Readonly<Record<string, Field>> {
  return Object.fromEntries(Object.entries(FIELDS).map(([name, of]) => [name, of(shown)]))
}

/** As {@link eventFacts}, with all reviews: those that do not count as well. */
export function eventFields(shown: ShownEvent) {
  return {
    ...eventFacts(shown),
    reviews: shown.reviews.map(({ review, isCounted }) => ({
      ...reviewFields(review),
      counts: isCounted,
    })),
  }
}

function reviewFields({ reviewer, outcome, at, comment }: BreakGlassReview) {
  return {
    outcome,
    reviewer: reviewer.user,
    reviewer_person: reviewer.person,
    reviewer_principal: reviewer.principal,
    at: toTimestamp(at),
    comment,
  }
}

function timestamp(instant: Instant | undefined): string | null {
  return instant === undefined ? null : toTimestamp(instant)
}
