import { formatDuration } from '../domain/duration.ts'
import { announcements, type News, type Notification } from '../domain/notification.ts'
import type { Policy } from '../domain/policy/types.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'
import type { ShownRequest } from './shown-request.ts'

interface Happening {
  readonly event: Extract<News['event'], `request.${string}`>
  readonly at: Instant
  /** The user part of whoever did it; absent: time did. */
  readonly by?: string
  /** What was said about it. */
  readonly comment?: string | undefined
}

interface Teller {
  readonly policy: Pick<Policy, 'notify'>
  readonly newId: () => string
}

/**
 * What is to be sent where, now that something happened to a request; `shown` is as it is since.
 */
export function announce(
  { policy, newId }: Teller,
  happening: Happening,
  shown: ShownRequest,
): readonly Notification[] {
  return announcements(policy, newsOf(happening, shown), newId)
}

function newsOf({ event, at, by, comment }: Happening, { filed, state }: ShownRequest): News {
  const { id, requester, profile, roleArn, justification, duration, rule, required } = filed.request
  return {
    event,
    at,
    fields: {
      request_id: id,
      status: state.status,
      requester: requester.user,
      requester_person: requester.person,
      profile,
      role_arn: roleArn,
      duration: formatDuration(duration),
      justification,
      rule,
      approvals: state.approvals.length,
      required,
      ...(by !== undefined && { by }),
      ...(comment !== undefined && { comment }),
      ...(state.status === 'pending' && { expires_at: toTimestamp(state.expiresAt) }),
      ...(state.granted && { until: toTimestamp(state.granted.until) }),
    },
  }
}
