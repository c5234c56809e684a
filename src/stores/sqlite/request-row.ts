import {
  type AccessRequest,
  type AccessRequestId,
  type Act,
  type FiledRequest,
  isAccessRequestId,
  type Review,
  requestRemovableAt,
} from '../../domain/access-request.ts'
import type { Party } from '../../domain/party.ts'
import { toTimestamp } from '../../domain/time.ts'
import { instant, integer, invalid, optional, text } from './columns.ts'
import type { Row } from './connection.ts'

/** A request that is made, as the columns of its row. */
export function toRequestRow(request: AccessRequest) {
  const { requester, createdAt, isAutomatic } = request
  return {
    id: request.id,
    requester: requester.person,
    user: requester.user,
    principal: requester.principal,
    principal_id: requester.principalId,
    profile: request.profile,
    role_arn: request.roleArn,
    justification: request.justification,
    duration: request.duration,
    rule: request.rule,
    required: request.required,
    is_automatic: isAutomatic ? 1 : 0,
    created_at: toTimestamp(createdAt),
    // What a rule approved by itself is decided.
    pending: isAutomatic ? null : 'request',
    ttl: requestRemovableAt(createdAt),
  }
}

export function toReviewRow(review: Review) {
  const { reviewer, at } = review
  return {
    request_id: review.requestId,
    reviewer_person: reviewer.person,
    user: reviewer.user,
    principal: reviewer.principal,
    principal_id: reviewer.principalId,
    verdict: review.verdict,
    created_at: toTimestamp(at),
    comment: review.comment ?? null,
    duration: review.duration ?? null,
    request_hash: review.requestHash,
    seal: review.seal,
    ttl: requestRemovableAt(at),
  }
}

/** Reads the key of a row of `requests`. This and the others throw `STORE_INVALID`. */
export function idOf(row: Row, column = 'id'): AccessRequestId {
  const id = text(row, column)
  if (!isAccessRequestId(id)) throw invalid(row, column)
  return id
}

/** Reads a whole row of `requests`, beside the `reviews` of it. */
export function fromRequestRow(row: Row, reviews: readonly Review[]): FiledRequest {
  const request: AccessRequest = {
    id: idOf(row),
    requester: partyOf(row, 'requester'),
    profile: text(row, 'profile'),
    roleArn: text(row, 'role_arn'),
    justification: text(row, 'justification'),
    duration: integer(row, 'duration'),
    rule: text(row, 'rule'),
    required: integer(row, 'required'),
    createdAt: instant(row, 'created_at'),
    isAutomatic: integer(row, 'is_automatic') === 1,
  }
  return {
    request,
    reviews,
    ...optional('cancelled', row, 'cancelled_at', () => actOf(row, 'cancelled')),
    ...optional('revoked', row, 'revoked_at', () => actOf(row, 'revoked')),
  }
}

/** Reads a whole row of `request_reviews`. */
export function fromReviewRow(row: Row): Review {
  return {
    requestId: idOf(row, 'request_id'),
    reviewer: partyOf(row, 'reviewer_person'),
    verdict: verdictOf(row),
    at: instant(row, 'created_at'),
    ...optional('comment', row, 'comment', text),
    ...optional('duration', row, 'duration', integer),
    requestHash: text(row, 'request_hash'),
    seal: text(row, 'seal'),
  }
}

function partyOf(row: Row, person: 'requester' | 'reviewer_person'): Party {
  return {
    person: text(row, person),
    user: text(row, 'user'),
    principal: text(row, 'principal'),
    principalId: text(row, 'principal_id'),
  }
}

function verdictOf(row: Row): Review['verdict'] {
  const verdict = text(row, 'verdict')
  if (verdict === 'approve' || verdict === 'deny') return verdict
  throw invalid(row, 'verdict')
}

function actOf(row: Row, what: 'cancelled' | 'revoked'): Act {
  return {
    at: instant(row, `${what}_at`),
    by: text(row, `${what}_by`),
    ...optional('reason', row, `${what}_reason`, text),
  }
}
