import type { BreakGlassEvent } from '../domain/break-glass.ts'
import { isDecider } from '../domain/policy/automatic.ts'
import { matchesGlob } from '../domain/policy/glob.ts'
import type { ApprovalRule, Policy } from '../domain/policy/types.ts'
import type { Principal } from '../domain/principal.ts'

type Users = ApprovalRule['approvers']

/**
 * Who reviews an event by the policy as it is now: the reviewers of the rule it was allowed by, or
 * else (that rule names none, or is gone) the approvers of its profile. Empty: nobody.
 */
export function reviewersOf(
  { breakGlass, approvals }: Policy,
  { rule, profile }: Pick<BreakGlassEvent, 'rule' | 'profile'>,
): Users {
  const reviewers = breakGlass.find(({ name }) => name === rule)?.reviewers
  if (reviewers) return reviewers
  const covering = approvals.find(({ profiles }) =>
    profiles.some((pattern) => matchesGlob(pattern, profile)),
  )
  return covering?.approvers ?? []
}

/** Whether `principal` is one of those who review `event`. */
export function isReviewer(
  policy: Policy,
  event: Pick<BreakGlassEvent, 'rule' | 'profile'>,
  principal: Principal,
): boolean {
  return isDecider(reviewersOf(policy, event), principal, policy)
}

/** `bob or carol`, as the policy writes them, for hints. */
export function describeReviewers(
  policy: Policy,
  event: Pick<BreakGlassEvent, 'rule' | 'profile'>,
): string {
  const texts = reviewersOf(policy, event).map(({ text }) => text)
  return texts.length === 0 ? 'somebody whom the policy names' : texts.join(' or ')
}
