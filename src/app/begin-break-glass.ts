import type { BreakGlassEvent, BreakGlassId } from '../domain/break-glass.ts'
import { assertAdmitted } from '../domain/break-glass-admission.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { EventDeps } from './event-deps.ts'
import { announceEvent, recordOfEvent } from './event-news.ts'
import { patience } from './patience.ts'
import type { BreakGlassPlan, BreakGlassWish } from './plan-break-glass.ts'
import type { Actor } from './request-deps.ts'
import { type ShownEvent, showEvent } from './shown-event.ts'

interface Beginning {
  readonly invoker: Actor
  readonly wish: BreakGlassWish
  readonly plan: BreakGlassPlan
}

/**
 * Begins a break-glass event. Rejects with `BREAK_GLASS_LIVE` or `BREAK_GLASS_REFUSED` when what
 * came before is in the way, and with `LOG_UNAVAILABLE` before anything began.
 *
 * The record is written first, so that no event is ever without one, whatever dies when: a record
 * after the event would be lost with the process in between, and an event that only this machine
 * failed to record could not be taken back for sure. The price is a record of an event that did not
 * come about; a second one, `break_glass.refused`, says so.
 */
export async function beginBreakGlass(deps: EventDeps, beginning: Beginning): Promise<ShownEvent> {
  const { store, clock, digest, log } = deps
  const { rule } = beginning.plan
  const now = clock.aws()
  const event = eventOf(beginning, deps.newId() as BreakGlassId, now)
  const shown = showEvent({ event, reviews: [] }, digest, now)
  const notifications = announceEvent(deps, 'break_glass.started', { shown, at: now })
  const { justification, duration } = event
  await log.writeAhead({
    type: 'break_glass.started',
    ...recordOfEvent(shown),
    justification,
    duration_seconds: duration,
  })
  try {
    const admit: Parameters<typeof store.begin>[1] = (history) =>
      assertAdmitted(event, history, rule, { now, digest })
    await store.begin(event, admit, notifications, patience())
  } catch (error) {
    await recordFailure(deps, shown, error)
    throw withWayOut(error, event.id)
  }
  return shown
}

function eventOf({ invoker, wish, plan }: Beginning, id: BreakGlassId, now: number) {
  const { rule, roleArn, duration } = plan
  const { profile, reasonCode, justification } = wish
  return {
    id,
    invoker: invoker.party,
    profile,
    roleArn,
    reasonCode,
    justification,
    duration,
    rule: rule.name,
    startedAt: now,
    ...(rule.reviewWithin !== undefined && { reviewWithin: rule.reviewWithin }),
  } satisfies BreakGlassEvent
}

async function recordFailure({ log }: EventDeps, shown: ShownEvent, error: unknown): Promise<void> {
  const { expires_at: _, ...about } = recordOfEvent(shown)
  try {
    await log.writeAhead({
      type: 'break_glass.refused',
      ...about,
      outcome: isRefusal(error) ? 'refused' : 'failed',
      ...(error instanceof SentinelError && { code: error.code, reason: error.message }),
    })
  } catch (failure) {
    // Too much in the log does no harm, and what is to be told is why nothing began.
    if (!hasCode(failure, 'LOG_UNAVAILABLE')) throw failure
  }
}

/** A store that did not answer may have begun the event all the same. */
function withWayOut(error: unknown, id: BreakGlassId): unknown {
  if (!hasCode(error, 'STORE_UNAVAILABLE')) return error
  return new SentinelError(
    error.code,
    `${error.message}; whether break-glass event ${id} began is not known`,
    { hint: `see whether it did with: sentinel breakglass show ${id}`, cause: error },
  )
}

function isRefusal(error: unknown): boolean {
  return hasCode(error, 'BREAK_GLASS_LIVE', 'BREAK_GLASS_REFUSED')
}
