import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  type BreakGlassId,
  type BreakGlassReview,
  type FiledEvent,
  HISTORY_SPAN,
} from '../../domain/break-glass.ts'
import { toTimestamp } from '../../domain/time.ts'
import type { BreakGlassQuery } from '../../ports/break-glass-store.ts'
import { fromEventRow, fromReviewRow, idOf } from './break-glass-row.ts'
import type { Row, Statements } from './connection.ts'
import type { Database } from './database.ts'
import { pagesOf, type Walk } from './pages.ts'

/** The key of a review, as it is in a table of the cloud: for whoever is told of a bad one. */
const REVIEWS = `SELECT *, 'bgreview#' || event_id || '#' || principal_id AS id
  FROM break_glass_reviews`

export function findEvent(statements: Statements, id: BreakGlassId): FiledEvent | undefined {
  const row = statements.get('SELECT * FROM break_glass_events WHERE id = :id', { id })
  return row && toFiled([row], statements)[0]
}

/** The review of the event that this UserId made, if it did. */
export function findReview(
  statements: Statements,
  { eventId, reviewer }: Pick<BreakGlassReview, 'eventId' | 'reviewer'>,
): BreakGlassReview | undefined {
  const row = statements.get(
    `${REVIEWS} WHERE event_id = :eventId AND principal_id = :principalId`,
    { eventId, principalId: reviewer.principalId },
  )
  return row && fromReviewRow(row)
}

/** What is held against `event`, to be read in the transaction that begins it. */
export function historyOf(
  statements: Statements,
  { invoker, profile, startedAt }: BreakGlassEvent,
): BreakGlassHistory {
  const since = toTimestamp(startedAt - HISTORY_SPAN)
  const counted = (where: string, value: string) => {
    const rows = statements.all(
      `SELECT * FROM break_glass_events
       WHERE ${where} AND (started_at >= :since OR open = 'event')
       ORDER BY started_at DESC, id DESC`,
      { value, since },
    )
    return toFiled(rows, statements)
  }
  return {
    ofPerson: counted('person = :value', invoker.person),
    ofProfile: counted('profile = :value', profile),
  }
}

/** Walks the index that `query` fits best. */
export async function* listEvents(
  database: Database,
  query: BreakGlassQuery,
  signal: AbortSignal,
  onPage?: (seen: number) => void,
): AsyncGenerator<FiledEvent> {
  const { profile, since, which } = query
  // What the index does not hold to the query is left out as it is read: no column is hidden.
  const toEntries = (rows: readonly Row[], statements: Statements) =>
    toFiled(
      rows.filter(
        (row) =>
          (profile === undefined || row.profile === profile) &&
          (which === 'all' || row.open !== null),
      ),
      statements,
    )
  const table = 'break_glass_events'
  const walk = { table, by: 'started_at', ...indexFor(query), since, toEntries }
  for await (const page of pagesOf(database, walk, signal, onPage)) yield* page
}

function indexFor({
  person,
  profile,
  which,
}: BreakGlassQuery): Pick<Walk<FiledEvent>, 'where' | 'values'> {
  if (person !== undefined) return { where: 'person = :person', values: { person } }
  if (profile !== undefined) return { where: 'profile = :profile', values: { profile } }
  return { where: which === 'open' ? `open = 'event'` : 'TRUE', values: {} }
}

/** The events in `rows`, each with its reviews, by one statement more. */
function toFiled(rows: readonly Row[], statements: Statements): FiledEvent[] {
  const ids = JSON.stringify(rows.map((row) => idOf(row)))
  const reviews = statements
    .all(
      `${REVIEWS} WHERE event_id IN (SELECT value FROM json_each(:ids))
       ORDER BY created_at, principal_id`,
      { ids },
    )
    .map(fromReviewRow)
  const byEvent = Map.groupBy(reviews, ({ eventId }) => eventId)
  return rows.map((row) => fromEventRow(row, byEvent.get(idOf(row)) ?? []))
}
