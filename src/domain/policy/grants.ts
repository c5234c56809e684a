/**
 * Which grants lift which refusals (design § 4 "Overrides", § 8).
 *
 * @module
 */
import { type Principal, personOf } from '../principal.ts'
import { SECOND } from '../time.ts'
import { automaticLimit } from './automatic.ts'
import { covers } from './conditions.ts'
import type { Facts } from './facts.ts'
import type { ApprovalRule, BreakGlassRule, Grant, Rule } from './types.ts'

/** The rules of the current policy under which a grant would lift a refusal. */
export interface Lifters {
  readonly approval?: ApprovalRule
  readonly breakGlass?: BreakGlassRule
}

/** A grant that lifts a refusal now, and the rule it does so under. */
export interface Lift {
  readonly grant: Grant
  readonly rule: ApprovalRule | BreakGlassRule
}

/** What could lift the refusal by `rule`, or the default one when `rule` is absent. */
export function liftersOf(rule: Rule | undefined, facts: Facts): Lifters {
  const { approvals, breakGlass } = facts.policy
  const effect = rule?.effect ?? 'default'
  switch (effect) {
    case 'default':
    case 'require_approval':
      return lifters(
        approvals.find((candidate) => covers(candidate, facts)),
        breakGlass.find((candidate) => covers(candidate, facts)),
      )
    case 'deny': {
      const covering = breakGlass.find((candidate) => covers(candidate, facts))
      return lifters(undefined, covering?.overridesDeny ? covering : undefined)
    }
    case 'allow':
    case 'require_server':
    case 'require_server_session':
      return {}
    default:
      effect satisfies never
      return {}
  }
}

/** The live grant for exactly this person, profile and role that lifts for longest. */
export function findLift(lifters: Lifters, facts: Facts): Lift | undefined {
  const { input } = facts
  const { profile, target, at } = input
  const person = personOf(input.principal)
  let longest: Lift | undefined
  for (const grant of input.grants) {
    const rule = lifterFor(grant, lifters)
    if (rule === undefined || grant.person !== person) continue
    if ('approvers' in rule && !isApproved(grant, rule, input.principal)) continue
    if (grant.profile !== profile || grant.roleArn !== target.roleArn) continue
    const endsAt = endOf(grant, rule, facts)
    const isLive = grant.startsAt <= at && at < endsAt
    const isLonger = longest === undefined || longest.grant.endsAt < endsAt
    if (isLive && isLonger) longest = { grant: { ...grant, endsAt }, rule }
  }
  return longest
}

function lifters(
  approval: ApprovalRule | undefined,
  breakGlass: BreakGlassRule | undefined,
): Lifters {
  return { ...(approval && { approval }), ...(breakGlass && { breakGlass }) }
}

function lifterFor({ basis }: Grant, lifters: Lifters): Lift['rule'] | undefined {
  switch (basis) {
    case 'approval':
      return lifters.approval
    case 'break_glass':
      return lifters.breakGlass
    default:
      basis satisfies never
      return undefined
  }
}

/**
 * Whether `rule`, which is for `principal` now, would take `grant` for approved. Whoever asks
 * writes the request, and may have named a laxer rule, fewer approvals, or another UserId as the
 * asker's.
 */
function isApproved(
  { rule: name, approvedBy, isAutomatic }: Grant,
  rule: ApprovalRule,
  { uniqueId }: Principal,
): boolean {
  if (name !== undefined && name !== rule.name) return false
  if (approvedBy === undefined || isAutomatic) return true
  return approvedBy.length >= rule.required && !approvedBy.includes(uniqueId)
}

/**
 * A rule that was tightened shortens what was granted under it before; and what a rule approved by
 * itself it would have to approve still.
 */
function endOf(
  { startsAt, endsAt, isAutomatic }: Grant,
  rule: Lift['rule'],
  { policy, input }: Facts,
): number {
  const cap =
    isAutomatic && 'approvers' in rule
      ? (automaticLimit(rule, input.principal, startsAt, policy) ?? 0)
      : rule.maxDuration
  return cap === undefined ? endsAt : Math.min(endsAt, startsAt + cap * SECOND)
}
