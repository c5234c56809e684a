import { type SessionId, shownStatus } from '../domain/session.ts'
import { type Instant, SECOND } from '../domain/time.ts'
import { hasCode, type SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionDirectory } from '../ports/session-store.ts'
import { listSessions, type SessionFilter, type ShownSession } from './list-sessions.ts'
import { patience } from './patience.ts'

const INTERVAL_MS = 2000

/** How long one that is over stays in sight. */
const FAREWELL = 30 * SECOND

/** How long after its start one may come into sight and still be new: indexes and clocks differ. */
const LATE = 10 * SECOND

const NEVER = Number.NEGATIVE_INFINITY

/** How many are watched at most: what a snapshot holds, and what is fetched every time. */
const MOST_WATCHED = 1000

interface SessionChange {
  /**
   * `started`: came into sight, at first every one there is. `status`: has another one. `touched`:
   * handed out credentials. `gone`: its record was deleted.
   */
  readonly change: 'started' | 'status' | 'touched' | 'gone'
  /** As it is now; of one that is gone, as it was. */
  readonly shown: ShownSession
}

export interface Snapshot {
  readonly at: Instant
  /** Newest first; for a while also those that came to be over, or to be something else. */
  readonly sessions: readonly ShownSession[]
  /** Since the last snapshot. */
  readonly changes: readonly SessionChange[]
  /** Whether there may be more than are watched. */
  readonly isCut: boolean
  /** The store does not answer: since when, and why. The sessions are as they were then. */
  readonly silence?: { readonly since: Instant; readonly error: SentinelError }
}

interface WatchDeps {
  readonly directory: Pick<SessionDirectory, 'list' | 'get'>
  readonly clock: Pick<Clock, 'aws'>
}

interface Watched extends ShownSession {
  /** Out of sight of the filter since then, and shown for a while yet. */
  readonly leftAt?: Instant
}

/**
 * Looks at the sessions that `filter` lets through every 2 seconds, for as long as it is asked to.
 * A store that falls silent is asked again; one that cannot be understood ends it.
 */
export async function* watchSessions(
  deps: WatchDeps,
  filter: SessionFilter,
): AsyncGenerator<Snapshot, void, undefined> {
  const limit = Math.min(filter.limit ?? MOST_WATCHED, MOST_WATCHED)
  let watched: ReadonlyMap<SessionId, Watched> = new Map()
  let lastLook: Instant = NEVER
  let isCut = false
  for (;;) {
    const at = deps.clock.aws()
    try {
      const present: ShownSession[] = []
      for await (const shown of listSessions(deps, { ...filter, limit })) present.push(shown)
      isCut = present.length === limit
      const next = await compare(deps, { filter, watched, present, isCut, at, lastLook })
      watched = next.watched
      lastLook = at
      yield { at, sessions: sorted(watched), changes: next.changes, isCut }
    } catch (error) {
      if (!hasCode(error, 'STORE_UNAVAILABLE') || (watched.size === 0 && lastLook < 0)) throw error
      const silence = { since: lastLook, error }
      yield { at, sessions: sorted(watched), changes: [], isCut, silence }
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
  }
}

interface Comparison {
  readonly filter: SessionFilter
  readonly watched: ReadonlyMap<SessionId, Watched>
  /** Newest first. */
  readonly present: readonly ShownSession[]
  readonly isCut: boolean
  readonly at: Instant
  readonly lastLook: Instant
}

async function compare(deps: WatchDeps, comparison: Comparison) {
  const { watched, present } = comparison
  const changes: SessionChange[] = []
  const next = new Map<SessionId, Watched>()
  for (const shown of present) {
    const change = changeOf(watched.get(shown.session.id), shown, comparison)
    if (change) changes.push({ change, shown })
    next.set(shown.session.id, shown)
  }
  const lost = watched.values().filter(({ session }) => !next.has(session.id))
  const found = await Promise.all(lost.map((before) => lookAfter(deps, before, comparison)))
  for (const { before, after } of found) {
    if (after === 'gone') changes.push({ change: 'gone', shown: before })
    else if (after !== 'out of sight') {
      if (after.status !== before.status) changes.push({ change: 'status', shown: after })
      if (next.size < 2 * MOST_WATCHED) next.set(after.session.id, after)
    }
  }
  return { watched: next, changes }
}

function changeOf(
  before: Watched | undefined,
  { session, status }: ShownSession,
  { filter, lastLook }: Comparison,
): SessionChange['change'] | undefined {
  if (!before) {
    // An old one that comes into sight came to have the status that is asked for.
    const isOld = filter.status !== undefined && session.startedAt < lastLook - LATE
    return isOld ? 'status' : 'started'
  }
  if (before.status !== status) return 'status'
  const { requestCount, expiresAt } = before.session
  if (requestCount !== session.requestCount || expiresAt !== session.expiresAt) return 'touched'
  return undefined
}

/** What became of one that the list no longer has. */
async function lookAfter(
  { directory }: WatchDeps,
  before: Watched,
  { present, isCut, at }: Comparison,
): Promise<{ before: Watched; after: Watched | 'gone' | 'out of sight' }> {
  const { session, leftAt } = before
  if (leftAt !== undefined) {
    return { before, after: at < leftAt + FAREWELL ? before : 'out of sight' }
  }
  // Newer ones took its place; it is as it was, for all we know.
  const oldest = present.at(-1)?.session.startedAt ?? NEVER
  if (isCut && session.startedAt <= oldest) return { before, after: 'out of sight' }
  const now = await directory.get(session.id, patience())
  if (now === undefined) return { before, after: 'gone' }
  const status = shownStatus(now, at)
  // With the status it had, it was only missing from a list that may miss one.
  return {
    before,
    after: { session: now, status, ...(status !== before.status && { leftAt: at }) },
  }
}

function sorted(watched: ReadonlyMap<SessionId, Watched>): readonly ShownSession[] {
  return [...watched.values()].toSorted((a, b) => b.session.startedAt - a.session.startedAt)
}
