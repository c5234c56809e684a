/**
 * What is wrong with a session, as its user and the child's SDK are told. What the store gave is
 * put in as it is, but for its length: whoever prints it makes it fit to print.
 *
 * @module
 */
import {
  describeScope,
  type Revocation,
  type SessionId,
  type SessionLock,
} from '../domain/session.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { LookSubject } from '../ports/session-store.ts'

/** What a lookup came to nothing for. */
interface Unanswered {
  readonly text: string
  readonly hint: string
}

export function sessionRevoked(id: SessionId, revocation: Revocation): SentinelError {
  const by = clip(revocation.by)
  const reason = clip(revocation.reason)
  return new SentinelError('SESSION_REVOKED', `session ${id} was revoked by ${by}: ${reason}`, {
    hint: `ask ${by} before you start another session`,
    reply: `the session was revoked by ${by}: ${reason}`,
  })
}

export function recordGone(id: SessionId, location: string): SentinelError {
  return new SentinelError(
    'SESSION_REVOKED',
    `session ${id} counts as revoked: its record is gone from ${location}`,
    {
      hint: 'ask whoever looks after the session store before you start another session',
      reply: 'the session counts as revoked: its record is gone',
    },
  )
}

export function accessLocked({ scope, until, by, reason }: SessionLock): SentinelError {
  const [who, whom, why] = [describeScope(scope), clip(by), clip(reason)]
  const message = `${who} is locked until ${toSeconds(until)} by ${whom}: ${why}`
  return new SentinelError('SESSION_LOCKED', message, {
    hint: `wait until then, or ask ${whom} to unlock it`,
    reply: message,
  })
}

/** The refusal while nobody knows, and will in a moment: after a sleep, say. */
export function beingLookedUp(subject: LookSubject, location: string): SentinelError {
  const what = subject.id === undefined ? 'locks are' : `session ${subject.id} is`
  return new SentinelError('STORE_UNAVAILABLE', `${what} being looked up again in ${location}`, {
    hint: 'ask again in a second',
    reply: 'the session is being looked up again: ask again in a second',
  })
}

/** The refusal when nobody knows, because of `fault`. */
export function sessionUnverified(subject: LookSubject, fault: unknown): SentinelError {
  const { text, hint } = explainFault(fault)
  const what = unverified(subject)
  return new SentinelError('STORE_UNAVAILABLE', `${what}: ${text}`, {
    hint,
    cause: fault,
    reply: `${what} at the moment`,
  })
}

/** `the session cannot be verified`. */
export function unverified({ id }: LookSubject): string {
  return id === undefined ? 'locks cannot be looked up' : 'the session cannot be verified'
}

/** The fault of a store that said nothing for `seconds`. */
export function noAnswer(location: string, seconds: number): SentinelError {
  return new SentinelError(
    'STORE_UNAVAILABLE',
    `the session store ${location} did not answer within ${seconds} seconds`,
    { hint: 'look whether the session store can be reached' },
  )
}

/** What a lookup failed with. Whatever no store should throw is a bug, and told as one. */
export function explainFault(fault: unknown): Unanswered {
  if (fault instanceof SentinelError) {
    const { message, hint = 'look whether the session store can be reached' } = fault
    return { text: message, hint }
  }
  const what = fault instanceof Error ? `${fault.name}: ${fault.message}` : typeof fault
  return {
    text: `looking it up failed, which is a bug: ${clip(what)}`,
    hint: 'report the bug, and what the session store is',
  }
}

/** As much of `text` as a reason may be long. */
function clip(text: string): string {
  const characters = [...text]
  return characters.length <= 200 ? text : `${characters.slice(0, 199).join('')}…`
}
