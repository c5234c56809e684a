import type {
  LockScope,
  Revocation,
  Session,
  SessionEnd,
  SessionId,
  SessionLock,
  SessionProgress,
  SessionStart,
} from '../domain/session.ts'
import type { Instant } from '../domain/time.ts'

/**
 * What became of a server's word about its own session. Only `written` changed anything, except
 * that `stale` says that a later word is already there, which is as good.
 */
export type WriteOutcome = 'written' | 'stale' | 'missing' | 'revoked' | 'ended'

/** Whom a server, or a single issuance, asks about. */
export interface LookSubject {
  /** Absent: there is no session, only the locks count. */
  readonly id?: SessionId
  readonly user: string
  readonly profile: string
}

/** What one strongly consistent read found. */
export interface Look {
  /** Absent when there is no such record, or none was asked for. */
  readonly session?: Session
  /** The locks on the user, the profile and everyone, those that are over included. */
  readonly locks: readonly SessionLock[]
}

/**
 * The part of a session store that issuing needs: a server's own record, and the orders about it.
 *
 * This and {@link SessionDirectory} hold for every implementation: safe for concurrent use by many
 * processes; every write is conditional on what is there and touches single attributes, nothing is
 * read, changed and put back; a revocation is a latch that nothing opens; nothing but `create` and
 * `lock` makes a record. Every method rejects with `STORE_UNAVAILABLE` when the backend does not
 * answer or `signal` aborts, with `STORE_NOT_FOUND` when the table or an index of it does not
 * exist, with `STORE_INVALID` when what is there cannot be understood, and with nothing else but
 * the codes named. `test/stores/session-store.conformance.ts` is this contract in executable form.
 */
export interface SessionRecords {
  /** Complete, as two ways of writing one place never differ: `dynamodb:eu-central-1:sessions`. */
  readonly location: string

  /**
   * Makes the record: active or, with `end`, ended at once, for a server that stops before it knew
   * whether an earlier try came through. Resolves to `exists` when the record is there from this
   * very server instance, and changes nothing then. Rejects with `SESSION_EXISTS` when the id is
   * another's.
   */
  create(
    session: SessionStart & SessionProgress & { readonly end?: SessionEnd },
    signal: AbortSignal,
  ): Promise<'created' | 'exists'>

  /**
   * Writes `progress` (touch and heartbeat are the same), unless the session is over. An older word
   * that arrives late, one with a smaller `requestCount`, is dropped: `stale`.
   */
  touch(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome>

  /**
   * Writes what was handed out before the server learned of its revocation: `requestCount`,
   * `lastAccessAt`, `expiresAt`, `sourceIdentity` and `logHead` of a record that is revoked. Of any
   * other it writes nothing: `ended` or, while it is active, `stale`.
   */
  settle(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome>

  /** Ends the session with its last `progress`, unless it is over. Takes it off the live ones. */
  end(
    id: SessionId,
    progress: SessionProgress,
    end: SessionEnd,
    signal: AbortSignal,
  ): Promise<WriteOutcome>

  /** Reads the session and the locks about it, strongly consistent, in one call of the backend. */
  look(subject: LookSubject, signal: AbortSignal): Promise<Look>
}

/** Which sessions to list; all that is given must hold. */
export interface SessionQuery {
  readonly user?: string
  readonly profile?: string
  /** Started then or later. */
  readonly since?: Instant
  /**
   * `live`: neither ended nor revoked, whether or not its server still runs. `all`: what the store
   * still has.
   */
  readonly which: 'live' | 'all'
}

export type RevokeOutcome =
  | { readonly outcome: 'revoked' | 'already revoked' | 'ended'; readonly session: Session }
  | { readonly outcome: 'missing' }

/** The part of a session store that people use: what there is, and the orders they give. */
export interface SessionDirectory {
  readonly location: string

  /** Strongly consistent. */
  get(id: SessionId, signal: AbortSignal): Promise<Session | undefined>

  /** The ids that begin with `prefix`: at most 10 of them, of all sessions the store has. */
  find(prefix: string, signal: AbortSignal): Promise<readonly SessionId[]>

  /**
   * Newest first by `startedAt`, without end: the caller takes as many as it wants, and the store
   * holds no more than a page or two of them. May miss what was written in the last second.
   * `onPage` hears how many records were looked at so far, those that do not match included.
   */
  list(
    query: SessionQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<Session>

  /** Latches the revocation of one that has not ended. Again: `already revoked`, and as it was. */
  revoke(id: SessionId, revocation: Revocation, signal: AbortSignal): Promise<RevokeOutcome>

  /** Sets a lock, unless one with a later `until` is there; resolves to the one that holds. */
  lock(lock: SessionLock, signal: AbortSignal): Promise<SessionLock>

  /** Takes a lock away; resolves to what it was, if there was one. */
  unlock(scope: LockScope, signal: AbortSignal): Promise<SessionLock | undefined>

  /** Every lock that the store has, newest first, those that are over included. At most 1000. */
  locks(signal: AbortSignal): Promise<readonly SessionLock[]>
}

/** Where sessions are tracked. Closing it leaves what is written. */
export interface SessionStore extends SessionRecords, SessionDirectory, AsyncDisposable {
  readonly location: string
}
