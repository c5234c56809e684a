import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Notification } from '../../src/domain/notification.ts'
import {
  type LockScope,
  type SessionId,
  type SessionLock,
  type SessionProgress,
  type SessionStart,
  toSessionId,
} from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'

/** What a backend gives to be held to the contract: the place may be shared with other tests. */
export interface StoreUnderTest {
  readonly store: SessionStore
  /** Another handle on the same place, as another process has one. */
  readonly peer: SessionStore
  /** Deletes the row of a session behind the stores' backs, as a clean-up by `ttl` does. */
  remove(id: SessionId): Promise<void>
  /** How long `list`, `find` and `locks` may take to know what was written. Absent: they know. */
  readonly indexLagMs?: number
}

/** Opens a place for one test, which closes `store` and `peer`: closing twice must be harmless. */
export type OpenStoreUnderTest = () => Promise<StoreUnderTest>

/** Opens a place for the test `t`, and closes it after. */
export async function openIn<
  Place extends { readonly store: AsyncDisposable; readonly peer: AsyncDisposable },
>(t: TestContext, open: () => Promise<Place>): Promise<Place> {
  const place = await open()
  t.after(async () => {
    await place.peer[Symbol.asyncDispose]()
    if (place.store !== place.peer) await place.store[Symbol.asyncDispose]()
  })
  return place
}

/** Around which the tests' sessions start: whole milliseconds that no second ends with. */
export const NOW = Math.floor(Date.now() / MINUTE) * MINUTE - HOUR + 7

/** For calls that nobody gives up. */
export const WAITING = new AbortController().signal

/** An id, a user and a profile that no other test has. */
export function someone(): { id: SessionId; user: string; profile: string } {
  const name = randomBytes(4).toString('hex')
  return { id: toSessionId(randomBytes(8)), user: `user-${name}`, profile: `profile ${name}` }
}

/** A session as its server creates it, of a user and a profile of its own unless told. */
export function aSession(
  overrides: Partial<SessionStart & SessionProgress> = {},
): SessionStart & SessionProgress {
  const { startedAt = NOW } = overrides
  return {
    ...someone(),
    principal: 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/alice',
    roleArn: 'arn:aws:iam::444455556666:role/Prod',
    serverInstanceId: randomBytes(10)
      .toString('hex')
      .replaceAll(/[^a-z2-7]/g, 'x'),
    host: 'laptop',
    pid: 4711,
    version: '0.1.0',
    requestCount: 0,
    startedAt,
    expiresAt: startedAt + 15 * MINUTE,
    leaseUntil: startedAt + 3 * MINUTE,
    ...overrides,
  }
}

/** What a server says of its session after `requestCount` credentials. */
export function progress(requestCount: number, startedAt = NOW): Required<SessionProgress> {
  const at = startedAt + requestCount * 1234
  return {
    requestCount,
    lastAccessAt: at,
    expiresAt: at + 15 * MINUTE,
    leaseUntil: at + 3 * MINUTE,
    sourceIdentity: `alice-${String(requestCount).padStart(20, 'a')}`,
    logHead: `${requestCount.toString(16)}e`.padStart(32, '0'),
  }
}

export function aLock(scope: LockScope, overrides: Partial<SessionLock> = {}): SessionLock {
  return { scope, at: NOW, until: NOW + HOUR, by: 'bob', reason: 'laptop stolen', ...overrides }
}

/** An id of a request, an event or a notification that no other test has. */
export function anId(): string {
  return Array.from(randomBytes(20), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join(
    '',
  )
}

export function aNotification(overrides: Partial<Notification> = {}): Notification {
  return {
    id: anId(),
    event: 'request.created',
    at: NOW,
    target: { kind: 'webhook', address: 'https://hooks.example/sentinel' },
    fields: { requester: 'alice', duration: 3600 },
    ...overrides,
  }
}

/** Asserts by `check`, which may fail for as long as the place's indexes may lag. */
export async function eventually(
  { indexLagMs = 0 }: Pick<StoreUnderTest, 'indexLagMs'>,
  check: () => Promise<void>,
): Promise<void> {
  const deadline = AbortSignal.timeout(indexLagMs)
  for (;;) {
    const isLast = indexLagMs === 0 || deadline.aborted
    try {
      return await check()
    } catch (error) {
      if (isLast) throw error
      await delay(20)
    }
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
