import {
  describeScope,
  type LockScope,
  type Session,
  type SessionId,
  type SessionLock,
} from '../domain/session.ts'
import { isShared } from '../domain/store-location.ts'
import { type Instant, MINUTE, toSeconds, toTimestamp } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionDirectory, SessionQuery } from '../ports/session-store.ts'
import { sessionNotFound } from './find-session.ts'
import { patience, patiently } from './patience.ts'
import type { Operator, OrderLog } from './session-orders.ts'

/** How many sessions are revoked at the same time. */
const WIDTH = 8

/** How long an index of a shared store may lag behind. */
const LAG_MS = 1500

interface RevokeDeps {
  readonly directory: SessionDirectory
  readonly clock: Pick<Clock, 'aws'>
  readonly log: OrderLog
}

interface Order {
  readonly operator: Operator
  readonly reason: string
}

/** What became of one session of many. */
export type RevocationReport =
  | {
      readonly outcome: 'revoked' | 'already revoked' | 'ended' | 'missing'
      readonly session: Session
    }
  | { readonly outcome: 'failed'; readonly session: Session; readonly error: SentinelError }

/**
 * Revokes one session; one that is revoked already stays as it is. Rejects with `SESSION_ENDED` or
 * `SESSION_NOT_FOUND` when there is nothing to revoke.
 */
export async function revokeSession(
  deps: RevokeDeps,
  id: SessionId,
  order: Order,
): Promise<{ readonly outcome: 'revoked' | 'already revoked'; readonly session: Session }> {
  const result = await revokeOne(deps, id, order)
  if (result.outcome === 'missing') throw sessionNotFound(id)
  const { outcome, session } = result
  if (outcome === 'ended') throw sessionEnded(session, deps.clock.aws())
  return { outcome, session }
}

/** How many live sessions `scope` is about. `onPage` hears how many were looked at so far. */
export async function countLive(
  directory: Pick<SessionDirectory, 'list'>,
  scope: LockScope,
  onPage: (seen: number) => void,
): Promise<number> {
  let count = 0
  for await (const _ of live(directory, queryOf(scope), onPage)) count += 1
  return count
}

/** Sets the lock of `scope`; resolves to the one that holds: it may be an earlier, longer one. */
export async function lockScope(
  { directory, clock, log }: RevokeDeps,
  {
    scope,
    until,
    operator,
    reason,
  }: Order & { readonly scope: LockScope; readonly until: Instant },
): Promise<SessionLock> {
  const wanted = { scope, at: clock.aws(), until, by: operator.by, reason }
  const lock = await directory.lock(wanted, patience())
  await log.write({
    type: 'session.locked',
    lock: describeScope(scope),
    reason,
    until: toTimestamp(lock.until),
  })
  return lock
}

/** Takes the lock of `scope` away. Rejects with `LOCK_NOT_FOUND` when there is none. */
export async function unlockScope(
  { directory, log }: Omit<RevokeDeps, 'clock'>,
  scope: LockScope,
): Promise<SessionLock> {
  const lock = await directory.unlock(scope, patience())
  if (lock === undefined) {
    throw new SentinelError('LOCK_NOT_FOUND', `there is no lock on ${describeScope(scope)}`, {
      hint: 'see which there are: sentinel session list',
    })
  }
  await log.write({
    type: 'session.unlocked',
    lock: describeScope(scope),
    reason: lock.reason,
    until: toTimestamp(lock.until),
  })
  return lock
}

/**
 * Revokes every live session of `scope`, several at a time, and reports each. One that fails stops
 * none of the others. What was revoked stays so: the same again goes on where this one broke off.
 */
export async function* revokeScope(
  deps: RevokeDeps,
  { scope, ...order }: Order & { readonly scope: LockScope },
): AsyncGenerator<RevocationReport, void, undefined> {
  const { directory, clock } = deps
  // Started too late to be listed for sure, these are looked for once more; they start no further
  // ones, since the lock is there.
  const since = clock.aws() - MINUTE
  const done = new Set<SessionId>()
  yield* revokeListed(deps, queryOf(scope), order, (session) => {
    if (session.startedAt < since) return true
    const isNew = !done.has(session.id)
    done.add(session.id)
    return isNew
  })
  if (isShared(directory.location)) await new Promise((resolve) => setTimeout(resolve, LAG_MS))
  yield* revokeListed(deps, { ...queryOf(scope), since }, order, ({ id }) => !done.has(id))
}

async function* revokeListed(
  deps: RevokeDeps,
  query: SessionQuery,
  order: Order,
  isWanted: (session: Session) => boolean,
): AsyncGenerator<RevocationReport, void, undefined> {
  let batch: Session[] = []
  for await (const session of live(deps.directory, query)) {
    if (!isWanted(session)) continue
    batch.push(session)
    if (batch.length < WIDTH) continue
    yield* await Promise.all(batch.map((one) => report(deps, one, order)))
    batch = []
  }
  yield* await Promise.all(batch.map((one) => report(deps, one, order)))
}

async function report(deps: RevokeDeps, session: Session, order: Order): Promise<RevocationReport> {
  try {
    return { session, ...(await revokeOne(deps, session.id, order)) }
  } catch (error) {
    if (!hasCode(error, 'STORE_UNAVAILABLE', 'STORE_INVALID', 'STORE_NOT_FOUND')) throw error
    return { outcome: 'failed', session, error }
  }
}

async function revokeOne(
  { directory, clock, log }: RevokeDeps,
  id: SessionId,
  { operator, reason }: Order,
) {
  const revocation = { at: clock.aws(), by: operator.by, reason }
  const result = await directory.revoke(id, revocation, patience())
  if (result.outcome === 'revoked') {
    const { user, profile, expiresAt } = result.session
    await log.write({
      type: 'session.revoked',
      session_id: id,
      session_user: user,
      profile,
      reason,
      expires_at: toTimestamp(expiresAt),
    })
  }
  return result
}

function live(
  directory: Pick<SessionDirectory, 'list'>,
  query: SessionQuery,
  onPage: (seen: number) => void = () => {},
) {
  return patiently((signal, renew) =>
    directory.list(query, signal, (seen) => {
      renew()
      onPage(seen)
    }),
  )
}

function queryOf(scope: LockScope): SessionQuery {
  return { which: 'live', ...(scope.kind !== 'all' && { [scope.kind]: scope.name }) }
}

function sessionEnded({ id, user, end, expiresAt }: Session, now: Instant): SentinelError {
  const when = end ? ` at ${toSeconds(end.at)}: ${end.reason}` : ''
  return new SentinelError('SESSION_ENDED', `session ${id} ended${when}`, {
    hint:
      now < expiresAt
        ? `what it handed out may work until ${toSeconds(expiresAt)}; to refuse ${user} more: sentinel session revoke --user ${user} --reason …`
        : `to refuse ${user} more: sentinel session revoke --user ${user} --reason …`,
  })
}
