import type { Digest } from '../domain/access-request.ts'
import type { EventStatus } from '../domain/break-glass.ts'
import type { Instant } from '../domain/time.ts'
import type { BreakGlassQuery, BreakGlassStore } from '../ports/break-glass-store.ts'
import type { Clock } from '../ports/clock.ts'
import { patiently } from './patience.ts'
import { type ShownEvent, showEvent } from './shown-event.ts'

/** Which break-glass events a person wants to see; all that is given must hold. */
export interface EventFilter {
  /** A user part, or a person as `personOf` writes it. */
  readonly user?: string
  readonly profile?: string
  readonly status?: EventStatus
  /** Started then or later. */
  readonly since?: Instant
  /** At most so many, the newest. */
  readonly limit?: number
}

interface ListDeps {
  readonly store: Pick<BreakGlassStore, 'list'>
  readonly clock: Pick<Clock, 'aws'>
  readonly digest: Digest
}

/**
 * The events that `filter` lets through, newest first: without any filter those that are live or
 * still to be reviewed. Holds none of them. `onPage` hears how many were looked at so far.
 */
export async function* listEvents(
  { store, clock, digest }: ListDeps,
  filter: EventFilter,
  onPage: (seen: number) => void = () => {},
): AsyncGenerator<ShownEvent, void, undefined> {
  const events = patiently((signal, renew) =>
    store.list(toQuery(filter), signal, (seen) => {
      renew()
      onPage(seen)
    }),
  )
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for await (const filed of events) {
    const shown = showEvent(filed, digest, clock.aws())
    if (!isWanted(shown, filter)) continue
    yield shown
    left -= 1
    // Before the next one is asked for: it may be pages away.
    if (left === 0) return
  }
}

function isWanted({ filed, state }: ShownEvent, filter: EventFilter): boolean {
  const { user, person } = filed.event.invoker
  if (filter.user !== undefined && filter.user !== user && filter.user !== person) return false
  if (filter.status !== undefined) return filter.status === state.status
  return asksForAll(filter) || isOpen(state.status)
}

function toQuery(filter: EventFilter): BreakGlassQuery {
  const { user, profile, since } = filter
  return {
    which: asksForAll(filter) ? 'all' : 'open',
    // Only a person has an index; a user part has no colon.
    ...(user?.includes(':') && { person: user }),
    ...(profile !== undefined && { profile }),
    ...(since !== undefined && { since }),
  }
}

/** Whether what is over and done with is to be looked at as well. */
function asksForAll({ user, profile, since, status }: EventFilter): boolean {
  if (status !== undefined) return !isOpen(status)
  return user !== undefined || profile !== undefined || since !== undefined
}

function isOpen(status: EventStatus): boolean {
  return status === 'live' || status === 'unreviewed' || status === 'overdue'
}
