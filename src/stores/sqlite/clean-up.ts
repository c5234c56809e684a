import { type Instant, SECOND } from '../../domain/time.ts'
import type { Statements } from './connection.ts'

/** Tables whose rows go when their `ttl` has passed. */
type Table =
  | 'sessions'
  | 'session_locks'
  | 'requests'
  | 'request_reviews'
  | 'break_glass_events'
  | 'break_glass_reviews'

/** Deletes what nobody needs any more, a little at a time: a table in the cloud does so itself. */
export function cleanUp(statements: Statements, tables: readonly Table[], now: Instant): void {
  const seconds = Math.floor(now / SECOND)
  for (const table of tables) {
    statements.run(
      `DELETE FROM ${table}
       WHERE rowid IN (SELECT rowid FROM ${table} WHERE ttl < :seconds LIMIT 100)`,
      { seconds },
    )
  }
}
