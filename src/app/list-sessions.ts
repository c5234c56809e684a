import { type Session, type SessionStatus, shownStatus } from '../domain/session.ts'
import type { Instant } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionDirectory, SessionQuery } from '../ports/session-store.ts'
import { patiently } from './patience.ts'

/** Which sessions a person wants to see; all that is given must hold. */
export interface SessionFilter {
  readonly user?: string
  readonly profile?: string
  readonly status?: SessionStatus
  /** Started then or later. */
  readonly since?: Instant
  /** At most so many, the newest. */
  readonly limit?: number
}

/** A session with the status it had when it was looked at. */
export interface ShownSession {
  readonly session: Session
  readonly status: SessionStatus
}

export interface ListDeps {
  readonly directory: Pick<SessionDirectory, 'list'>
  readonly clock: Pick<Clock, 'aws'>
}

/**
 * The sessions that `filter` lets through, newest first: without any filter those that are live.
 * Holds none of them. `onPage` hears how many were looked at so far.
 */
export async function* listSessions(
  { directory, clock }: ListDeps,
  filter: SessionFilter,
  onPage: (seen: number) => void = () => {},
): AsyncGenerator<ShownSession, void, undefined> {
  const isShown = statusTest(filter)
  const sessions = patiently((signal, renew) =>
    directory.list(toQuery(filter), signal, (seen) => {
      renew()
      onPage(seen)
    }),
  )
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for await (const session of sessions) {
    const status = shownStatus(session, clock.aws())
    if (!isShown(status)) continue
    yield { session, status }
    left -= 1
    // Before the next one is asked for: it may be pages away.
    if (left === 0) return
  }
}

/** Whether a session of some status is one that `filter` lets through. */
function statusTest(filter: SessionFilter): (status: SessionStatus) => boolean {
  if (filter.status !== undefined) return (status) => status === filter.status
  return asksForAll(filter) ? () => true : isLive
}

function toQuery(filter: SessionFilter): SessionQuery {
  const { user, profile, since } = filter
  return {
    which: asksForAll(filter) ? 'all' : 'live',
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
    ...(since !== undefined && { since }),
  }
}

/**
 * Whether what is over is to be looked at as well. A session that nobody ended is live to the
 * store, and expired to people once its last credential is.
 */
function asksForAll({ user, profile, since, status }: SessionFilter): boolean {
  if (status !== undefined) return !isLive(status)
  return user !== undefined || profile !== undefined || since !== undefined
}

function isLive(status: SessionStatus): boolean {
  return status === 'active' || status === 'stale'
}
