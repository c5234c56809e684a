import { type LockScope, lockId, removableAt, type SessionLock } from '../../domain/session.ts'
import { toTimestamp } from '../../domain/time.ts'
import { instant, invalid, text } from './columns.ts'
import type { Row, Statements } from './connection.ts'

// Each of these is a part of a transaction, in the file that also has the sessions.

/** Sets `lock`, unless one that holds longer is there; returns the one that holds. */
export function setLock(statements: Statements, lock: SessionLock): SessionLock {
  statements.run(
    `INSERT INTO session_locks (id, reason, "by", until, created_at, updated_at, ttl)
     VALUES (:id, :reason, :by, :until, :at, :at, :ttl)
     ON CONFLICT (id) DO UPDATE SET
       reason = excluded.reason, "by" = excluded."by", until = excluded.until, ttl = excluded.ttl,
       created_at = excluded.created_at, updated_at = excluded.updated_at
     WHERE excluded.until >= until`,
    {
      id: lockId(lock.scope),
      reason: lock.reason,
      by: lock.by,
      until: toTimestamp(lock.until),
      at: toTimestamp(lock.at),
      ttl: removableAt(lock.at, lock.until),
    },
  )
  return findLocks(statements, [lock.scope])[0] ?? lock
}

/** Takes the lock on `scope` away; returns what it was. */
export function removeLock(statements: Statements, scope: LockScope): SessionLock | undefined {
  const row = statements.get('DELETE FROM session_locks WHERE id = :id RETURNING *', {
    id: lockId(scope),
  })
  return row && toLock(row)
}

/** The locks on any of `scopes`. */
export function findLocks(statements: Statements, scopes: readonly LockScope[]): SessionLock[] {
  const ids = JSON.stringify(scopes.map(lockId))
  return statements
    .all('SELECT * FROM session_locks WHERE id IN (SELECT value FROM json_each(:ids))', { ids })
    .map(toLock)
}

/** Every lock, the newest first, at most 1000. */
export function listLocks(statements: Statements): SessionLock[] {
  return statements
    .all('SELECT * FROM session_locks ORDER BY created_at DESC LIMIT 1000', {})
    .map(toLock)
}

function toLock(row: Row): SessionLock {
  return {
    scope: scopeOf(row),
    at: instant(row, 'created_at'),
    until: instant(row, 'until'),
    by: text(row, 'by'),
    reason: text(row, 'reason'),
  }
}

function scopeOf(row: Row): LockScope {
  const [, kind, name] = /^lock#(user|profile|all)(?:#(.+))?$/s.exec(text(row, 'id')) ?? []
  if (kind === 'all' && name === undefined) return { kind }
  if ((kind === 'user' || kind === 'profile') && name !== undefined) return { kind, name }
  throw invalid(row, 'id')
}
