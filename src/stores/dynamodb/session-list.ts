import type { Session } from '../../domain/session.ts'
import type { Instant } from '../../domain/time.ts'
import type { SessionQuery } from '../../ports/session-store.ts'
import { type Entry, IndexWalk, readAhead } from './index-walk.ts'
import { fromItem, LIVE_PARTITIONS } from './session-item.ts'
import type { DynamoDBTable } from './table.ts'

interface ListOptions {
  readonly now: Instant
  readonly signal: AbortSignal
  readonly onPage: (seen: number) => void
}

/**
 * Lists sessions, newest first: over whichever index leaves the fewest to look at, each session
 * then fetched by its key.
 */
export async function* listSessions(
  table: DynamoDBTable,
  query: SessionQuery,
  { now, signal, onPage }: ListOptions,
): AsyncGenerator<Session> {
  const walk = new IndexWalk(table, { sort: 'started_at', since: query.since, signal })
  let seen = 0
  for await (const items of readAhead(table, entriesOf(walk, query, now), { signal })) {
    const sessions = items.map((item) => fromItem(item, table.location))
    seen += sessions.length
    onPage(seen)
    yield* sessions.filter((session) => isWanted(session, query))
  }
}

function entriesOf(
  walk: IndexWalk,
  { user, profile, which }: SessionQuery,
  now: Instant,
): AsyncGenerator<Entry> {
  if (user !== undefined) return walk.under('gsi-user', 'user', user)
  if (profile !== undefined) return walk.under('gsi-profile', 'profile', profile)
  if (which === 'live') return walk.underAny('gsi-live', 'live', LIVE_PARTITIONS)
  return walk.byDay(now)
}

function isWanted({ user, profile, end, revocation }: Session, query: SessionQuery): boolean {
  return (
    (query.user === undefined || query.user === user) &&
    (query.profile === undefined || query.profile === profile) &&
    (query.which === 'all' || (end === undefined && revocation === undefined))
  )
}
