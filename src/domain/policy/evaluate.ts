import { checkConditions, matchesRule } from './conditions.ts'
import { gatherFacts } from './facts.ts'
import { judge } from './judge.ts'
import { findRemedies } from './remedies.ts'
import type { AccessInput, Decision, Explanation, Policy } from './types.ts'

/** Decides `input` under `policy`. Pure: the same arguments give the same decision for ever. */
export function decide(policy: Policy, input: AccessInput): Decision {
  const facts = gatherFacts(policy, input)
  const verdict = judge(facts)
  const remedies = verdict.outcome === 'allow' ? [] : findRemedies(facts, verdict)
  return { ...verdict, remedies }
}

/** Decides as {@link decide} does, and tells of every rule how its conditions came out. */
export function explain(policy: Policy, input: AccessInput): Explanation {
  const facts = gatherFacts(policy, input)
  const rules = policy.rules.map((rule, index) => ({
    name: rule.name,
    index,
    effect: rule.effect,
    matched: matchesRule(rule, facts),
    conditions: checkConditions(rule, facts),
  }))
  return { decision: decide(policy, input), rules }
}
