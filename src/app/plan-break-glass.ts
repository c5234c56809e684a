import { type BreakGlassEvent, LONGEST_EVENT } from '../domain/break-glass.ts'
import { formatDuration } from '../domain/duration.ts'
import type { Party } from '../domain/party.ts'
import { decide } from '../domain/policy/evaluate.ts'
import { type Liftable, liftable } from '../domain/policy/lifting.ts'
import {
  type AccessInput,
  type BreakGlassRule,
  MODES,
  type Mode,
  type Policy,
  type Target,
} from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import { adviceOf } from './refusal.ts'
import type { Actor } from './request-deps.ts'

/** What somebody wants to break glass for. */
export interface BreakGlassWish {
  readonly profile: string
  readonly reasonCode: BreakGlassEvent['reasonCode']
  /** 20 to 1000 characters. */
  readonly justification: string
  /** Seconds; absent: as long as is usual. */
  readonly duration?: number
}

/** Who wants it, and which role the profile stands for. */
export interface Invoker extends Actor {
  readonly target: Target
}

/** What breaking glass would begin. */
export interface BreakGlassPlan {
  readonly rule: BreakGlassRule
  readonly roleArn: string
  /** Seconds. */
  readonly duration: number
}

/** Seconds: what an event lives if nobody says how long. */
const USUAL = 3600

/**
 * What breaking glass would begin under `policy` at `at`: no `plan` where all of the access that it
 * could give is allowed as it is. `allowed`: in which modes some is. Throws `BREAK_GLASS_REFUSED`,
 * with what else would lead to access, when no rule lets the invoker do what they wish.
 */
export function planBreakGlass(
  policy: Policy,
  { principal, party, target }: Invoker,
  wish: BreakGlassWish,
  at: AccessInput['at'],
): { readonly allowed: readonly Mode[]; readonly plan?: BreakGlassPlan } {
  const { profile } = wish
  const { stamped, roleArn } = target
  const input = { principal, profile, target, at }
  const found = liftable(policy, input)
  const allowed = found.isAllowed ? allowedModes(policy, input) : []
  const rule = found.breakGlass
  if (found.isAllowed && (!rule || !stamped)) return { allowed }
  if (!rule) throw notLiftable(found, party, profile)
  if (!stamped || roleArn === undefined) throw withoutRole(profile)
  assertReasonCode(rule, wish.reasonCode)
  return { allowed, plan: { rule, roleArn, duration: durationOf(rule, wish) } }
}

function allowedModes(
  policy: Policy,
  input: Omit<AccessInput, 'mode' | 'grants'>,
): readonly Mode[] {
  return MODES.filter((mode) => decide(policy, { ...input, mode, grants: [] }).outcome === 'allow')
}

function assertReasonCode({ name, reasonCodes }: BreakGlassRule, code: string): void {
  if (reasonCodes.some((known) => known === code)) return
  throw new SentinelError('BREAK_GLASS_REFUSED', `rule "${name}" takes no reason code ${code}`, {
    hint: `give one that it takes: ${reasonCodes.join(', ')}`,
  })
}

function durationOf({ name, maxDuration }: BreakGlassRule, { duration }: BreakGlassWish): number {
  const cap = Math.min(LONGEST_EVENT, maxDuration ?? LONGEST_EVENT)
  if (duration === undefined) return Math.min(USUAL, cap)
  if (duration <= cap) return duration
  const asked = formatDuration(duration)
  throw new SentinelError('BREAK_GLASS_REFUSED', `rule "${name}" does not give ${asked}`, {
    hint: `ask for ${formatDuration(cap)} or less`,
  })
}

function notLiftable({ refusal }: Liftable, { user }: Party, profile: string) {
  const why = refusal ? `: ${refusal.reason}` : ''
  const remedies = (refusal?.remedies ?? []).filter(({ kind }) => kind !== 'break_glass')
  return new SentinelError(
    'BREAK_GLASS_REFUSED',
    `no break-glass rule lets ${user} into ${profile}${why}`,
    {
      hint:
        remedies.map(adviceOf).join('; or ') ||
        `see each rule with: sentinel policy explain ${profile}`,
    },
  )
}

function withoutRole(profile: string): SentinelError {
  return new SentinelError(
    'BREAK_GLASS_REFUSED',
    `profile ${profile} has no role for Sentinel to assume, and a break-glass event is for a role`,
    { hint: `give the profile a role_arn: see sentinel whoami ${profile}` },
  )
}
