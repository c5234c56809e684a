import type { SQLInputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { text } from './columns.ts'
import type { Row, Statements } from './connection.ts'
import type { Database } from './database.ts'

/** How many rows one statement reads, and no more are held. */
const PAGE = 200

/** Every time is before it, as text sorts. */
const LATEST = '~'

/** Which rows to walk, of one index: so that what is read is bounded by the page. */
export interface Walk<Entry> {
  readonly table: string
  /** The column with the time, which the index sorts by, and then by `id`. */
  readonly by: string
  /** What the index holds the rows to, with the `values` it names. */
  readonly where: string
  readonly values: Readonly<Record<string, SQLInputValue>>
  readonly since: Instant | undefined
  /** Understands a page, in the transaction that read it. */
  readonly toEntries: (rows: readonly Row[], statements: Statements) => Entry[]
}

/**
 * Reads rows the newest first, a page a transaction: between two, nothing is held and others write.
 * A page goes on from the last row of the one before, not from its number. `onPage` hears how many
 * rows were looked at so far.
 */
export async function* pagesOf<Entry>(
  database: Database,
  { table, by, where, values, since, toEntries }: Walk<Entry>,
  signal: AbortSignal,
  onPage: (seen: number) => void = () => {},
): AsyncGenerator<Entry[]> {
  const sql = `SELECT * FROM ${table}
    WHERE ${where} AND ${by} >= :since AND (${by}, id) < (:before, :beforeId)
    ORDER BY ${by} DESC, id DESC LIMIT ${PAGE}`
  const earliest = since === undefined ? '' : toTimestamp(since)
  let [before, beforeId, seen] = [LATEST, '', 0]
  for (;;) {
    const from = { ...values, since: earliest, before, beforeId }
    const { rows, entries } = await database.read(signal, (statements) => {
      const rows = statements.all(sql, from)
      return { rows, entries: toEntries(rows, statements) }
    })
    seen += rows.length
    onPage(seen)
    yield entries

    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    before = text(last, by)
    beforeId = text(last, 'id')
    // Timers and signals get their turn: a page is read without a wait.
    await setImmediate()
  }
}
