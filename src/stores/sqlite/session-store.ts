import { resolve } from 'node:path'
import {
  type LockScope,
  type Revocation,
  removableAt,
  type Session,
  type SessionEnd,
  type SessionId,
  type SessionLock,
  type SessionProgress,
  type SessionStart,
} from '../../domain/session.ts'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type {
  Look,
  LookSubject,
  RevokeOutcome,
  SessionQuery,
  SessionStore,
  WriteOutcome,
} from '../../ports/session-store.ts'
import { cleanUp } from './clean-up.ts'
import type { Statements } from './connection.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { MIGRATIONS } from './migrations.ts'
import { listSessions } from './session-list.ts'
import { findLocks, listLocks, removeLock, setLock } from './session-locks.ts'
import { fromRow, idOf, toHandedOut, toRow } from './session-row.ts'

/** What a row is while its session is neither revoked nor ended. */
const IS_ACTIVE = 'revoked_at IS NULL AND ended_at IS NULL'

/** Totals: what a server does not know yet, it does not take back. */
const HANDED_OUT = `request_count = :request_count, expires_at = :expires_at,
  last_access_at = coalesce(:last_access_at, last_access_at),
  source_identity = coalesce(:source_identity, source_identity),
  log_head = coalesce(:log_head, log_head)`

/**
 * Opens the sessions in the SQLite file at `path`, which is made if there is none. Rejects with
 * `FILE_UNTRUSTED`, `STORE_INVALID` or `STORE_UNAVAILABLE`.
 */
export async function openSqliteSessionStore(
  path: string,
  options: DatabaseOptions,
): Promise<SessionStore> {
  const database = new Database(resolve(path), MIGRATIONS, options)
  // Waits for other processes no longer than any other transaction does.
  await database.read(new AbortController().signal, () => {})
  return new SqliteSessionStore(database)
}

/** Keeps sessions in one SQLite file, shared by the Sentinel processes of one machine. */
class SqliteSessionStore implements SessionStore {
  readonly location: string
  readonly #database: Database

  constructor(database: Database) {
    this.location = `sqlite:${database.path}`
    this.#database = database
  }

  create(
    session: SessionStart & SessionProgress & { readonly end?: SessionEnd },
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const row = toRow(session)
    const columns = Object.keys(row)
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `INSERT INTO sessions (${columns}) VALUES (${columns.map((name) => `:${name}`)})
         ON CONFLICT (id) DO NOTHING`,
        row,
      )
      if (changes === 0) {
        assertSameServer(statements, session)
        return 'exists'
      }
      cleanUp(statements, ['sessions', 'session_locks'], session.startedAt)
      return 'created'
    })
  }

  touch(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    // The next touch says it all again: a power failure may take this one.
    return this.#database.write('process', signal, (statements) => {
      const changes = statements.run(
        `UPDATE sessions SET ${HANDED_OUT}, lease_until = :lease_until, ttl = :ttl, updated_at = :at
         WHERE id = :id AND ${IS_ACTIVE} AND request_count <= :request_count`,
        {
          id,
          ...toHandedOut(progress),
          lease_until: toTimestamp(progress.leaseUntil),
          ttl: removableAt(at, progress.expiresAt, progress.leaseUntil),
          at: toTimestamp(at),
        },
      )
      return changes === 0 ? whyNotHeard(statements, id) : 'written'
    })
  }

  settle(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `UPDATE sessions SET ${HANDED_OUT}, ttl = :ttl, updated_at = :at
         WHERE id = :id AND revoked_at IS NOT NULL AND request_count <= :request_count`,
        {
          id,
          ...toHandedOut(progress),
          ttl: removableAt(at, progress.expiresAt),
          at: toTimestamp(at),
        },
      )
      if (changes === 1) return 'written'
      const why = whyNotHeard(statements, id)
      // Revoked it may be: then a later word is there already.
      return why === 'revoked' ? 'stale' : why
    })
  }

  end(
    id: SessionId,
    progress: SessionProgress,
    { at, reason }: SessionEnd,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `UPDATE sessions SET ${HANDED_OUT}, lease_until = :lease_until, ttl = :ttl,
           status = 'expired', ended_at = :at, end_reason = :reason, updated_at = :at
         WHERE id = :id AND ${IS_ACTIVE}`,
        {
          id,
          ...toHandedOut(progress),
          lease_until: toTimestamp(progress.leaseUntil),
          ttl: removableAt(at, progress.expiresAt, progress.leaseUntil),
          at: toTimestamp(at),
          reason,
        },
      )
      return changes === 0 ? whyNotHeard(statements, id) : 'written'
    })
  }

  look({ id, user, profile }: LookSubject, signal: AbortSignal): Promise<Look> {
    const scopes: LockScope[] = [
      { kind: 'user', name: user },
      { kind: 'profile', name: profile },
      { kind: 'all' },
    ]
    return this.#database.read(signal, (statements) => {
      const session = id && findSession(statements, id)
      return { ...(session && { session }), locks: findLocks(statements, scopes) }
    })
  }

  get(id: SessionId, signal: AbortSignal): Promise<Session | undefined> {
    return this.#database.read(signal, (statements) => findSession(statements, id))
  }

  find(prefix: string, signal: AbortSignal): Promise<readonly SessionId[]> {
    const sql = 'SELECT id FROM sessions WHERE id >= :prefix AND id < :end LIMIT 10'
    // No digit sorts after f.
    const range = { prefix, end: `${prefix}g` }
    return this.#database.read(signal, (statements) => statements.all(sql, range).map(idOf))
  }

  list(
    query: SessionQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<Session> {
    return listSessions(this.#database, query, signal, onPage)
  }

  revoke(
    id: SessionId,
    { at, by, reason }: Revocation,
    signal: AbortSignal,
  ): Promise<RevokeOutcome> {
    return this.#database.write('power failure', signal, (statements) => {
      const changes = statements.run(
        `UPDATE sessions SET status = 'revoked', revoked_at = :at, revoked_by = :by,
           revoked_reason = :reason, updated_at = :at
         WHERE id = :id AND ${IS_ACTIVE}`,
        { id, at: toTimestamp(at), by, reason },
      )
      const session = findSession(statements, id)
      if (!session) return { outcome: 'missing' }
      if (changes === 1) return { outcome: 'revoked', session }
      return { outcome: session.revocation ? 'already revoked' : 'ended', session }
    })
  }

  lock(lock: SessionLock, signal: AbortSignal): Promise<SessionLock> {
    return this.#database.write('power failure', signal, (statements) => setLock(statements, lock))
  }

  unlock(scope: LockScope, signal: AbortSignal): Promise<SessionLock | undefined> {
    return this.#database.write('power failure', signal, (statements) =>
      removeLock(statements, scope),
    )
  }

  locks(signal: AbortSignal): Promise<readonly SessionLock[]> {
    return this.#database.read(signal, listLocks)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]()
  }
}

function findSession(statements: Statements, id: SessionId): Session | undefined {
  const row = statements.get('SELECT * FROM sessions WHERE id = :id', { id })
  return row && fromRow(row)
}

/** Why an update of an active session changed no row, in the same transaction. */
function whyNotHeard(statements: Statements, id: SessionId): WriteOutcome {
  const session = findSession(statements, id)
  if (!session) return 'missing'
  if (session.revocation) return 'revoked'
  return session.end ? 'ended' : 'stale'
}

function assertSameServer(statements: Statements, { id, serverInstanceId }: SessionStart): void {
  if (findSession(statements, id)?.serverInstanceId === serverInstanceId) return
  throw new SentinelError('SESSION_EXISTS', `session ${id} is another server's`)
}
