import type { Revocation, SessionLock } from '../domain/session.ts'
import type { Instant } from '../domain/time.ts'
import type { SentinelError } from '../errors.ts'
import type { Look, LookSubject } from '../ports/session-store.ts'
import { accessLocked, recordGone, sessionRevoked } from './session-refusals.ts'

/** A lock, and what to refuse with while it holds. */
export interface LockNews {
  readonly until: Instant
  readonly error: SentinelError
}

/** What one look at a session means. */
export interface SessionNews {
  /** The session is revoked or, without a revocation, its record gone. */
  readonly end?: { readonly error: SentinelError; readonly revocation: Revocation | undefined }
  /** The lock that ends last of those found, in force or not. */
  readonly lock?: LockNews | undefined
}

interface Asked {
  readonly subject: LookSubject
  /** Where. */
  readonly location: string
  /** There was a record when it was asked: to find none means that it was taken away. */
  readonly isRecordExpected: boolean
}

/** Says what `look` means. Throws anything, should a store have given something else. */
export function newsOf({ session, locks }: Look, asked: Asked): SessionNews {
  const { id } = asked.subject
  const revocation = session?.revocation
  if (id !== undefined && revocation)
    return { end: { error: sessionRevoked(id, revocation), revocation } }
  // First: what has no locks is no look, and does not say that a record is gone either.
  const lock = lastOf(locks)
  if (id !== undefined && !session && asked.isRecordExpected)
    return { end: { error: recordGone(id, asked.location), revocation: undefined } }
  return { lock }
}

function lastOf(locks: readonly SessionLock[]): LockNews | undefined {
  const lock = locks.toSorted((one, other) => one.until - other.until).at(-1)
  return lock && { until: lock.until, error: accessLocked(lock) }
}
