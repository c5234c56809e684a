import { resolve } from 'node:path'
import type { Act } from '../../domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  type BreakGlassId,
  type BreakGlassReview,
  eventText,
  type FiledEvent,
} from '../../domain/break-glass.ts'
import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { BreakGlassQuery, BreakGlassStore } from '../../ports/break-glass-store.ts'
import { findEvent, findReview, historyOf, listEvents } from './break-glass-reading.ts'
import { idOf, toEventRow, toReviewRow } from './break-glass-row.ts'
import { cleanUp } from './clean-up.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { MIGRATIONS } from './migrations.ts'
import {
  claimNotification,
  dueNotifications,
  putNotifications,
  removeNotification,
} from './outbox.ts'

/** Whose rows of the outbox, which requests in the same file have too. */
const OWNER = 'break_glass'

/**
 * Opens the break-glass events in the SQLite file at `path`, which is made if there is none.
 * Rejects with `FILE_UNTRUSTED`, `STORE_INVALID` or `STORE_UNAVAILABLE`.
 */
export async function openSqliteBreakGlassStore(
  path: string,
  options: DatabaseOptions,
): Promise<BreakGlassStore> {
  const database = new Database(resolve(path), MIGRATIONS, options)
  // Waits for other processes no longer than any other transaction does.
  await database.read(new AbortController().signal, () => {})
  return new SqliteBreakGlassStore(database)
}

/** Keeps break-glass events in one SQLite file, shared by the Sentinel processes of one machine. */
class SqliteBreakGlassStore implements BreakGlassStore {
  readonly location: string
  readonly #database: Database

  constructor(database: Database) {
    this.location = `sqlite:${database.path}`
    this.#database = database
  }

  begin(
    event: BreakGlassEvent,
    admit: (history: BreakGlassHistory) => void,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    const row = toEventRow(event)
    const columns = Object.keys(row)
    return this.#database.write('power failure', signal, (statements) => {
      const found = findEvent(statements, event.id)
      if (found && eventText(found.event) === eventText(event)) return
      if (found) {
        const message = `break-glass event ${event.id} is another one`
        throw new SentinelError('BREAK_GLASS_EXISTS', message)
      }

      admit(historyOf(statements, event))
      statements.run(
        `INSERT INTO break_glass_events (${columns})
         VALUES (${columns.map((name) => `:${name}`)})`,
        row,
      )
      putNotifications(statements, OWNER, notifications)
      cleanUp(statements, ['break_glass_events', 'break_glass_reviews'], event.startedAt)
    })
  }

  get(id: BreakGlassId, signal: AbortSignal): Promise<FiledEvent | undefined> {
    return this.#database.read(signal, (statements) => findEvent(statements, id))
  }

  find(prefix: string, signal: AbortSignal): Promise<readonly BreakGlassId[]> {
    const sql = 'SELECT id FROM break_glass_events WHERE id >= :prefix AND id < :end LIMIT 10'
    // No letter sorts after z.
    const range = { prefix, end: `${prefix}{` }
    return this.#database.read(signal, (statements) =>
      statements.all(sql, range).map((row) => idOf(row)),
    )
  }

  close(
    id: BreakGlassId,
    { at, by, reason }: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `UPDATE break_glass_events
         SET closed_at = :at, closed_by = :by, closed_reason = :reason
         WHERE id = :id AND closed_at IS NULL`,
        { id, at: toTimestamp(at), by, reason: reason ?? null },
      )
      if (changes === 0) return findEvent(statements, id) ? 'already' : 'missing'
      putNotifications(statements, OWNER, notifications)
      return 'written'
    })
  }

  review(
    review: BreakGlassReview,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | BreakGlassReview> {
    const row = toReviewRow(review)
    const columns = Object.keys(row)
    return this.#database.write('power failure', signal, (statements) => {
      const found = findReview(statements, review)
      if (found) return found
      statements.run(
        `INSERT INTO break_glass_reviews (${columns})
         VALUES (${columns.map((name) => `:${name}`)})`,
        row,
      )
      putNotifications(statements, OWNER, notifications)
      return 'written'
    })
  }

  announce(
    id: BreakGlassId,
    what: 'expired' | 'overdue',
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const latch = `${what}_announced`
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `UPDATE break_glass_events SET ${latch} = 1 WHERE id = :id AND ${latch} = 0`,
        { id },
      )
      if (changes === 1) putNotifications(statements, OWNER, notifications)
      return changes === 1
    })
  }

  async settle(id: BreakGlassId, signal: AbortSignal): Promise<void> {
    // Lost in a power failure, it is done again by whoever lists next.
    await this.#database.write('process', signal, (statements) =>
      statements.run('UPDATE break_glass_events SET open = NULL WHERE id = :id', { id }),
    )
  }

  list(
    query: BreakGlassQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<FiledEvent> {
    return listEvents(this.#database, query, signal, onPage)
  }

  due(now: Instant, limit: number, signal: AbortSignal): Promise<readonly QueuedNotification[]> {
    return this.#database.read(signal, (statements) =>
      dueNotifications(statements, OWNER, now, limit),
    )
  }

  claim(notification: QueuedNotification, nextAt: Instant, signal: AbortSignal): Promise<boolean> {
    // A power failure may make a repeat of it, as a death before `remove` does.
    return this.#database.write('process', signal, (statements) =>
      claimNotification(statements, OWNER, notification, nextAt),
    )
  }

  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#database.write('process', signal, (statements) =>
      removeNotification(statements, OWNER, id),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]()
  }
}
