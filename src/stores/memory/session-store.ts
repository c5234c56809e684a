import {
  type LockScope,
  lockId,
  type Revocation,
  type Session,
  type SessionEnd,
  type SessionId,
  type SessionLock,
  type SessionProgress,
  type SessionStart,
} from '../../domain/session.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type {
  Look,
  LookSubject,
  RevokeOutcome,
  SessionQuery,
  SessionStore,
  WriteOutcome,
} from '../../ports/session-store.ts'
import { assertAwaited } from './assert-awaited.ts'

/** What a {@link MemorySessionStore} keeps: two stores over one set of rows are one place. */
export interface MemoryRows {
  readonly sessions: Map<SessionId, Session>
  /** By `lockId`. */
  readonly locks: Map<string, SessionLock>
}

/** Keeps sessions in this process only, and forgets them with it. */
export class MemorySessionStore implements SessionStore {
  // Every method reads and writes without awaiting in between: that is what makes it atomic.
  readonly location = 'memory:'
  readonly #sessions: MemoryRows['sessions']
  readonly #locks: MemoryRows['locks']

  constructor(rows: MemoryRows = { sessions: new Map(), locks: new Map() }) {
    this.#sessions = rows.sessions
    this.#locks = rows.locks
  }

  async create(
    session: SessionStart & SessionProgress & { readonly end?: SessionEnd },
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    assertAwaited(signal)
    const found = this.#sessions.get(session.id)
    if (found?.serverInstanceId === session.serverInstanceId) return 'exists'
    if (found) {
      throw new SentinelError('SESSION_EXISTS', `session ${session.id} is another server's`)
    }

    const { startedAt, end } = session
    this.#sessions.set(session.id, {
      ...session,
      createdAt: startedAt,
      updatedAt: end?.at ?? startedAt,
    })
    return 'created'
  }

  async touch(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    assertAwaited(signal)
    const session = this.#sessions.get(id)
    const refusal = whyNotActive(session)
    if (!session || refusal) return refusal ?? 'missing'
    if (progress.requestCount < session.requestCount) return 'stale'

    this.#sessions.set(id, { ...session, ...progress, updatedAt: at })
    return 'written'
  }

  async settle(
    id: SessionId,
    { leaseUntil: _, ...handedOut }: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    assertAwaited(signal)
    const session = this.#sessions.get(id)
    if (!session) return 'missing'
    if (session.end) return 'ended'
    if (!session.revocation || handedOut.requestCount < session.requestCount) return 'stale'

    this.#sessions.set(id, { ...session, ...handedOut, updatedAt: at })
    return 'written'
  }

  async end(
    id: SessionId,
    progress: SessionProgress,
    end: SessionEnd,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    assertAwaited(signal)
    const session = this.#sessions.get(id)
    const refusal = whyNotActive(session)
    if (!session || refusal) return refusal ?? 'missing'

    this.#sessions.set(id, { ...session, ...progress, end, updatedAt: end.at })
    return 'written'
  }

  async look({ id, user, profile }: LookSubject, signal: AbortSignal): Promise<Look> {
    assertAwaited(signal)
    const scopes: LockScope[] = [
      { kind: 'user', name: user },
      { kind: 'profile', name: profile },
      { kind: 'all' },
    ]
    const session = id && this.#sessions.get(id)
    const locks = scopes.flatMap((scope) => this.#locks.get(lockId(scope)) ?? [])
    return { ...(session && { session }), locks }
  }

  async get(id: SessionId, signal: AbortSignal): Promise<Session | undefined> {
    assertAwaited(signal)
    return this.#sessions.get(id)
  }

  async find(prefix: string, signal: AbortSignal): Promise<readonly SessionId[]> {
    assertAwaited(signal)
    const begins = (id: SessionId) => id.startsWith(prefix)
    return this.#sessions.keys().filter(begins).take(10).toArray()
  }

  async *list(
    query: SessionQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncGenerator<Session> {
    assertAwaited(signal)
    onPage?.(this.#sessions.size)
    const newestFirst = [...this.#sessions.values()]
      .filter((session) => matches(query, session))
      .toSorted((a, b) => b.startedAt - a.startedAt)
    for (const session of newestFirst) {
      assertAwaited(signal)
      yield session
    }
  }

  async revoke(
    id: SessionId,
    { at, by, reason }: Revocation,
    signal: AbortSignal,
  ): Promise<RevokeOutcome> {
    assertAwaited(signal)
    const session = this.#sessions.get(id)
    if (!session) return { outcome: 'missing' }
    if (session.revocation) return { outcome: 'already revoked', session }
    if (session.end) return { outcome: 'ended', session }

    const revoked = { ...session, revocation: { at, by, reason }, updatedAt: at }
    this.#sessions.set(id, revoked)
    return { outcome: 'revoked', session: revoked }
  }

  async lock(lock: SessionLock, signal: AbortSignal): Promise<SessionLock> {
    assertAwaited(signal)
    const key = lockId(lock.scope)
    const found = this.#locks.get(key)
    if (found && found.until > lock.until) return found

    this.#locks.set(key, lock)
    return lock
  }

  async unlock(scope: LockScope, signal: AbortSignal): Promise<SessionLock | undefined> {
    assertAwaited(signal)
    const found = this.#locks.get(lockId(scope))
    this.#locks.delete(lockId(scope))
    return found
  }

  async locks(signal: AbortSignal): Promise<readonly SessionLock[]> {
    assertAwaited(signal)
    return [...this.#locks.values()].toSorted((a, b) => b.at - a.at).slice(0, 1000)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Why a server's word about `session` is not heard; `undefined` while it is active. */
function whyNotActive(session: Session | undefined): 'missing' | 'revoked' | 'ended' | undefined {
  if (!session) return 'missing'
  if (session.revocation) return 'revoked'
  return session.end && 'ended'
}

function matches({ user, profile, since, which }: SessionQuery, session: Session): boolean {
  return (
    (user === undefined || session.user === user) &&
    (profile === undefined || session.profile === profile) &&
    (since === undefined || session.startedAt >= since) &&
    (which === 'all' || !(session.end || session.revocation))
  )
}
