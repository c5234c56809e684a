import {
  type BreakGlassReview,
  eventReviewText,
  eventText,
  type FiledEvent,
} from '../domain/break-glass.ts'
import { isSameParty } from '../domain/party.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { EventDeps } from './event-deps.ts'
import { announceEvent, recordOfEvent } from './event-news.ts'
import { describeReviewers, isReviewer } from './event-reviewers.ts'
import { patience } from './patience.ts'
import type { Actor } from './request-deps.ts'
import { type ShownEvent, showEvent } from './shown-event.ts'

interface Verdict {
  readonly actor: Actor
  readonly outcome: BreakGlassReview['outcome']
  /** At most 500 characters. */
  readonly comment: string
}

/**
 * Files a review of an event that has ended. One that says what was said before is done already;
 * one that says otherwise is refused: the first that counts holds. Rejects with `BREAK_GLASS_OVER`
 * while the event is live, and with `REVIEW_REFUSED` for the invoker and for whoever does not
 * review it.
 */
export async function reviewEvent(
  deps: EventDeps,
  filed: FiledEvent,
  verdict: Verdict,
): Promise<{ readonly outcome: 'reviewed' | 'already reviewed'; readonly shown: ShownEvent }> {
  const { store, clock, digest, log } = deps
  const at = clock.aws()
  const before = showEvent(filed, digest, at)
  assertMayReview(deps, filed, verdict.actor)
  if (before.state.status === 'live') throw stillLive(before)
  if (before.state.review) return repeated(deps, before, verdict)

  const review = reviewOf(deps, filed, verdict, at)
  const shown = showEvent({ ...filed, reviews: [...filed.reviews, review] }, digest, at)
  const notifications = announceEvent(deps, 'break_glass.reviewed', { shown, at })
  const written = await store.review(review, notifications, patience())
  // Reviews may be seen late: one by the same reviewer, that is, and it holds.
  if (written !== 'written') {
    const reviews = [...filed.reviews, written]
    return repeated(deps, showEvent({ ...filed, reviews }, digest, at), verdict)
  }
  const { comment, outcome } = verdict
  await log.write({
    type: 'break_glass.reviewed',
    ...recordOfEvent(shown),
    verdict: outcome,
    comment,
  })
  await settleQuietly(deps, filed)
  return { outcome: 'reviewed', shown }
}

function reviewOf(
  { digest }: EventDeps,
  { event }: FiledEvent,
  { actor, outcome, comment }: Verdict,
  at: number,
): BreakGlassReview {
  const eventHash = digest(eventText(event))
  const said = { eventId: event.id, reviewer: actor.party, outcome, at, comment, eventHash }
  return { ...said, seal: digest(eventReviewText(said)) }
}

/** What was reviewed before stays as it is. */
async function repeated(deps: EventDeps, shown: ShownEvent, { outcome }: Verdict) {
  const { id } = shown.filed.event
  const { review } = shown.state
  if (review === undefined) {
    throw new SentinelError(
      'REVIEW_REFUSED',
      `a review under your UserId is there that does not count for break-glass event ${id}`,
      { hint: 'have somebody else review it, and find out who could write that one' },
    )
  }
  if (review.outcome !== outcome) {
    const who = `${review.reviewer.user} at ${toSeconds(review.at)}`
    throw new SentinelError(
      'REVIEW_REFUSED',
      `break-glass event ${id} was reviewed as ${review.outcome} by ${who}, and that stays`,
      { hint: `see it with: sentinel breakglass show ${id}` },
    )
  }
  // Whoever reviewed it may have died before this.
  await settleQuietly(deps, shown.filed)
  return { outcome: 'already reviewed', shown } as const
}

function assertMayReview(
  { policy }: EventDeps,
  { event }: FiledEvent,
  { party, principal }: Actor,
): void {
  const { id, invoker } = event
  const hint = `have it reviewed by ${describeReviewers(policy, event)}`
  if (isSameParty(party, invoker)) {
    const whose = `break-glass event ${id} is your own (${party.person})`
    throw new SentinelError('REVIEW_REFUSED', `${whose}: somebody else reviews it`, { hint })
  }
  if (isReviewer(policy, event, principal)) return
  throw new SentinelError(
    'REVIEW_REFUSED',
    `you (${party.person}) are not among the reviewers of break-glass event ${id}`,
    { hint },
  )
}

function stillLive({ filed, state }: ShownEvent): SentinelError {
  const { id, invoker, profile } = filed.event
  const until = toSeconds(state.endsAt)
  return new SentinelError(
    'BREAK_GLASS_OVER',
    `break-glass event ${id} of ${invoker.user} for ${profile} is live until ${until}, and is reviewed when it is over`,
    { hint: `wait, or end it with: sentinel breakglass close ${id}` },
  )
}

/** Takes it off the open ones, if it can be done. */
async function settleQuietly({ store }: EventDeps, { event }: FiledEvent): Promise<void> {
  try {
    await store.settle(event.id, patience())
  } catch (error) {
    // It only makes later lists shorter, and not every reviewer may write events.
    if (!(error instanceof SentinelError)) throw error
  }
}
