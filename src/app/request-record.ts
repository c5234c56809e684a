import type { AccessRequest } from '../domain/access-request.ts'
import { toTimestamp } from '../domain/time.ts'
import type { Acted } from './act-log.ts'
import type { ShownRequest } from './shown-request.ts'

/**
 * What each record of the decision log says of a request, and until when it lets in, if it does.
 */
export function recordOf({ filed, state }: ShownRequest) {
  const { id, requester, profile, roleArn, rule } = filed.request
  return {
    subject_id: id,
    subject_person: requester.person,
    profile,
    role_arn: roleArn,
    rule,
    ...(state.granted && { expires_at: toTimestamp(state.granted.until) }),
  } satisfies Partial<Acted>
}

/** What is asked for, for the record of its making. */
export function askOf({ justification, duration }: AccessRequest) {
  return { justification, duration_seconds: duration } satisfies Partial<Acted>
}
