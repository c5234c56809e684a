import { approversFor, automaticLimit } from './automatic.ts'
import { checkConditions, matchesRule } from './conditions.ts'
import { decide } from './evaluate.ts'
import { type Facts, gatherFacts } from './facts.ts'
import { liftersOf } from './grants.ts'
import { findNearest, type Nearest } from './nearest.ts'
import type {
  AccessInput,
  BreakGlassRule,
  ConditionCheck,
  Decision,
  Effect,
  Policy,
} from './types.ts'

/** A rule, with the conditions it has. One without conditions matches everything. */
interface RuleCheck {
  readonly name: string
  readonly index: number
  readonly effect: Effect
  readonly matched: boolean
  readonly conditions: readonly ConditionCheck[]
}

/** How an approval would lift a refusal. */
export interface ApprovalWay {
  readonly rule: string
  /** As the policy writes them, without whoever asks. */
  readonly approvers: readonly string[]
  /** How many of them. */
  readonly required: number
  /** Seconds. */
  readonly maxDuration?: number
  /** Seconds that the rule approves by itself at the time asked about. */
  readonly automatic?: number
}

/** How breaking glass would lift a refusal: what else it asks for, the rule itself says. */
export type BreakGlassWay = { readonly rule: string } & Pick<
  BreakGlassRule,
  | 'reasonCodes'
  | 'maxDuration'
  | 'cooldown'
  | 'maxPerUser'
  | 'maxPerProfile'
  | 'reviewWithin'
  | 'blockWhenOverdue'
  | 'overridesDeny'
> & { readonly reviewers?: readonly string[] }

export interface Explanation {
  readonly decision: Decision
  /** Every rule, in order. The first that matched decides, unless `boundTo` says otherwise. */
  readonly rules: readonly RuleCheck[]
  /** The role that the name is bound to while it stands for another: then no rule was asked. */
  readonly boundTo?: string
  /** Of a refusal: the rule that would allow or lift it at the least change. */
  readonly nearest?: Nearest
  /** Of a refusal: the ways of having it lifted. */
  readonly approval?: ApprovalWay
  readonly breakGlass?: BreakGlassWay
}

/**
 * Decides as `decide` does, and tells of every rule how its conditions came out, and of a refusal
 * what would have to be otherwise. What it says would lead to access was judged to do so.
 */
export function explain(policy: Policy, input: AccessInput): Explanation {
  const facts = gatherFacts(policy, input)
  const { binding } = facts
  const decision = decide(policy, input)
  const nearest = decision.outcome === 'refuse' ? findNearest(facts, decision) : undefined
  return {
    decision,
    rules: policy.rules.map((rule, index) => ({
      name: rule.name,
      index,
      effect: rule.effect,
      matched: matchesRule(rule, facts),
      conditions: checkConditions(rule, facts),
    })),
    ...(binding.kind === 'other_role' && { boundTo: binding.role }),
    ...(nearest && { nearest }),
    ...waysOf(facts, decision),
  }
}

/** Only where it is a remedy: it was looked at there whether a grant would lift. */
function waysOf(
  facts: Facts,
  { rule, remedies }: Decision,
): Pick<Explanation, 'approval' | 'breakGlass'> {
  const isRemedy = (kind: 'request' | 'break_glass') =>
    remedies.some((remedy) => remedy.kind === kind)
  const { policy, input } = facts
  const { approval, breakGlass } = liftersOf(rule && policy.rules[rule.index], facts)
  return {
    ...(approval && isRemedy('request') && { approval: approvalWay(approval, input, policy) }),
    ...(breakGlass && isRemedy('break_glass') && { breakGlass: breakGlassWay(breakGlass) }),
  }
}

function approvalWay(
  rule: Policy['approvals'][number],
  { principal, at }: AccessInput,
  policy: Policy,
): ApprovalWay {
  const { name, required, maxDuration } = rule
  const automatic = automaticLimit(rule, principal, at, policy)
  return {
    rule: name,
    approvers: approversFor(rule, principal, policy),
    required,
    ...(maxDuration !== undefined && { maxDuration }),
    ...(automatic !== undefined && { automatic }),
  }
}

function breakGlassWay({
  name,
  reviewers,
  profiles: _profiles,
  users: _users,
  ...rest
}: BreakGlassRule): BreakGlassWay {
  return {
    rule: name,
    ...rest,
    ...(reviewers && { reviewers: reviewers.map(({ text }) => text) }),
  }
}
