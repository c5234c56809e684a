/**
 * Access requests and their reviews (design § 8). A request is written once and never changed; what
 * came of it is derived from the reviews, which are records of their own:
 *
 *     pending ──▶ approved ──▶ ended        by the review that makes the number; then by time
 *        │            └──────▶ revoked
 *        └──▶ denied │ cancelled │ expired  by one deny, by the requester, after 24 hours
 *
 * @module
 */
import { isSameParty, type Party } from './party.ts'
import type { Grant } from './policy/types.ts'
import { HOUR, type Instant, SECOND } from './time.ts'

/** 20 characters of base32. */
export type AccessRequestId = string & { readonly brand: 'AccessRequestId' }

/** What is asked, as it was shown to whoever decides. Covered by the hash in each review. */
export interface AccessRequest {
  readonly id: AccessRequestId
  readonly requester: Party
  readonly profile: string
  readonly roleArn: string
  /** 10 to 500 characters. */
  readonly justification: string
  /** Seconds that access is asked for. */
  readonly duration: number
  /** The policy's `approvals` rule that it was asked under, and how many approvals that wanted. */
  readonly rule: string
  readonly required: number
  readonly createdAt: Instant
  /** Approved when it was made, by the rule's `auto_approve`. */
  readonly isAutomatic: boolean
}

/** One person's verdict on a request. Its key holds the reviewer's UserId. */
export interface Review {
  readonly requestId: AccessRequestId
  readonly reviewer: Party
  readonly verdict: 'approve' | 'deny'
  readonly at: Instant
  /** At most 500 characters. */
  readonly comment?: string
  /** Seconds: approves no more than that. */
  readonly duration?: number
  /** SHA-256, in hex, of the request as it was shown: {@link requestText}. */
  readonly requestHash: string
  /** SHA-256, in hex, of {@link reviewText}. */
  readonly seal: string
}

/** Something that somebody did to a request or an event, once. */
export interface Act {
  readonly at: Instant
  /** The user part of whoever did it. */
  readonly by: string
  /** At most 200 characters. */
  readonly reason?: string
}

/** A request with all that came of it. */
export interface FiledRequest {
  readonly request: AccessRequest
  readonly reviews: readonly Review[]
  readonly cancelled?: Act
  readonly revoked?: Act
}

export const REQUEST_STATUSES = [
  'pending',
  'approved',
  'ended',
  'revoked',
  'denied',
  'cancelled',
  'expired',
] as const
export type RequestStatus = (typeof REQUEST_STATUSES)[number]

export interface RequestState {
  readonly status: RequestStatus
  /** The reviews that count, oldest first. */
  readonly approvals: readonly Review[]
  /** The life of what was approved, whether or not it was cut short since. */
  readonly granted?: { readonly from: Instant; readonly until: Instant }
  /** Until when it can be approved. */
  readonly expiresAt: Instant
}

/** Seconds: what is asked for at most, and what a request gives, whoever wrote its row. */
export const LONGEST_ASK = 8 * 3600

/** A request that nobody decided is over after that. */
export const REQUEST_LIFE = 24 * HOUR

/**
 * When a request made at `at`, or a review of then, may be cleaned up: a year after all that it can
 * have led to, in seconds since the epoch. A review never goes before its request.
 */
export function requestRemovableAt(at: Instant): number {
  // What is approved in the last moment lives for some hours more.
  return Math.ceil((at + 2 * REQUEST_LIFE) / SECOND) + 365 * 24 * 3600
}

export function isAccessRequestId(text: string): text is AccessRequestId {
  return /^[a-z2-7]{20}$/.test(text)
}

/** Digests text to hex by SHA-256. */
export type Digest = (text: string) => string

/** The text whose hash is in each review: everything a reviewer was shown. */
export function requestText(request: AccessRequest): string {
  const { id, requester, profile, roleArn, justification, duration } = request
  const { rule, required, createdAt, isAutomatic } = request
  const { person, user, principal, principalId } = requester
  return JSON.stringify([
    'sentinel access request 1',
    id,
    [person, user, principal, principalId],
    [profile, roleArn, justification, duration],
    [rule, required, createdAt, isAutomatic],
  ])
}

/** The text whose hash seals a review. */
export function reviewText(review: Omit<Review, 'seal'>): string {
  const { requestId, reviewer, verdict, at, comment, duration, requestHash } = review
  const { person, user, principal, principalId } = reviewer
  return JSON.stringify([
    'sentinel review 1',
    requestId,
    [person, user, principal, principalId],
    [verdict, at, comment ?? null, duration ?? null],
    requestHash,
  ])
}

/**
 * What came of a request, at `now`. A review counts when it is of exactly this request, sealed, in
 * time, and by somebody else than the requester; one a person. Whatever could be read both ways is
 * read against access: one deny ends it, whenever it came.
 */
export function requestState(
  { request, reviews, cancelled, revoked }: FiledRequest,
  digest: Digest,
  now: Instant,
): RequestState {
  const hash = digest(requestText(request))
  const expiresAt = request.createdAt + REQUEST_LIFE
  const counted = reviews
    .filter((review) => isGood(review, request, { hash, digest, expiresAt }))
    .toSorted((a, b) => a.at - b.at)
  const approvals = firstOfEach(counted.filter(({ verdict }) => verdict === 'approve'))
  const base = { approvals, expiresAt }
  if (counted.some(({ verdict }) => verdict === 'deny')) return { ...base, status: 'denied' }
  if (cancelled) return { ...base, status: 'cancelled' }
  const granted = grantedBy(request, approvals)
  if (!granted) return { ...base, status: now < expiresAt ? 'pending' : 'expired' }
  if (revoked) return { ...base, granted, status: 'revoked' }
  return { ...base, granted, status: now < granted.until ? 'approved' : 'ended' }
}

/** Whether `review` counts for `request`: of exactly it, sealed, in time, by somebody else. */
export function isCounted(review: Review, request: AccessRequest, digest: Digest): boolean {
  const expiresAt = request.createdAt + REQUEST_LIFE
  return isGood(review, request, { hash: digest(requestText(request)), digest, expiresAt })
}

/** The grant that an approved request is, if it is live at `now`. */
export function grantOfRequest(
  filed: FiledRequest,
  digest: Digest,
  now: Instant,
): Grant | undefined {
  const { status, granted, approvals } = requestState(filed, digest, now)
  if (status !== 'approved' || !granted || now < granted.from) return undefined
  const { id, requester, profile, roleArn, rule, isAutomatic } = filed.request
  return {
    id,
    basis: 'approval',
    person: requester.person,
    profile,
    roleArn,
    startsAt: granted.from,
    endsAt: granted.until,
    rule,
    approvedBy: approvals.map(({ reviewer }) => reviewer.principalId),
    ...(isAutomatic && { isAutomatic }),
  }
}

function isGood(
  review: Review,
  { id, requester, createdAt }: AccessRequest,
  {
    hash,
    digest,
    expiresAt,
  }: { readonly hash: string; readonly digest: Digest; readonly expiresAt: Instant },
): boolean {
  return (
    review.requestId === id &&
    review.requestHash === hash &&
    review.seal === digest(reviewText(review)) &&
    review.at >= createdAt &&
    review.at < expiresAt &&
    !isSameParty(review.reviewer, requester)
  )
}

/** Two reviews by one person, by two permission sets, are one. */
function firstOfEach(reviews: readonly Review[]): readonly Review[] {
  return reviews.filter(
    (review, index) =>
      !reviews.slice(0, index).some((earlier) => isSameParty(earlier.reviewer, review.reviewer)),
  )
}

function grantedBy(
  { duration, required, createdAt, isAutomatic }: AccessRequest,
  approvals: readonly Review[],
): RequestState['granted'] {
  const asked = Math.min(duration, LONGEST_ASK)
  if (isAutomatic) return { from: createdAt, until: createdAt + asked * SECOND }
  const deciding = approvals.slice(0, required)
  const last = deciding.at(-1)
  if (!last || required < 1 || deciding.length < required) return undefined
  const shortest = Math.min(asked, ...deciding.map((review) => review.duration ?? asked))
  return { from: last.at, until: last.at + shortest * SECOND }
}
