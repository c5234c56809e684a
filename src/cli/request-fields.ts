import type { ShownRequest } from '../app/shown-request.ts'
import type { Review } from '../domain/access-request.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'

type Field = string | number | boolean | null

const FIELDS: Readonly<Record<string, (shown: ShownRequest) => Field>> = {
  id: ({ filed }) => filed.request.id,
  status: ({ state }) => state.status,
  requester: ({ filed }) => filed.request.requester.user,
  requester_person: ({ filed }) => filed.request.requester.person,
  requester_principal: ({ filed }) => filed.request.requester.principal,
  profile: ({ filed }) => filed.request.profile,
  role_arn: ({ filed }) => filed.request.roleArn,
  duration_seconds: ({ filed }) => filed.request.duration,
  justification: ({ filed }) => filed.request.justification,
  rule: ({ filed }) => filed.request.rule,
  automatic: ({ filed }) => filed.request.isAutomatic,
  approvals: ({ state }) => state.approvals.length,
  required: ({ filed }) => filed.request.required,
  created_at: ({ filed }) => toTimestamp(filed.request.createdAt),
  expires_at: ({ state }) => toTimestamp(state.expiresAt),
  granted_from: ({ state }) => timestamp(state.granted?.from),
  granted_until: ({ state }) => timestamp(state.granted?.until),
  cancelled_at: ({ filed }) => timestamp(filed.cancelled?.at),
  cancelled_by: ({ filed }) => filed.cancelled?.by ?? null,
  revoked_at: ({ filed }) => timestamp(filed.revoked?.at),
  revoked_by: ({ filed }) => filed.revoked?.by ?? null,
  revoked_reason: ({ filed }) => filed.revoked?.reason ?? null,
}

/** The names of the fields of a request, in order, but for its reviews. */
export const REQUEST_FIELDS: readonly string[] = Object.keys(FIELDS)

/**
 * A request as programs see it, with the status it had when it was looked at. Always the same
 * fields, `null` for what is not there.
 */
export function requestFields(shown: ShownRequest) {
  const fields = Object.entries(FIELDS).map(([name, of]) => [name, of(shown)] as const)
  return {
    ...Object.fromEntries(fields),
    reviews: shown.reviews.map(({ review, isCounted }) => ({
      ...reviewFields(review),
      counts: isCounted,
    })),
  }
}

function reviewFields({ reviewer, verdict, at, comment, duration }: Review) {
  return {
    verdict,
    reviewer: reviewer.user,
    reviewer_person: reviewer.person,
    reviewer_principal: reviewer.principal,
    at: toTimestamp(at),
    comment: comment ?? null,
    duration_seconds: duration ?? null,
  }
}

function timestamp(instant: Instant | undefined): string | null {
  return instant === undefined ? null : toTimestamp(instant)
}
