import { announcements, type News, type Notification } from '../domain/notification.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'
import type { Acted } from './act-log.ts'
import type { EventDeps } from './event-deps.ts'
import { eventFacts, type ShownEvent } from './shown-event.ts'

/** What is to be sent where, now that something became of an event; `shown` is as it is since. */
export function announceEvent(
  { policy, newId }: Pick<EventDeps, 'policy' | 'newId'>,
  event: Extract<News['event'], `break_glass.${string}`>,
  { shown, at }: { readonly shown: ShownEvent; readonly at: Instant },
): readonly Notification[] {
  const told = Object.entries(eventFacts(shown)).filter(
    (fact): fact is [string, string | number] => fact[1] !== null,
  )
  return announcements(policy, { event, at, fields: Object.fromEntries(told) }, newId)
}

/** What each record of the decision log says of an event, and until when it lets in. */
export function recordOfEvent({ filed: { event }, state }: ShownEvent) {
  const { id, invoker, profile, roleArn, rule, reasonCode } = event
  return {
    subject_id: id,
    subject_person: invoker.person,
    profile,
    role_arn: roleArn,
    rule,
    reason_code: reasonCode,
    expires_at: toTimestamp(state.endsAt),
  } satisfies Partial<Acted>
}
