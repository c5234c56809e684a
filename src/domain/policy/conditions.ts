/**
 * Whether a rule's conditions hold. One table: decisions and explanations both read it.
 *
 * @module
 */
import { describePrincipal } from '../principal.ts'
import type { Facts } from './facts.ts'
import { matchesGlob } from './glob.ts'
import { isOpen } from './time-window.ts'
import type {
  ApprovalRule,
  BreakGlassRule,
  ConditionCheck,
  Conditions,
  Effect,
  Rule,
  TimeWindow,
} from './types.ts'
import { matchesUser } from './user-pattern.ts'

type Condition = keyof Conditions
type Matcher = (conditions: Conditions, facts: Facts, effect: Effect) => boolean

/** Absent means any. */
const MATCHERS: Readonly<Record<Condition, Matcher>> = {
  profiles: ({ profiles }, facts, effect) =>
    profiles === undefined ||
    (matchesAny(profiles, facts.input.profile) &&
      // A name that is not bound may stand for any role: it earns nothing. But what a deny takes
      // away from a name, it takes away whatever the name stands for.
      (isNameGood(facts) || effect === 'deny')),
  accounts: ({ accounts }, { input }) =>
    accounts === undefined || matchesAny(accounts, input.target.account),
  roles: ({ roles }, { input: { target } }) =>
    roles === undefined || (target.roleArn !== undefined && matchesAny(roles, target.roleArn)),
  mode: ({ mode }, { input }) => mode === undefined || mode.includes(input.mode),
  users: ({ users }, facts) => users === undefined || matchesAnyUser(users, facts),
  time: ({ time }, { clockIn }) => time === undefined || isOpen(time, clockIn(time.timezone)),
}

const NAMES = Object.keys(MATCHERS) as readonly Condition[]

/** Whether all conditions of `rule` hold. */
export function matchesRule(rule: Rule, facts: Facts): boolean {
  const { conditions, effect } = rule
  // By the keys that are there: quick, and a condition that nobody knows cannot be passed over.
  for (const name in conditions) {
    if (!MATCHERS[name as Condition](conditions, facts, effect)) return false
  }
  return true
}

/** Whether the time of day is all that keeps `rule` from matching. */
export function failsOnlyByTime(rule: Rule, facts: Facts): boolean {
  const { conditions, effect } = rule
  return (
    conditions.time !== undefined &&
    NAMES.every((name) => MATCHERS[name](conditions, facts, effect) === (name !== 'time'))
  )
}

/** Holds each condition that `rule` has against the facts. */
export function checkConditions(
  rule: Pick<Rule, 'conditions' | 'effect'>,
  facts: Facts,
): readonly ConditionCheck[] {
  return NAMES.filter((name) => rule.conditions[name] !== undefined).map((name) => ({
    condition: name,
    matched: MATCHERS[name](rule.conditions, facts, rule.effect),
    expected: expectation(name, rule.conditions),
    actual: actual(name, rule.conditions, facts),
  }))
}

/** Whether `rule` of `approvals` or `break_glass` is for this profile and user. */
export function covers(rule: ApprovalRule | BreakGlassRule, facts: Facts): boolean {
  return (
    isNameGood(facts) &&
    matchesAny(rule.profiles, facts.input.profile) &&
    matchesAnyUser(rule.users, facts)
  )
}

/** Holds what makes `rule` cover an access against the facts: all of it matches where it covers. */
export function checkCover(
  { profiles, users }: ApprovalRule | BreakGlassRule,
  facts: Facts,
): readonly ConditionCheck[] {
  return checkConditions({ conditions: { profiles, users }, effect: 'allow' }, facts)
}

/** Whether the profile's name may be relied on to stand for the role that is served. */
function isNameGood({ binding }: Facts): boolean {
  return binding.kind === 'none' || binding.kind === 'bound'
}

function matchesAny(patterns: readonly string[], text: string): boolean {
  for (const pattern of patterns) if (matchesGlob(pattern, text)) return true
  return false
}

function matchesAnyUser(
  users: NonNullable<Conditions['users']>,
  { policy, input }: Facts,
): boolean {
  return users.some(({ pattern }) =>
    matchesUser(pattern, input.principal, policy.principalAccounts),
  )
}

function expectation(name: Condition, conditions: Conditions): readonly string[] {
  if (name === 'users') return (conditions.users ?? []).map(({ text }) => text)
  if (name === 'time') return conditions.time ? [describeWindow(conditions.time)] : []
  return conditions[name] ?? []
}

function actual(name: Condition, { time }: Conditions, facts: Facts): string {
  const { principal, profile, target, mode } = facts.input
  switch (name) {
    case 'profiles':
      return isNameGood(facts) ? profile : `${profile} (not bound under profiles)`
    case 'users':
      return describePrincipal(principal)[0] ?? principal.arn
    case 'roles':
      return target.roleArn ?? 'no role'
    case 'accounts':
      return target.account
    case 'mode':
      return mode
    case 'time': {
      const { weekday, minute } = facts.clockIn(time?.timezone ?? 'UTC')
      return `${weekday} ${describeTimeOfDay(minute)}`
    }
  }
}

/** `monday, friday 22:00-06:00 Europe/Berlin`. */
function describeWindow({ days, hours, timezone }: TimeWindow): string {
  const range = hours && `${describeTimeOfDay(hours.start)}-${describeTimeOfDay(hours.end)}`
  return [days?.join(', ') ?? 'every day', range, timezone].filter(Boolean).join(' ')
}

function describeTimeOfDay(minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60]
  return `${hour}`.padStart(2, '0').concat(':', `${minute}`.padStart(2, '0'))
}
