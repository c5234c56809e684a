import type { SQLInputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { Session } from '../../domain/session.ts'
import { toTimestamp } from '../../domain/time.ts'
import type { SessionQuery } from '../../ports/session-store.ts'
import type { Database } from './database.ts'
import { fromRow } from './session-row.ts'

/** How many rows one statement reads, and no more are held. */
const PAGE = 200

/** Every start is before it, as text sorts. */
const LATEST = '~'

/**
 * Walks the index that `query` fits best, a page a transaction: between two, nothing is held and
 * others write. A page goes on from the last row of the one before, not from its number.
 */
export async function* listSessions(
  database: Database,
  query: SessionQuery,
  signal: AbortSignal,
  onPage: (seen: number) => void = () => {},
): AsyncGenerator<Session> {
  const { where, values } = walk(query)
  const sql = `SELECT * FROM sessions
    WHERE ${where} AND started_at >= :since AND (started_at, id) < (:before, :beforeId)
    ORDER BY started_at DESC, id DESC LIMIT ${PAGE}`
  let [before, beforeId, seen] = [LATEST, '', 0]
  for (;;) {
    const from = { ...values, before, beforeId }
    const page = await database.read(signal, (statements) => statements.all(sql, from).map(fromRow))
    seen += page.length
    onPage(seen)
    yield* page.filter((session) => matches(query, session))

    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    before = toTimestamp(last.startedAt)
    beforeId = last.id
    // Timers and signals get their turn: a page is read without a wait.
    await setImmediate()
  }
}

/** The rows to walk: of one index, so that what is read is bounded by the page. */
function walk({ user, profile, since, which }: SessionQuery): {
  where: string
  values: Record<string, SQLInputValue>
} {
  const values = { since: since === undefined ? '' : toTimestamp(since) }
  if (user !== undefined) return { where: 'user = :user', values: { ...values, user } }
  if (profile !== undefined) {
    return { where: 'profile = :profile', values: { ...values, profile } }
  }
  return { where: which === 'live' ? `status = 'active'` : 'TRUE', values }
}

/** Whether what the index did not hold to `query` fits too. */
function matches({ profile, which }: SessionQuery, session: Session): boolean {
  return (
    (profile === undefined || session.profile === profile) &&
    (which === 'all' || !(session.end || session.revocation))
  )
}
