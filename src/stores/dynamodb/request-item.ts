import {
  type AccessRequest,
  type AccessRequestId,
  type Act,
  type FiledRequest,
  isAccessRequestId,
  type Review,
  requestRemovableAt,
} from '../../domain/access-request.ts'
import { hasCode } from '../../errors.ts'
import { flag, type Item, integer, openRow, type Row, text, time } from './attributes.ts'
import { dayPartitionOf } from './day-partitions.ts'
import { partyAttributes, readAuthor, readParty } from './party-attributes.ts'

/** The value of `pending` while nobody has settled a request. */
export const UNDECIDED = 'request'

/** What the keys of all requests begin with; those of reviews and of the outbox do not. */
export const REQUEST_PREFIX = 'request#'

/** What can be said of a request once, and never again. */
export type Latch = 'cancelled' | 'revoked'

export function requestKey(id: AccessRequestId): string {
  return `${REQUEST_PREFIX}${id}`
}

/** The id in a key, if it is a request's. */
export function requestIdIn(key: string): AccessRequestId | undefined {
  const id = key.slice(REQUEST_PREFIX.length)
  return key.startsWith(REQUEST_PREFIX) && isAccessRequestId(id) ? id : undefined
}

/**
 * The key of a review. It ends in what IAM knows as `aws:userid`, so that nobody needs the right to
 * write one in another's name.
 */
export function reviewKey({ requestId, reviewer }: Pick<Review, 'requestId' | 'reviewer'>): string {
  return `review#${requestId}#${reviewer.principalId}`
}

/**
 * The value of `requester` under which the reviews of a request are found. No person is so named.
 */
export function reviewsOf(id: AccessRequestId): string {
  return `review#${id}`
}

/** Whether `key` may be that of a review of `id`: the index tells what anybody wrote. */
export function isReviewKey(key: string, id: AccessRequestId): boolean {
  return reviewKeyParts(key)?.requestId === id
}

/** The row of a request that is made. */
export function toRequestItem(request: AccessRequest): Item {
  const { id, requester, createdAt, isAutomatic } = request
  return {
    id: text(requestKey(id)),
    requester: text(requester.person),
    ...partyAttributes(requester),
    principal_id: text(requester.principalId),
    profile: text(request.profile),
    role_arn: text(request.roleArn),
    justification: text(request.justification),
    duration: integer(request.duration),
    rule: text(request.rule),
    required: integer(request.required),
    created_at: time(createdAt),
    is_automatic: flag(isAutomatic),
    day: text(dayPartitionOf(createdAt, id)),
    ...(!isAutomatic && { pending: text(UNDECIDED) }),
    ttl: integer(requestRemovableAt(createdAt)),
  }
}

/** The attributes that a latch sets, and nothing else does. */
export function latchOf(latch: Latch, { at, by, reason }: Act): Item {
  return {
    [`${latch}_at`]: time(at),
    [`${latch}_by`]: text(by),
    ...(reason !== undefined && { [`${latch}_reason`]: text(reason) }),
  }
}

/** The row of a review. */
export function toReviewItem(review: Review): Item {
  const { requestId, reviewer, at, comment, duration } = review
  return {
    id: text(reviewKey(review)),
    requester: text(reviewsOf(requestId)),
    reviewer_person: text(reviewer.person),
    ...partyAttributes(reviewer),
    verdict: text(review.verdict),
    created_at: time(at),
    ...(comment !== undefined && { comment: text(comment) }),
    ...(duration !== undefined && { duration: integer(duration) }),
    request_hash: text(review.requestHash),
    seal: text(review.seal),
    ttl: integer(requestRemovableAt(at)),
  }
}

/** Reads a request's row back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function fromRequestItem(item: Item, location: string): Omit<FiledRequest, 'reviews'> {
  const row = openRow(item, location)
  const cancelled = readLatch(row, 'cancelled')
  const revoked = readLatch(row, 'revoked')
  return {
    request: readRequest(row),
    ...(cancelled && { cancelled }),
    ...(revoked && { revoked }),
  }
}

/** Whether a request's row is among the undecided. */
export function isUndecided(item: Item): boolean {
  return item.pending?.S === UNDECIDED
}

/**
 * Reads a review's row back. Its request and its reviewer's UserId are those of its key: what IAM
 * let its writer write. Throws `STORE_INVALID` for what Sentinel has not written there.
 */
export function fromReviewItem(item: Item, location: string): Review {
  const row = openRow(item, location)
  const parts = reviewKeyParts(row.text('id'))
  if (parts === undefined) throw row.invalid('its id is not that of a review')
  const comment = row.optional('comment', row.text)
  const duration = row.optional('duration', row.integer)
  return {
    requestId: parts.requestId,
    reviewer: readAuthor(row, 'reviewer_person', parts.principalId),
    verdict: readVerdict(row),
    at: row.instant('created_at'),
    ...(comment !== undefined && { comment }),
    ...(duration !== undefined && { duration }),
    requestHash: row.text('request_hash'),
    seal: row.text('seal'),
  }
}

/**
 * The reviews among `items`. A row that is none does not count; and as everybody who may review
 * could write one, it does not keep anybody from reading the request either.
 */
export function reviewsIn(items: readonly Item[], location: string): readonly Review[] {
  return items.flatMap((item) => {
    try {
      return fromReviewItem(item, location)
    } catch (error) {
      if (hasCode(error, 'STORE_INVALID')) return []
      throw error
    }
  })
}

function reviewKeyParts(key: string) {
  const [, requestId = '', principalId = ''] = /^review#([^#]+)#([^#]+)$/.exec(key) ?? []
  return isAccessRequestId(requestId) ? { requestId, principalId } : undefined
}

function readRequest(row: Row): AccessRequest {
  const id = requestIdIn(row.text('id'))
  if (id === undefined) throw row.invalid('its id is not that of a request')
  return {
    id,
    requester: readParty(row, 'requester', row.text('principal_id')),
    profile: row.text('profile'),
    roleArn: row.text('role_arn'),
    justification: row.text('justification'),
    duration: row.integer('duration'),
    rule: row.text('rule'),
    required: row.integer('required'),
    createdAt: row.instant('created_at'),
    isAutomatic: row.flag('is_automatic'),
  }
}

/** Half a latch is none that Sentinel wrote, and must not pass for an open one. */
function readLatch(row: Row, latch: Latch): Act | undefined {
  const [at, by, because] = [`${latch}_at`, `${latch}_by`, `${latch}_reason`] as const
  if (![at, by, because].some((name) => row.has(name))) return undefined
  const reason = row.optional(because, row.text)
  return {
    at: row.instant(at),
    by: row.text(by),
    ...(reason !== undefined && { reason }),
  }
}

function readVerdict(row: Row): Review['verdict'] {
  const verdict = row.text('verdict')
  if (verdict === 'approve' || verdict === 'deny') return verdict
  throw row.invalid(`unknown verdict ${JSON.stringify(verdict.slice(0, 40))}`)
}
