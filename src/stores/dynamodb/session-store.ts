import {
  describeScope,
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
import { type Item, time } from './attributes.ts'
import type { Change } from './expressions.ts'
import { keysThatBegin } from './index-walk.ts'
import { LOCK_PARTITION, lockAttributes, lockFromItem } from './lock-item.ts'
import { endOf, fromItem, handedOutOf, progressOf, revocationOf, toItem } from './session-item.ts'
import { listSessions } from './session-list.ts'
import { BATCH, DynamoDBTable, type TableAccess } from './table.ts'

// Without it an update makes the row that is not there.
const EXISTS = 'attribute_exists(#id)'
const NOT_OVER = `${EXISTS} AND attribute_not_exists(#revoked_at) AND attribute_not_exists(#ended_at)`
const NOT_LATE = '#request_count <= :request_count'

const MOST_FOUND = 10
const MOST_LOCKS = 1000

interface DynamoDBSessionStoreOptions extends TableAccess {
  /** In AWS time: where listing all sessions begins. */
  readonly now: () => Instant
  readonly close?: (() => void) | undefined
}

/**
 * Keeps sessions and locks in one DynamoDB table, `SESSIONS_TABLE`, of one's own account or of
 * another: shared by all who may read and write it.
 */
export class DynamoDBSessionStore implements SessionStore {
  readonly location: string
  readonly #table: DynamoDBTable
  readonly #now: () => Instant
  readonly #close: () => void

  constructor({ now, close = () => {}, ...access }: DynamoDBSessionStoreOptions) {
    this.location = access.location
    this.#table = new DynamoDBTable(access)
    this.#now = now
    this.#close = close
  }

  async create(
    session: SessionStart & SessionProgress & { readonly end?: SessionEnd },
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const { isMade, item } = await this.#table.create(toItem(session), signal)
    if (isMade) return 'created'
    // The SDK may have said it twice, and so may we: the row tells whose it is.
    if (item?.server_instance_id?.S === session.serverInstanceId) return 'exists'
    throw new SentinelError('SESSION_EXISTS', `session ${session.id} is another server's`)
  }

  async touch(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const set = { ...progressOf(progress), updated_at: time(at) }
    return this.#write(id, { set, condition: `${NOT_OVER} AND ${NOT_LATE}` }, signal)
  }

  async settle(
    id: SessionId,
    progress: SessionProgress,
    at: Instant,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const set = { ...handedOutOf(progress), updated_at: time(at) }
    const condition = `${EXISTS} AND attribute_exists(#revoked_at) AND ${NOT_LATE}`
    const outcome = await this.#write(id, { set, condition }, signal)
    // That it is revoked is what was asked for: only the count can have refused.
    return outcome === 'revoked' ? 'stale' : outcome
  }

  async end(
    id: SessionId,
    progress: SessionProgress,
    end: SessionEnd,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const set = { ...progressOf(progress), ...endOf(progress, end) }
    return this.#write(id, { set, remove: ['live'], condition: NOT_OVER }, signal)
  }

  async look({ id, user, profile }: LookSubject, signal: AbortSignal): Promise<Look> {
    const locks = [
      lockId({ kind: 'user', name: user }),
      lockId({ kind: 'profile', name: profile }),
      lockId({ kind: 'all' }),
    ]
    const rows = await this.#table.read(id === undefined ? locks : [id, ...locks], signal)
    const session = id && rows.get(id)
    return {
      ...(session && { session: fromItem(session, this.location) }),
      locks: this.#locksIn(rows, locks),
    }
  }

  async get(id: SessionId, signal: AbortSignal): Promise<Session | undefined> {
    const item = (await this.#table.read([id], signal)).get(id)
    return item && fromItem(item, this.location)
  }

  async find(prefix: string, signal: AbortSignal): Promise<readonly SessionId[]> {
    const found: SessionId[] = []
    for await (const id of keysThatBegin(this.#table, prefix, signal)) {
      found.push(id as SessionId)
      if (found.length === MOST_FOUND) break
    }
    return found
  }

  list(
    query: SessionQuery,
    signal: AbortSignal,
    onPage: (seen: number) => void = () => {},
  ): AsyncGenerator<Session> {
    return listSessions(this.#table, query, { now: this.#now(), signal, onPage })
  }

  async revoke(id: SessionId, revocation: Revocation, signal: AbortSignal): Promise<RevokeOutcome> {
    const change = { set: revocationOf(revocation), remove: ['live'], condition: NOT_OVER }
    const { isMade, item } = await this.#table.update(id, change, signal)
    if (item === undefined) return { outcome: 'missing' }
    const session = fromItem(item, this.location)
    if (isMade) return { outcome: 'revoked', session }
    return { outcome: session.revocation ? 'already revoked' : 'ended', session }
  }

  async lock(lock: SessionLock, signal: AbortSignal): Promise<SessionLock> {
    const change = {
      set: lockAttributes(lock),
      condition: 'attribute_not_exists(#id) OR #until <= :until',
    }
    const { item } = await this.#table.update(lockId(lock.scope), change, signal)
    if (item !== undefined) return lockFromItem(item, this.location)
    const message = `the lock on ${describeScope(lock.scope)} was taken away while it was being set`
    throw new SentinelError('STORE_UNAVAILABLE', message, { hint: 'try again' })
  }

  async unlock(scope: LockScope, signal: AbortSignal): Promise<SessionLock | undefined> {
    const item = await this.#table.delete(lockId(scope), signal)
    return item && lockFromItem(item, this.location)
  }

  async locks(signal: AbortSignal): Promise<readonly SessionLock[]> {
    const locks: SessionLock[] = []
    const query = { index: 'gsi-live', key: 'live', value: LOCK_PARTITION }
    for await (const page of this.#table.query(query, signal)) {
      const ids = page.flatMap(({ id }) => id?.S ?? [])
      for (let first = 0; first < ids.length; first += BATCH) {
        const some = ids.slice(first, first + BATCH)
        locks.push(...this.#locksIn(await this.#table.read(some, signal), some))
      }
      if (locks.length >= MOST_LOCKS) break
    }
    return locks.slice(0, MOST_LOCKS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
  }

  async #write(id: SessionId, change: Change, signal: AbortSignal): Promise<WriteOutcome> {
    const { isMade, item } = await this.#table.update(id, change, signal)
    if (isMade) return 'written'
    if (item === undefined) return 'missing'
    const { revocation, end } = fromItem(item, this.location)
    if (revocation) return 'revoked'
    return end ? 'ended' : 'stale'
  }

  #locksIn(rows: ReadonlyMap<string, Item>, ids: readonly string[]): readonly SessionLock[] {
    return ids
      .map((id) => rows.get(id))
      .filter((item) => item !== undefined)
      .map((item) => lockFromItem(item, this.location))
  }
}
