/**
 * What would turn a refusal into an allow. A remedy is true: the access it leads to was judged too.
 *
 * @module
 */
import type { Instant } from '../time.ts'
import { approversFor, automaticLimit } from './automatic.ts'
import { failsOnlyByTime } from './conditions.ts'
import { type Facts, gatherFacts } from './facts.ts'
import { liftersOf } from './grants.ts'
import { judge, type Verdict } from './judge.ts'
import { nextOpening } from './time-window.ts'
import type { ApprovalRule, BreakGlassRule, Remedy, Rule } from './types.ts'

/** A refusal is to be quick, however many windows a policy has. */
const WINDOWS_LOOKED_AT = 25

/** Stands for the one of the user's choosing, where the policy names no store. */
export const ANY_SHARED_STORE = 'dynamodb:any'

/**
 * What would change `verdict`, a refusal: first what the caller can do alone and at once, then what
 * takes another person, then what takes waiting, and breaking glass last.
 */
export function findRemedies(facts: Facts, verdict: Verdict): readonly Remedy[] {
  // The profile is not what it says: nothing to be had by asking in another way.
  if (facts.binding.kind === 'other_role') return []
  const { request, breakGlass } = liftingRemedies(facts, verdict)
  return [serverRemedy(facts), request, windowRemedy(facts), breakGlass].filter(
    (remedy) => remedy !== undefined,
  )
}

function liftingRemedies(
  facts: Facts,
  verdict: Verdict,
): { request?: Remedy; breakGlass?: Remedy } {
  const { profile, target } = facts.input
  if (!target.stamped || target.roleArn === undefined) return {}
  const rule = verdict.rule && facts.policy.rules[verdict.rule.index]
  const { approval, breakGlass } = liftersOf(rule, facts)
  const request = approval && requestRemedy(approval, facts)
  return {
    ...(request && { request }),
    ...(breakGlass && { breakGlass: breakGlassRemedy(profile, breakGlass) }),
  }
}

/** None where nobody but the caller could approve, and `rule` does not by itself. */
export function requestRemedy(rule: ApprovalRule, { policy, input }: Facts): Remedy | undefined {
  const { principal, profile, at } = input
  const approvers = approversFor(rule, principal, policy)
  const isAutomatic = automaticLimit(rule, principal, at, policy) !== undefined
  if (approvers.length === 0 && !isAutomatic) return undefined
  return { kind: 'request', profile, approvers }
}

function breakGlassRemedy(profile: string, { reasonCodes }: BreakGlassRule): Remedy {
  const [first] = reasonCodes
  const isUsual = first === undefined || reasonCodes.includes('incident')
  return { kind: 'break_glass', profile, ...(!isUsual && { reasonCode: first }) }
}

function serverRemedy(facts: Facts): Remedy | undefined {
  const { rules, stores } = facts.policy
  // Where nothing depends on the mode, two more judgements are saved.
  if (!rules.some(dependsOnMode)) return undefined
  const { sessions } = stores
  const server = { ...facts, input: { ...facts.input, mode: 'server' as const } }
  if (isAllowed(server)) return { kind: 'server' }
  const input = { ...server.input, sessionStore: sessions ?? ANY_SHARED_STORE }
  if (!isAllowed({ ...server, input })) return undefined
  return { kind: 'server_session', ...(sessions !== undefined && { store: sessions }) }
}

function dependsOnMode({ effect, conditions }: Rule): boolean {
  const { mode } = conditions
  return mode !== undefined || effect === 'require_server' || effect === 'require_server_session'
}

/** The soonest window of a rule that only its time keeps from allowing the access. */
function windowRemedy(facts: Facts): Remedy | undefined {
  const { rules } = facts.policy
  const soonest = [...rules.keys()]
    .filter((index) => failsOnlyByTime(rules[index]!, facts))
    .slice(0, WINDOWS_LOOKED_AT)
    .flatMap((index) => {
      const { name, conditions } = rules[index]!
      const opensAt = conditions.time && nextOpening(conditions.time, facts.input.at)
      return opensAt === undefined ? [] : [{ rule: name, index, opensAt }]
    })
    .sort((a, b) => a.opensAt - b.opensAt)
    .find(({ index, opensAt }) => isAllowedBy(index, opensAt, facts))
  return soonest && { kind: 'window', rule: soonest.rule, opensAt: soonest.opensAt }
}

/** Whether rule `index` itself will allow the access at `at`, when no grant may be left. */
function isAllowedBy(index: number, at: Instant, { policy, input }: Facts): boolean {
  const { outcome, rule } = judge(gatherFacts(policy, { ...input, at, grants: [] }))
  return outcome === 'allow' && rule?.index === index
}

function isAllowed(facts: Facts): boolean {
  return judge(facts).outcome === 'allow'
}
