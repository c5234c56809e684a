import { toSeconds } from '../time.ts'
import { matchesRule } from './conditions.ts'
import type { Facts } from './facts.ts'
import { findLift, type Lift, liftersOf } from './grants.ts'
import type { Decision, Rule } from './types.ts'

/** A decision without what would change it. */
export type Verdict = Omit<Decision, 'remedies'>

/**
 * Decides by the first rule that matches, or else denies; a live grant may lift the refusal.
 *
 * I1: `outcome` is `allow` in two places only: where the rule's effect permits the access, and
 * where a grant lifts what it does not permit.
 */
export function judge(facts: Facts): Verdict {
  const { policy, binding } = facts
  if (binding.kind === 'other_role') return refuseOtherRole(facts, binding.role)

  const index = policy.rules.findIndex((candidate) => matchesRule(candidate, facts))
  const rule = policy.rules[index]
  const decided: Decided = {
    effect: rule?.effect ?? 'deny',
    ...(rule && { rule: { name: rule.name, index } }),
  }
  if (rule && isPermitted(rule, facts)) return permit(decided, rule, facts)

  const lift = findLift(liftersOf(rule, facts), facts)
  if (lift) return permitByGrant(decided, rule, lift, facts)
  return { ...decided, outcome: 'refuse', basis: 'policy', reason: refusalReason(rule, facts) }
}

type Decided = Pick<Decision, 'effect' | 'rule'>

/** The name stands for another role than the policy says: final, whatever the rules are. */
function refuseOtherRole({ input }: Facts, bound: string): Verdict {
  const found = input.target.roleArn ?? 'no role'
  return {
    outcome: 'refuse',
    effect: 'deny',
    basis: 'policy',
    reason: `profile "${input.profile}" stands for ${found}, and the policy binds it to ${bound}`,
  }
}

/** Whether the effect of `rule` alone, without a grant, lets the access be. */
function isPermitted({ effect }: Rule, { policy, input }: Facts): boolean {
  switch (effect) {
    case 'allow':
      return true
    case 'deny':
    case 'require_approval':
      return false
    case 'require_server':
      return input.mode === 'server'
    case 'require_server_session':
      return input.mode === 'server' && isTracked(policy.stores.sessions, input.sessionStore)
    default:
      effect satisfies never
      return false
  }
}

/** Whether the session's record is where somebody else can revoke it. */
export function isTracked(named: string | undefined, actual: string | undefined): boolean {
  if (actual === undefined) return false
  return named === undefined ? /^(?:dynamodb|arn:[^:]+:dynamodb):/.test(actual) : named === actual
}

function permit(decided: Decided, rule: Rule, { input }: Facts): Verdict {
  if (!input.target.stamped && !rule.unstamped) {
    const reason = withOwnReason(rule, 'does not accept credentials that cannot be stamped')
    return { ...decided, outcome: 'refuse', basis: 'policy', reason, unstamped: true }
  }
  return {
    ...decided,
    outcome: 'allow',
    basis: 'policy',
    reason: withOwnReason(rule, 'allows it'),
    ...capOf(rule, undefined, input.mode),
  }
}

/** A grant is for a role, and shown by its stamp: nothing that cannot be stamped is lifted. */
function permitByGrant(
  decided: Decided,
  rule: Rule | undefined,
  lift: Lift,
  { input }: Facts,
): Verdict {
  const { grant } = lift
  const what = `${grant.basis === 'approval' ? 'approval' : 'break-glass event'} ${grant.id}`
  if (!input.target.stamped) {
    const reason = `${what} does not lift for credentials that cannot be stamped`
    return { ...decided, outcome: 'refuse', basis: 'policy', reason, unstamped: true }
  }
  const over = rule ? `rule "${rule.name}"` : 'the default deny'
  return {
    ...decided,
    outcome: 'allow',
    basis: grant.basis,
    grant,
    reason: `${what} lifts ${over} until ${toSeconds(grant.endsAt)}`,
    ...capOf(rule, lift, input.mode),
  }
}

function capOf(
  rule: Rule | undefined,
  lift: Lift | undefined,
  mode: Facts['input']['mode'],
): Pick<Decision, 'maxDuration'> {
  const ofMode = mode === 'server' ? rule?.maxServerDuration : undefined
  const caps = [rule?.maxDuration, ofMode, lift?.rule.maxDuration].filter(
    (cap) => cap !== undefined,
  )
  return caps.length === 0 ? {} : { maxDuration: Math.min(...caps) }
}

function refusalReason(rule: Rule | undefined, { policy, input, binding }: Facts): string {
  if (rule === undefined) {
    const unbound = `: the policy does not bind profile "${input.profile}" to a role`
    return `no rule matches${binding.kind === 'unbound' ? unbound : ''}`
  }
  switch (rule.effect) {
    case 'require_approval':
      return withOwnReason(rule, 'requires approval')
    case 'require_server':
      return withOwnReason(rule, 'requires server mode')
    case 'require_server_session': {
      const store = policy.stores.sessions ?? 'DynamoDB'
      const what = input.mode === 'server' ? 'a session' : 'server mode with a session'
      return withOwnReason(rule, `requires ${what} tracked in ${store}`)
    }
    case 'allow':
    case 'deny':
      return withOwnReason(rule, 'denies it')
    default:
      rule.effect satisfies never
      return withOwnReason(rule, 'denies it')
  }
}

function withOwnReason({ name, reason }: Rule, what: string): string {
  return `rule "${name}" ${what}${reason === undefined ? '' : `: ${reason}`}`
}
