import type { FiledEvent } from '../domain/break-glass.ts'
import { isSameParty } from '../domain/party.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { EventDeps } from './event-deps.ts'
import { announceEvent, recordOfEvent } from './event-news.ts'
import { describeReviewers, isReviewer } from './event-reviewers.ts'
import { eventNotFound } from './find-event.ts'
import { patience } from './patience.ts'
import type { Actor } from './request-deps.ts'
import { type ShownEvent, showEvent } from './shown-event.ts'

/**
 * Ends a live event before its time, for good. Rejects with `REVIEW_REFUSED` unless `actor` is the
 * invoker or reviews it, and with `BREAK_GLASS_OVER` when it is over.
 */
export async function closeEvent(
  deps: EventDeps,
  filed: FiledEvent,
  { actor, reason }: { readonly actor: Actor; readonly reason?: string },
): Promise<ShownEvent> {
  const { store, clock, digest, log } = deps
  const { id } = filed.event
  assertMayClose(deps, filed, actor)
  const at = clock.aws()
  const before = showEvent(filed, digest, at)
  if (before.state.status !== 'live') throw alreadyOver(before)

  const act = { at, by: actor.party.user, ...(reason !== undefined && { reason }) }
  const shown = showEvent({ ...filed, closed: act }, digest, at)
  const notifications = announceEvent(deps, 'break_glass.closed', { shown, at })
  const outcome = await store.close(id, act, notifications, patience())
  if (outcome !== 'written') {
    const found = await store.get(id, patience())
    throw found ? alreadyOver(showEvent(found, digest, clock.aws())) : eventNotFound(id)
  }
  await log.write({
    type: 'break_glass.closed',
    ...recordOfEvent(shown),
    ...(reason !== undefined && { reason }),
  })
  return shown
}

function assertMayClose({ policy }: EventDeps, { event }: FiledEvent, actor: Actor): void {
  const { id, invoker } = event
  if (isSameParty(actor.party, invoker) || isReviewer(policy, event, actor.principal)) return
  throw new SentinelError(
    'REVIEW_REFUSED',
    `you (${actor.party.person}) may not close break-glass event ${id} of ${invoker.user}`,
    { hint: `have it closed by ${invoker.user}, or by ${describeReviewers(policy, event)}` },
  )
}

function alreadyOver({ filed, state }: ShownEvent): SentinelError {
  const { event, closed } = filed
  const { id, invoker, profile } = event
  const who = closed ? `: closed by ${closed.by}` : ''
  const why = closed?.reason === undefined ? '' : `, ${closed.reason}`
  return new SentinelError(
    'BREAK_GLASS_OVER',
    `break-glass event ${id} of ${invoker.user} for ${profile} is over since ${toSeconds(state.endsAt)}${who}${why}`,
    { hint: `see what became of it with: sentinel breakglass show ${id}` },
  )
}
