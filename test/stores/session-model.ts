/**
 * A store of one session and one lock, as naive as can be: a function from what there is and an
 * order to what there is then and the answer. What a real store answers to several orders at once
 * must be what this one answers to them in some order.
 *
 * @module
 */
import type {
  Revocation,
  Session,
  SessionEnd,
  SessionLock,
  SessionProgress,
  SessionStart,
} from '../../src/domain/session.ts'
import type { Instant } from '../../src/domain/time.ts'

export interface Kept {
  readonly session?: Session
  readonly lock?: SessionLock
}

type Creation = SessionStart & SessionProgress & { readonly end?: SessionEnd }

export type Order =
  | { readonly verb: 'create'; readonly session: Creation }
  | { readonly verb: 'touch' | 'settle'; readonly progress: SessionProgress; readonly at: Instant }
  | { readonly verb: 'end'; readonly progress: SessionProgress; readonly end: SessionEnd }
  | { readonly verb: 'revoke'; readonly revocation: Revocation }
  | { readonly verb: 'lock'; readonly lock: SessionLock }
  /** `delete`: behind the store's back, as a clean-up does. */
  | { readonly verb: 'unlock' | 'delete' }

/** What there is after `order`, and what a store answers: for a rejection its code. */
export function obey(kept: Kept, order: Order): { readonly kept: Kept; readonly answer: unknown } {
  switch (order.verb) {
    case 'create':
      return create(kept, order.session)
    case 'touch':
    case 'settle':
    case 'end':
      return hear(kept, order)
    case 'revoke':
      return revoke(kept, order.revocation)
    case 'lock': {
      const lock = kept.lock && kept.lock.until > order.lock.until ? kept.lock : order.lock
      return { kept: { ...kept, lock }, answer: lock }
    }
    case 'unlock': {
      const { lock, ...rest } = kept
      return { kept: rest, answer: lock }
    }
    case 'delete': {
      const { session: _, ...rest } = kept
      return { kept: rest, answer: undefined }
    }
  }
}

function create(kept: Kept, session: Creation) {
  if (kept.session) {
    const isSame = kept.session.serverInstanceId === session.serverInstanceId
    return { kept, answer: isSame ? 'exists' : 'SESSION_EXISTS' }
  }
  const createdAt = session.startedAt
  const record = { ...session, createdAt, updatedAt: session.end?.at ?? createdAt }
  return { kept: { ...kept, session: record }, answer: 'created' }
}

function hear(kept: Kept, order: Order & { verb: 'touch' | 'settle' | 'end' }) {
  const { session } = kept
  if (!session) return { kept, answer: 'missing' }
  if (session.end) return { kept, answer: 'ended' }
  if (session.revocation && order.verb !== 'settle') return { kept, answer: 'revoked' }
  if (!session.revocation && order.verb === 'settle') return { kept, answer: 'stale' }
  // An end is the last word of its server: these orders hold none that is older.
  if (order.progress.requestCount < session.requestCount) return { kept, answer: 'stale' }

  const { leaseUntil, ...handedOut } = order.progress
  const word = order.verb === 'settle' ? handedOut : { ...handedOut, leaseUntil }
  const said =
    order.verb === 'end'
      ? { ...word, end: order.end, updatedAt: order.end.at }
      : { ...word, updatedAt: order.at }
  return { kept: { ...kept, session: { ...session, ...said } }, answer: 'written' }
}

function revoke(kept: Kept, revocation: Revocation) {
  const { session } = kept
  if (!session) return { kept, answer: { outcome: 'missing' } }
  if (session.revocation) return { kept, answer: { outcome: 'already revoked', session } }
  if (session.end) return { kept, answer: { outcome: 'ended', session } }

  const revoked = { ...session, revocation, updatedAt: revocation.at }
  return {
    kept: { ...kept, session: revoked },
    answer: { outcome: 'revoked', session: revoked },
  }
}
