/**
 * What could lift a refusal: what asking for access and breaking glass need of a policy.
 *
 * @module
 */
import { LONGEST_ASK } from '../access-request.ts'
import { LONGEST_EVENT } from '../break-glass.ts'
import { personOf } from '../principal.ts'
import { SECOND } from '../time.ts'
import { covers } from './conditions.ts'
import { decide } from './evaluate.ts'
import { gatherFacts } from './facts.ts'
import { liftersOf } from './grants.ts'
import {
  type AccessInput,
  type ApprovalRule,
  type BreakGlassRule,
  type Decision,
  type Grant,
  MODES,
  type Policy,
} from './types.ts'

/** Of an access, without regard to the mode: a grant is for all of them. */
export interface Liftable {
  /** Allowed in some mode as it is, without any grant. */
  readonly isAllowed: boolean
  /** The refusal to lift, by the first mode that is refused. */
  readonly refusal?: Decision
  /** The rule under which approvals lift it; absent: none does. */
  readonly approval?: ApprovalRule
  readonly breakGlass?: BreakGlassRule
}

/** Looks at the access in every mode, and for what would lift its refusal in any. */
export function liftable(policy: Policy, input: Omit<AccessInput, 'mode' | 'grants'>): Liftable {
  let found: Liftable = { isAllowed: false }
  for (const mode of MODES) {
    const asked = { ...input, mode, grants: [] }
    const decision = decide(policy, asked)
    if (decision.outcome === 'allow') {
      found = { ...found, isAllowed: true }
      continue
    }
    const facts = gatherFacts(policy, asked)
    // A name that stands for another role is refused for good.
    const isFinal = facts.binding.kind === 'other_role' || input.target.roleArn === undefined
    const rule = decision.rule && policy.rules[decision.rule.index]
    found = { refusal: decision, ...(isFinal ? {} : liftersOf(rule, facts)), ...found }
  }
  return found
}

/**
 * The grant that the caller would have had since `input.at`, under the rule that gives one for this
 * profile; whether it lifts anything is the policy's to decide. `undefined`: no rule gives one, or
 * there is no role that it would be for.
 */
export function grantAsIf(
  basis: Grant['basis'],
  policy: Policy,
  input: AccessInput,
): Grant | undefined {
  const { principal, profile, target, at } = input
  const facts = gatherFacts(policy, input)
  const rules = basis === 'approval' ? policy.approvals : policy.breakGlass
  const rule = rules.find((candidate) => covers(candidate, facts))
  if (!rule || !target.stamped || target.roleArn === undefined) return undefined
  const longest = basis === 'approval' ? LONGEST_ASK : LONGEST_EVENT
  return {
    id: 'hypothetical',
    basis,
    person: personOf(principal),
    profile,
    roleArn: target.roleArn,
    startsAt: at,
    endsAt: at + Math.min(rule.maxDuration ?? longest, longest) * SECOND,
    rule: rule.name,
  }
}
