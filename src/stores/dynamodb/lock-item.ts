import { type LockScope, lockId, removableAt, type SessionLock } from '../../domain/session.ts'
import { type Item, integer, openRow, type Row, text, time } from './attributes.ts'

/** The value of `live` that all locks have: they are few, and listed by one query. */
export const LOCK_PARTITION = 'lock'

/** The attributes of a lock's row but its key, {@link lockId}. */
export function lockAttributes({ at, until, by, reason }: SessionLock): Item {
  return {
    by: text(by),
    reason: text(reason),
    until: time(until),
    started_at: time(at),
    created_at: time(at),
    updated_at: time(at),
    live: text(LOCK_PARTITION),
    ttl: integer(removableAt(until)),
  }
}

/** Reads a row back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function lockFromItem(item: Item, location: string): SessionLock {
  const row = openRow(item, location)
  return {
    scope: readScope(row),
    at: row.instant('started_at'),
    until: row.instant('until'),
    by: row.text('by'),
    reason: row.text('reason'),
  }
}

function readScope(row: Row): LockScope {
  const [, kind, name] = /^lock#(user|profile|all)(?:#(.+))?$/s.exec(row.text('id')) ?? []
  if (kind === 'all' && name === undefined) return { kind }
  if ((kind === 'user' || kind === 'profile') && name !== undefined) return { kind, name }
  throw row.invalid('its id is not that of a lock')
}
