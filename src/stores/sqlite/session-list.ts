import type { Session } from '../../domain/session.ts'
import type { SessionQuery } from '../../ports/session-store.ts'
import type { Database } from './database.ts'
import { pagesOf, type Walk } from './pages.ts'
import { fromRow } from './session-row.ts'

/** Walks the index that `query` fits best. */
export async function* listSessions(
  database: Database,
  query: SessionQuery,
  signal: AbortSignal,
  onPage?: (seen: number) => void,
): AsyncGenerator<Session> {
  const walk: Walk<Session> = {
    table: 'sessions',
    by: 'started_at',
    ...indexFor(query),
    since: query.since,
    toEntries: (rows) => rows.map(fromRow),
  }
  for await (const page of pagesOf(database, walk, signal, onPage)) {
    yield* page.filter((session) => matches(query, session))
  }
}

function indexFor({ user, profile, which }: SessionQuery): Pick<Walk<Session>, 'where' | 'values'> {
  if (user !== undefined) return { where: 'user = :user', values: { user } }
  if (profile !== undefined) return { where: 'profile = :profile', values: { profile } }
  return { where: which === 'live' ? `status = 'active'` : 'TRUE', values: {} }
}

/** Whether what the index did not hold to `query` fits too. */
function matches({ profile, which }: SessionQuery, session: Session): boolean {
  return (
    (profile === undefined || session.profile === profile) &&
    (which === 'all' || !(session.end || session.revocation))
  )
}
