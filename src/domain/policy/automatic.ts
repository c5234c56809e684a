import type { Principal } from '../principal.ts'
import type { Instant } from '../time.ts'
import { isWithin } from './time-window.ts'
import type { ApprovalRule, Conditions, Policy } from './types.ts'
import { matchesUser } from './user-pattern.ts'

/** Whether `principal` is one of `users`, as the policy writes them. */
function isAmong(
  users: NonNullable<Conditions['users']>,
  principal: Principal,
  { principalAccounts }: Pick<Policy, 'principalAccounts'>,
): boolean {
  return users.some(({ pattern }) => matchesUser(pattern, principal, principalAccounts))
}

/**
 * Whether `principal` is one of those who decide about others. A session of a role stands for no
 * person, and may be the one who asked, come back as somebody else: it is one of them only where
 * such sessions are named, and not by `*`.
 */
export function isDecider(
  users: NonNullable<Conditions['users']>,
  principal: Principal,
  policy: Pick<Policy, 'principalAccounts'>,
): boolean {
  const isPerson = principal.kind === 'iam' || principal.kind === 'sso'
  const meant = isPerson ? users : users.filter(({ pattern }) => pattern.kind !== 'any')
  return isAmong(meant, principal, policy)
}

/** Those of `rule` who may approve what `principal` asks for: not who is nobody else but them. */
export function approversFor(
  { approvers }: ApprovalRule,
  principal: Principal,
  { principalAccounts }: Pick<Policy, 'principalAccounts'>,
): readonly string[] {
  return approvers
    .filter(
      ({ text, pattern }) =>
        text.includes('*') || !matchesUser(pattern, principal, principalAccounts),
    )
    .map(({ text }) => text)
}

/**
 * Whether `rule` approves by itself what `principal` asks for at `at`. Seconds: for how long at
 * most; `undefined`: it does not.
 */
export function automaticLimit(
  { autoApprove, maxDuration = Infinity }: ApprovalRule,
  principal: Principal,
  at: Instant,
  policy: Pick<Policy, 'principalAccounts'>,
): number | undefined {
  if (!autoApprove) return undefined
  const { users, time } = autoApprove
  if (users && !isAmong(users, principal, policy)) return undefined
  if (time && !isWithin(time, at)) return undefined
  return Math.min(autoApprove.maxDuration ?? Infinity, maxDuration)
}
