/**
 * What the commands about sessions say of an order: what it does from when on, what it cannot do,
 * and the command that goes on from there.
 *
 * @module
 */

import type { SessionFlags } from '../deps.ts'
import { describeScope, type LockScope, type Session, type SessionLock } from '../domain/session.ts'
import { type Instant, toSeconds } from '../domain/time.ts'
import { mayWorkUntil } from './session-table.ts'

/** From when on servers obey. */
export const WHEN_OBEYED = 'servers refuse within 5 seconds, while they reach the store'

/** What revoking one session did. `flags` are {@link storeFlags}. */
export function describeRevoked(
  { id, user, profile, expiresAt }: Session,
  { reason, now, flags }: { reason: string; now: Instant; flags: string },
): string {
  return [
    `revoked session ${id} of ${user} on ${profile}: its server refuses within 5 seconds, while it reaches the store`,
    describeRemains(expiresAt, now),
    `${user} can start another session; to stop that:`,
    `  sentinel session revoke --user ${quoted(user)} --reason ${quoted(reason)}${flags}`,
  ].join('\n')
}

/** Why a session that was revoked before is left as it is. */
export function describeRevokedBefore(session: Session, now: Instant): string {
  const { id, user, profile, revocation, expiresAt } = session
  const by = revocation
    ? ` by ${revocation.by} at ${toSeconds(revocation.at)}: ${revocation.reason}`
    : ''
  return `session ${id} of ${user} on ${profile} was revoked already${by}\n${describeRemains(expiresAt, now)}`
}

/** Until when credentials that are out still work. */
export function describeRemains(expiresAt: Instant, now: Instant): string {
  return now < expiresAt
    ? `credentials already handed out may work until ${mayWorkUntil(expiresAt)}: AWS knows of no revocation`
    : `credentials already handed out work no more, since ${mayWorkUntil(expiresAt)}`
}

/** What a lock does. */
export function describeLock({ scope, until, by, reason }: SessionLock): string {
  const whom = scope.kind === 'all' ? 'everyone is' : `${describeScope(scope)} is`
  return `${whom} locked until ${toSeconds(until)} by ${by}: ${reason}`
}

/** The command that lifts the lock of `scope`. */
export function unlockCommand(scope: LockScope, flags: string): string {
  return `sentinel session unlock ${scopeFlag(scope)}${flags}`
}

/** The flags that lead another command to the same store, each after a blank. */
export function storeFlags(options: SessionFlags): string {
  return (['session-table', 'session-store', 'policy', 'policy-parameter'] as const)
    .flatMap((name) => {
      const value = options[name]
      return value === undefined ? [] : [` --${name} ${quoted(value)}`]
    })
    .join('')
}

function scopeFlag(scope: LockScope): string {
  return scope.kind === 'all' ? '--all' : `--${scope.kind} ${quoted(scope.name)}`
}

/** `text` as one word of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+:,./][\w@%+:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
