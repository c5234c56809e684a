import { gatherFacts } from './facts.ts'
import { judge } from './judge.ts'
import { findRemedies } from './remedies.ts'
import type { AccessInput, Decision, Policy } from './types.ts'

/** Decides `input` under `policy`. Pure: the same arguments give the same decision for ever. */
export function decide(policy: Policy, input: AccessInput): Decision {
  const facts = gatherFacts(policy, input)
  const verdict = judge(facts)
  const remedies = verdict.outcome === 'allow' ? [] : findRemedies(facts, verdict)
  return { ...verdict, remedies }
}
