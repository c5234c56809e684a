import { type Review, requestText, reviewText } from '../domain/access-request.ts'
import { formatDuration } from '../domain/duration.ts'
import { isSameParty, type Party } from '../domain/party.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { findRequest, requestNotFound } from './find-request.ts'
import { patience } from './patience.ts'
import type { Actor, RequestDeps } from './request-deps.ts'
import { announce } from './request-news.ts'
import { recordOf } from './request-record.ts'
import { assertMayReview } from './review-rights.ts'
import { settleQuietly } from './settle-request.ts'
import { describeState, type ShownRequest, showRequest } from './shown-request.ts'

/** What somebody decides about a request. */
export interface Verdict {
  /** The id, or the beginning of it. */
  readonly request: string
  readonly reviewer: Actor
  readonly verdict: Review['verdict']
  readonly comment: string | undefined
  /** Seconds: approves no more than that. */
  readonly duration: number | undefined
}

export interface Reviewed {
  /** `already`: the same person came to the same verdict before, which stays as it was. */
  readonly outcome: 'written' | 'already'
  readonly review: Review
  readonly shown: ShownRequest
}

/**
 * Decides about a request, once `consent` to what it shows was given by not throwing. Rejects with
 * `REVIEW_REFUSED` for who has no say, with `REQUEST_DECIDED` when there is nothing to decide any
 * more or the reviewer decided otherwise before, and with `USAGE` for a duration that is longer.
 */
export async function reviewRequest(
  deps: RequestDeps,
  verdict: Verdict,
  consent: (shown: ShownRequest) => Promise<void>,
): Promise<Reviewed> {
  const { store, policy, digest, clock } = deps
  const { reviewer, duration } = verdict
  const before = showRequest(await findRequest(store, verdict.request), digest, clock.aws())
  const { request } = before.filed
  assertMayReview(policy, request, reviewer)
  const earlier = reviewBy(reviewer.party, before)
  if (earlier) return reviewedBefore(before, earlier, verdict)
  assertPending(before)
  if (duration !== undefined && duration > request.duration) throw tooLong(before, duration)

  await consent(before)

  // Whoever was asked may have taken their time.
  const filed = await store.get(request.id, patience())
  if (filed === undefined) throw requestNotFound(request.id)
  const at = clock.aws()
  const now = showRequest(filed, digest, at)
  // The same person may have answered elsewhere meanwhile.
  const meanwhile = reviewBy(reviewer.party, now)
  if (meanwhile) return reviewedBefore(now, meanwhile, verdict)
  assertPending(now)
  // Of what was shown: had the record become another one since, the review would not count.
  const review = seal(deps, before, { ...verdict, at })
  return await file(deps, review, showRequest({ ...filed, request }, digest, at), verdict)
}

function reviewBy(party: Party, { reviews }: ShownRequest): Review | undefined {
  return reviews.find(({ review }) => isSameParty(review.reviewer, party))?.review
}

/** Makes the review, with the hashes that bind it to what was shown and to itself. */
function seal(
  { digest }: RequestDeps,
  { filed: { request } }: ShownRequest,
  { reviewer, verdict, comment, duration, at }: Verdict & { readonly at: number },
): Review {
  const review = {
    requestId: request.id,
    reviewer: reviewer.party,
    verdict,
    at,
    ...(comment !== undefined && { comment }),
    ...(duration !== undefined && { duration }),
    requestHash: digest(requestText(request)),
  }
  return { ...review, seal: digest(reviewText(review)) }
}

async function file(
  deps: RequestDeps,
  review: Review,
  before: ShownRequest,
  verdict: Verdict,
): Promise<Reviewed> {
  const { store, digest, log } = deps
  const { filed } = before
  const after = showRequest({ ...filed, reviews: [...filed.reviews, review] }, digest, review.at)
  const { comment, at, reviewer } = review
  const type = review.verdict === 'approve' ? 'request.approved' : 'request.denied'
  const notifications = announce(deps, { event: type, at, by: reviewer.user, comment }, after)
  const written = await store.review(review, notifications, patience())
  if (written !== 'written') {
    const found = { ...filed, reviews: [...filed.reviews, written] }
    return reviewedBefore(showRequest(found, digest, at), written, verdict)
  }
  await log.write({
    type,
    ...recordOf(after),
    verdict: review.verdict,
    ...(comment !== undefined && { comment }),
    ...(review.duration !== undefined && { duration_seconds: review.duration }),
  })
  if (after.state.status !== 'pending') await settleQuietly(store, filed.request.id)
  return { outcome: 'written', review, shown: after }
}

/** A review is made once: the same verdict again is done, another one is not. */
function reviewedBefore(shown: ShownRequest, review: Review, { verdict }: Verdict): Reviewed {
  const { id, profile } = shown.filed.request
  const isCounted = shown.reviews.some((one) => one.review === review && one.isCounted)
  if (!isCounted) {
    throw new SentinelError(
      'STORE_INVALID',
      `the review of request ${id} under your name does not count: it or the request was altered`,
      { hint: 'tell whoever keeps the table, and have the request made anew' },
    )
  }
  if (review.verdict === verdict) return { outcome: 'already', review, shown }
  const did = review.verdict === 'approve' ? 'approved' : 'denied'
  throw new SentinelError(
    'REQUEST_DECIDED',
    `you ${did} request ${id} at ${toSeconds(review.at)}, and a review stays as it is`,
    {
      hint:
        shown.state.status === 'approved'
          ? `end it with: sentinel request revoke ${id} --reason WHY`
          : review.verdict === 'deny'
            ? `have ${shown.filed.request.requester.user} ask for ${profile} again`
            : `ask another approver to deny it, or ${shown.filed.request.requester.user} to cancel it`,
    },
  )
}

function assertPending(shown: ShownRequest): void {
  const { status } = shown.state
  if (status === 'pending') return
  const { id, profile } = shown.filed.request
  throw new SentinelError('REQUEST_DECIDED', `request ${id} ${describeState(shown)}`, {
    hint:
      status === 'approved'
        ? `end it with: sentinel request revoke ${id} --reason WHY`
        : `ask again with: sentinel request ${profile} --justification WHY`,
  })
}

function tooLong({ filed: { request } }: ShownRequest, duration: number): SentinelError {
  const asked = formatDuration(request.duration)
  return new SentinelError(
    'USAGE',
    `--duration ${formatDuration(duration)} is longer than the ${asked} asked for`,
    { hint: 'approve for as long or shorter' },
  )
}
