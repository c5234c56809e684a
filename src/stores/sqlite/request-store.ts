import { resolve } from 'node:path'
import {
  type AccessRequest,
  type AccessRequestId,
  type Act,
  type FiledRequest,
  type Review,
  requestText,
} from '../../domain/access-request.ts'
import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { RequestQuery, RequestStore } from '../../ports/request-store.ts'
import { cleanUp } from './clean-up.ts'
import type { Statements } from './connection.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { MIGRATIONS } from './migrations.ts'
import {
  claimNotification,
  dueNotifications,
  putNotifications,
  removeNotification,
} from './outbox.ts'
import { findRequest, findReview, listRequests } from './request-reading.ts'
import { idOf, toRequestRow, toReviewRow } from './request-row.ts'

/**
 * Opens the access requests in the SQLite file at `path`, which is made if there is none. Rejects
 * with `FILE_UNTRUSTED`, `STORE_INVALID` or `STORE_UNAVAILABLE`.
 */
export async function openSqliteRequestStore(
  path: string,
  options: DatabaseOptions,
): Promise<RequestStore> {
  const database = new Database(resolve(path), MIGRATIONS, options)
  // Waits for other processes no longer than any other transaction does.
  await database.read(new AbortController().signal, () => {})
  return new SqliteRequestStore(database)
}

/** Keeps access requests in one SQLite file, shared by the Sentinel processes of one machine. */
class SqliteRequestStore implements RequestStore {
  readonly location: string
  readonly #database: Database

  constructor(database: Database) {
    this.location = `sqlite:${database.path}`
    this.#database = database
  }

  create(
    request: AccessRequest,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    const row = toRequestRow(request)
    return this.#database.write('power failure', signal, (statements) => {
      if (!insert(statements, 'requests', row)) return assertSame(statements, request)
      putNotifications(statements, 'requests', notifications)
      cleanUp(statements, ['requests', 'request_reviews'], request.createdAt)
    })
  }

  get(id: AccessRequestId, signal: AbortSignal): Promise<FiledRequest | undefined> {
    return this.#database.read(signal, (statements) => findRequest(statements, id))
  }

  find(prefix: string, signal: AbortSignal): Promise<readonly AccessRequestId[]> {
    const sql = 'SELECT id FROM requests WHERE id >= :prefix AND id < :end LIMIT 10'
    // No character of an id sorts after it.
    const range = { prefix, end: `${prefix}~` }
    return this.#database.read(signal, (statements) =>
      statements.all(sql, range).map((row) => idOf(row)),
    )
  }

  review(
    review: Review,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | Review> {
    const row = toReviewRow(review)
    return this.#database.write('power failure', signal, (statements) => {
      const found = findReview(statements, review)
      if (found) return found
      insert(statements, 'request_reviews', row)
      putNotifications(statements, 'requests', notifications)
      return 'written'
    })
  }

  cancel(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#database.write('power failure', signal, (statements) =>
      latch(statements, 'cancelled', { id, act, notifications }),
    )
  }

  revoke(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#database.write('power failure', signal, (statements) =>
      latch(statements, 'revoked', { id, act, notifications }),
    )
  }

  settle(
    id: AccessRequestId,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const sql = 'UPDATE requests SET pending = NULL WHERE id = :id AND pending IS NOT NULL'
    return this.#database.write('power failure', signal, (statements) => {
      if (statements.run(sql, { id }) === 0) return false
      putNotifications(statements, 'requests', notifications)
      return true
    })
  }

  list(
    query: RequestQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<FiledRequest> {
    return listRequests(this.#database, query, signal, onPage)
  }

  due(now: Instant, limit: number, signal: AbortSignal): Promise<readonly QueuedNotification[]> {
    return this.#database.read(signal, (statements) =>
      dueNotifications(statements, 'requests', now, limit),
    )
  }

  // What a power failure takes of these is delivered once more, which receivers expect.
  claim(notification: QueuedNotification, nextAt: Instant, signal: AbortSignal): Promise<boolean> {
    return this.#database.write('process', signal, (statements) =>
      claimNotification(statements, 'requests', notification, nextAt),
    )
  }

  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#database.write('process', signal, (statements) =>
      removeNotification(statements, 'requests', id),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]()
  }
}

/** Adds a row unless its key is taken; says whether. */
function insert(
  statements: Statements,
  table: 'requests' | 'request_reviews',
  row: Readonly<Record<string, string | number | null>>,
): boolean {
  const columns = Object.keys(row)
  const changes = statements.run(
    `INSERT INTO ${table} (${columns}) VALUES (${columns.map((name) => `:${name}`)})
     ON CONFLICT DO NOTHING`,
    row,
  )
  return changes === 1
}

function assertSame(statements: Statements, request: AccessRequest): void {
  const found = findRequest(statements, request.id)
  if (found && requestText(found.request) === requestText(request)) return
  throw new SentinelError('REQUEST_EXISTS', `another access request has the id ${request.id}`)
}

/** Writes down, once, what was done to a request. Nobody has to decide about it any more. */
function latch(
  statements: Statements,
  what: 'cancelled' | 'revoked',
  {
    id,
    act: { at, by, reason },
    notifications,
  }: {
    readonly id: AccessRequestId
    readonly act: Act
    readonly notifications: readonly Notification[]
  },
): 'written' | 'already' | 'missing' {
  const changes = statements.run(
    `UPDATE requests SET pending = NULL, ${what}_at = :at, ${what}_by = :by,
       ${what}_reason = :reason
     WHERE id = :id AND ${what}_at IS NULL`,
    { id, at: toTimestamp(at), by, reason: reason ?? null },
  )
  if (changes === 1) {
    putNotifications(statements, 'requests', notifications)
    return 'written'
  }
  return statements.get('SELECT id FROM requests WHERE id = :id', { id }) ? 'already' : 'missing'
}
