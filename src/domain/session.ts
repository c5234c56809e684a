/**
 * A session: one run of the credential server, by one user, for one profile.
 *
 *     active ──end──▶ expired
 *        └───revoke──▶ revoked     final: no touch, end or deletion takes it back
 *
 * What is stored is what happened; what is shown is derived from it when it is read, since nothing
 * has to run for a server to have died ({@link shownStatus}).
 *
 * @module
 */
import { SentinelError } from '../errors.ts'
import { toHex } from './hex.ts'
import { type Instant, MINUTE } from './time.ts'

/** 16 lower-case hex digits, 64 random bits. */
export type SessionId = string & { readonly brand: 'SessionId' }

/** As shown: `stale` is one whose server is silent, though what it handed out may still work. */
export const SESSION_STATUSES = ['active', 'stale', 'expired', 'revoked'] as const
export type SessionStatus = (typeof SESSION_STATUSES)[number]

/** How long a server that says nothing counts as running. */
export const SESSION_LEASE = 3 * MINUTE

/** What is known of a session when it starts, and never changes. */
export interface SessionStart {
  readonly id: SessionId
  /** The user part of the SourceIdentity: what locks and `--user` name. */
  readonly user: string
  /** ARN. */
  readonly principal: string
  readonly profile: string
  /** Absent where the profile has no role. */
  readonly roleArn?: string
  /** 20 characters of base32, one a server: what makes a repeated create one create. */
  readonly serverInstanceId: string
  readonly startedAt: Instant
  readonly host: string
  readonly pid: number
  /** Sentinel's. */
  readonly version: string
}

/**
 * What the server tells of its session while it runs: totals, so that telling the same twice
 * changes nothing, and a late older word is told from a newer one. None of them ever goes down.
 */
export interface SessionProgress {
  /** Credentials handed out so far. */
  readonly requestCount: number
  readonly lastAccessAt?: Instant
  /** When the last of what was handed out expires; at first, of what may be. */
  readonly expiresAt: Instant
  /** The server is taken to run until then, unless it says more. */
  readonly leaseUntil: Instant
  /** The last one issued. */
  readonly sourceIdentity?: string
  /** Of the server's stream of the decision log: the first 16 bytes of its head's hash, in hex. */
  readonly logHead?: string
}

export interface SessionEnd {
  readonly at: Instant
  /** Lower case, at most 200 characters: `command ended with status 0`, `SIGTERM`. */
  readonly reason: string
}

export interface Revocation {
  readonly at: Instant
  /** Who: a user part, or `os:NAME` where only the operating system says so. */
  readonly by: string
  /** At most 200 characters. */
  readonly reason: string
}

export interface Session extends SessionStart, SessionProgress {
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly end?: SessionEnd
  readonly revocation?: Revocation
}

/** Who a lock is about. */
export type LockScope =
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'profile'; readonly name: string }
  | { readonly kind: 'all' }

/** An order that whoever it is about gets nothing until a time. */
export interface SessionLock {
  readonly scope: LockScope
  readonly at: Instant
  readonly until: Instant
  /** As {@link Revocation.by}. */
  readonly by: string
  /** At most 200 characters. */
  readonly reason: string
}

/** The status to show of `session` at `now`. Nothing the server decides reads it. */
export function shownStatus(session: Session, now: Instant): SessionStatus {
  if (session.revocation) return 'revoked'
  if (session.end) return 'expired'
  if (now < session.leaseUntil) return 'active'
  return now < session.expiresAt ? 'stale' : 'expired'
}

/** When a row may be cleaned up: 90 days after all it is about, in seconds since the epoch. */
export function removableAt(...times: readonly Instant[]): number {
  return Math.ceil(Math.max(...times) / 1000) + 90 * 24 * 3600
}

/** The key of a lock, beside those of sessions: `lock#user#alice`, `lock#all`. */
export function lockId(scope: LockScope): string {
  return scope.kind === 'all' ? 'lock#all' : `lock#${scope.kind}#${scope.name}`
}

/** `user alice`, `profile prod`, `everyone`. */
export function describeScope(scope: LockScope): string {
  return scope.kind === 'all' ? 'everyone' : `${scope.kind} ${scope.name}`
}

/** Writes 8 random bytes as the id of a session. */
export function toSessionId(bytes: Uint8Array): SessionId {
  if (bytes.length !== 8) throw new RangeError(`${bytes.length} bytes, not 8`)
  return toHex(bytes) as SessionId
}

export function isSessionId(text: string): text is SessionId {
  return /^[0-9a-f]{16}$/.test(text)
}

/** Reads an id, or the beginning of one: at least 4 digits. Throws `USAGE`. */
export function parseSessionPrefix(text: string): string {
  if (/^[0-9a-f]{4,16}$/.test(text)) return text
  throw new SentinelError('USAGE', `not a session id: "${text}"`, {
    hint: 'session ids are 16 lower-case hex digits, or their first 4 or more: sentinel session list',
  })
}

/** Reads why something was ended or locked: what will stand in the record. Throws `USAGE`. */
export function parseReason(text: string): string {
  const reason = text.trim()
  if (reason !== '' && [...reason].length <= 200) return reason
  throw new SentinelError('USAGE', 'a reason has 1 to 200 characters', {
    hint: 'say in a few words why, for whoever reads the record',
  })
}
