/**
 * The rule that comes nearest to allowing what was refused, and what would have to be otherwise.
 *
 * @module
 */
import type { Instant } from '../time.ts'
import { approversFor } from './automatic.ts'
import { checkConditions, checkCover, covers } from './conditions.ts'
import { type Facts, gatherFacts } from './facts.ts'
import { isTracked, judge, type Verdict } from './judge.ts'
import { grantAsIf } from './lifting.ts'
import { ANY_SHARED_STORE, requestRemedy } from './remedies.ts'
import { nextOpening } from './time-window.ts'
import {
  type AccessInput,
  type ApprovalRule,
  type BreakGlassRule,
  type ConditionCheck,
  type Conditions,
  type Decision,
  type Effect,
  MODES,
  type Mode,
  type Rule,
} from './types.ts'

/** Something about the access that would have to be otherwise. */
export interface Change {
  readonly what:
    | keyof Conditions
    | 'session'
    | 'credentials'
    /** An earlier rule matches first. */
    | 'order'
    | 'approval'
    | 'break_glass'
  readonly actual: string
  /** Any one of them would do. */
  readonly expected: readonly string[]
  /** Of a window of time: when it opens next. */
  readonly opensAt?: Instant
}

export interface Nearest {
  /** Which of the policy's lists it is in. */
  readonly kind: 'rule' | 'approval' | 'break_glass'
  readonly rule: string
  /** Within its list. */
  readonly index: number
  /** Of a rule. */
  readonly effect?: Effect
  /** All of them are needed. */
  readonly changes: readonly Change[]
  /**
   * The access with all of these changes was judged, at `opensAt` if time is among them, and
   * this rule allowed it. Otherwise the changes are needed, and may not be enough.
   */
  readonly isEnough: boolean
}

/**
 * Of the rules that could allow the access and the grants that could lift its refusal, the one that
 * takes the fewest changes; of equals one whose changes are enough, then the first in the policy.
 */
export function findNearest(facts: Facts, verdict: Pick<Verdict, 'rule'>): Nearest | undefined {
  // No rule is asked about a name that stands for another role.
  if (facts.binding.kind === 'other_role') return undefined
  const candidates = [...nearestRules(facts), ...nearestLifters(facts, verdict)]
  const [nearest] = candidates.toSorted(
    (a, b) => a.changes.length - b.changes.length || Number(b.isEnough) - Number(a.isEnough),
  )
  return nearest
}

function nearestRules(facts: Facts): Nearest[] {
  return facts.policy.rules.flatMap((rule, index) => {
    const modes = permittedModes(rule)
    return modes.length === 0 ? [] : [nearestOf(rule, index, { facts, modes })]
  })
}

/** The modes in which `rule` could allow anything. */
function permittedModes({ effect, conditions: { mode = MODES } }: Rule): readonly Mode[] {
  switch (effect) {
    case 'allow':
      return mode
    case 'require_server':
    case 'require_server_session':
      return mode.filter((one) => one === 'server')
    case 'deny':
    case 'require_approval':
      return []
    default:
      return effect satisfies never
  }
}

function nearestOf(
  rule: Rule,
  index: number,
  { facts, modes }: { readonly facts: Facts; readonly modes: readonly Mode[] },
): Nearest {
  const { policy, input } = facts
  const checks = checkConditions(rule, facts).filter(({ matched }) => !matched)
  const others = checks.filter(({ condition }) => condition !== 'mode' && condition !== 'time')
  const time = timeChange(rule, checks, input.at)
  const session = sessionChange(rule, facts)
  const stamp = stampChange(rule, input)

  const changed: AccessInput = {
    ...input,
    grants: [],
    at: time?.opensAt ?? input.at,
    ...(session && { sessionStore: policy.stores.sessions ?? ANY_SHARED_STORE }),
  }
  const judged = (mode: Mode) => judge(gatherFacts(policy, { ...changed, mode }))
  const isMode = modes.includes(input.mode)
  const tried = isMode ? [input.mode] : modes
  const enough = tried.filter((mode) => isAllowedBy(index, judged(mode)))
  const kept = enough.length > 0 ? enough : tried

  const first = kept[0] && judged(kept[0]).rule
  const before = first && first.index < index ? policy.rules[first.index] : undefined
  const changes = [
    ...others.map(changeOf),
    time,
    isMode ? undefined : { what: 'mode' as const, actual: input.mode, expected: kept },
    session,
    stamp,
    before && orderChange(before, first?.index ?? 0),
  ].filter((change) => change !== undefined)
  return {
    kind: 'rule',
    rule: rule.name,
    index,
    effect: rule.effect,
    changes,
    isEnough: enough.length > 0,
  }
}

function isAllowedBy(index: number, { outcome, rule }: Verdict): boolean {
  return outcome === 'allow' && rule?.index === index
}

function changeOf({ condition, actual, expected }: ConditionCheck): Change {
  return { what: condition, actual, expected }
}

function timeChange(
  { conditions: { time } }: Rule,
  checks: readonly ConditionCheck[],
  at: Instant,
): Change | undefined {
  const check = checks.find(({ condition }) => condition === 'time')
  if (!check || !time) return undefined
  const opensAt = nextOpening(time, at)
  return { ...changeOf(check), ...(opensAt !== undefined && { opensAt }) }
}

function sessionChange({ effect }: Rule, { policy, input }: Facts): Change | undefined {
  const { sessions } = policy.stores
  if (effect !== 'require_server_session' || isTracked(sessions, input.sessionStore)) {
    return undefined
  }
  const actual = input.sessionStore === undefined ? 'not tracked' : `in ${input.sessionStore}`
  return { what: 'session', actual, expected: [`tracked in ${sessions ?? 'DynamoDB'}`] }
}

function stampChange({ unstamped }: Rule, { target }: AccessInput): Change | undefined {
  if (target.stamped || unstamped) return undefined
  const expected = ['those of a role that Sentinel assumes']
  return { what: 'credentials', actual: 'cannot be stamped', expected }
}

function orderChange({ name, effect }: Rule, index: number): Change {
  const actual = `rule ${index + 1} "${name}" (${effect}) matches first`
  return { what: 'order', actual, expected: ['that it does not'] }
}

function nearestLifters(facts: Facts, { rule }: Pick<Decision, 'rule'>): Nearest[] {
  const { policy, input } = facts
  const { stamped, roleArn } = input.target
  if (!stamped || roleArn === undefined) return []
  const effect = rule && policy.rules[rule.index]?.effect
  const approvals = liftable(policy.approvals, facts).filter(() => effect !== 'deny')
  const events = liftable(policy.breakGlass, facts).filter(
    ([each]) => effect !== 'deny' || each.overridesDeny,
  )
  if (effect !== undefined && effect !== 'deny' && effect !== 'require_approval') return []
  return [
    ...approvals.map(([each, index]) => lifterOf('approval', each, { index, facts })),
    ...events.map(([each, index]) => lifterOf('break_glass', each, { index, facts })),
  ]
}

/** The rule that covers the access; without one, those that would if it were another. */
function liftable<Each extends ApprovalRule | BreakGlassRule>(
  rules: readonly Each[],
  facts: Facts,
): [rule: Each, index: number][] {
  const all = rules.map((rule, index): [Each, number] => [rule, index])
  const covering = all.find(([rule]) => covers(rule, facts))
  return covering ? [covering] : all
}

function lifterOf(
  kind: 'approval' | 'break_glass',
  rule: ApprovalRule | BreakGlassRule,
  { index, facts }: { readonly index: number; readonly facts: Facts },
): Nearest {
  const { policy, input } = facts
  const failing = checkCover(rule, facts).filter(({ matched }) => !matched)
  const grant = grantAsIf(kind, policy, input)
  const granted = grant && { ...input, grants: [grant] }
  return {
    kind,
    rule: rule.name,
    index,
    changes: [
      ...failing.map(changeOf),
      { what: kind, actual: 'none', expected: [wantedGrant(rule, facts)] },
    ],
    isEnough:
      failing.length === 0 &&
      (!('approvers' in rule) || requestRemedy(rule, facts) !== undefined) &&
      granted !== undefined &&
      judge(gatherFacts(policy, granted)).outcome === 'allow',
  }
}

function wantedGrant(rule: ApprovalRule | BreakGlassRule, { policy, input }: Facts): string {
  if (!('approvers' in rule)) return 'a live break-glass event'
  const { required } = rule
  const who = approversFor(rule, input.principal, policy)
  if (who.length === 0) return 'by somebody else'
  return required === 1 ? `by ${who.join(' or ')}` : `by ${required} of ${who.join(', ')}`
}
