import {
  type Digest,
  type FiledRequest,
  isCounted,
  type RequestState,
  type Review,
  requestState,
} from '../domain/access-request.ts'
import { formatDuration } from '../domain/duration.ts'
import { type Instant, toSeconds } from '../domain/time.ts'

/** A request with what had come of it when it was looked at. */
export interface ShownRequest {
  readonly filed: FiledRequest
  readonly state: RequestState
  /** Oldest first. One that does not count was altered, or is by somebody who had no say. */
  readonly reviews: readonly { readonly review: Review; readonly isCounted: boolean }[]
}

/** Looks at a request at `now`. */
export function showRequest(filed: FiledRequest, digest: Digest, now: Instant): ShownRequest {
  const { request, reviews } = filed
  return {
    filed,
    state: requestState(filed, digest, now),
    reviews: reviews
      .toSorted((a, b) => a.at - b.at)
      .map((review) => ({ review, isCounted: isCounted(review, request, digest) })),
  }
}

/** What is so of a request, to stand behind its id: `was denied by bob at 2026-…: not today`. */
export function describeState(shown: ShownRequest): string {
  const { filed, state } = shown
  const { request, cancelled, revoked } = filed
  switch (state.status) {
    case 'pending': {
      const { required } = request
      const count = `${state.approvals.length} of ${required} ${required === 1 ? 'approval' : 'approvals'}`
      return `is pending with ${count}, until ${toSeconds(state.expiresAt)}`
    }
    case 'approved':
      return `is approved${approvers(shown)} until ${endOf(state)}`
    case 'ended':
      return `was approved${approvers(shown)}, and ended at ${endOf(state)}`
    case 'revoked':
      return `was revoked${byWhom(revoked, revoked?.reason)}`
    case 'denied': {
      const denial = denialOf(shown)
      return `was denied${byWhom(denial && { at: denial.at, by: denial.reviewer.user }, denial?.comment)}`
    }
    case 'cancelled':
      return `was cancelled${byWhom(cancelled)}`
    case 'expired':
      return `expired at ${toSeconds(state.expiresAt)}, since nobody decided it in time`
    default:
      return state.status satisfies never
  }
}

/** `alice for prod for 1h`. */
export function describeAsk({ filed: { request } }: ShownRequest): string {
  const { requester, profile, duration } = request
  return `${requester.user} for ${profile} for ${formatDuration(duration)}`
}

function approvers({ filed, state }: ShownRequest): string {
  if (filed.request.isAutomatic) return ` by the policy's own rule`
  return ` by ${state.approvals.map(({ reviewer }) => reviewer.user).join(', ')}`
}

/** The first denial that counts. */
function denialOf({ reviews }: ShownRequest): Review | undefined {
  return reviews.find((one) => one.isCounted && one.review.verdict === 'deny')?.review
}

function byWhom(
  act: { readonly at: Instant; readonly by: string } | undefined,
  why?: string,
): string {
  return act ? ` by ${act.by} at ${toSeconds(act.at)}${why === undefined ? '' : `: ${why}`}` : ''
}

function endOf({ granted, expiresAt }: RequestState): string {
  return toSeconds(granted?.until ?? expiresAt)
}
