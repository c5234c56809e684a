import { type AccessRequest, type AccessRequestId, LONGEST_ASK } from '../domain/access-request.ts'
import { formatDuration } from '../domain/duration.ts'
import { approversFor, automaticLimit } from '../domain/policy/automatic.ts'
import { type Liftable, liftable } from '../domain/policy/lifting.ts'
import type { ApprovalRule, Target } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import { patience } from './patience.ts'
import { adviceOf } from './refusal.ts'
import type { Actor, RequestDeps } from './request-deps.ts'
import { announce } from './request-news.ts'
import { askOf, recordOf } from './request-record.ts'
import { type ShownRequest, showRequest } from './shown-request.ts'

/** Seconds: what is asked for if nobody says. */
const USUAL_ASK = 3600

/** What somebody wants, and why. */
export interface Ask {
  readonly requester: Actor & { readonly target: Target }
  readonly profile: string
  readonly justification: string
  /** Seconds. Absent: an hour, or what the rule gives if that is less. */
  readonly duration: number | undefined
}

export type Asked =
  /** There is nothing to ask for. `advice`: how it is allowed, where that is not in every way. */
  | { readonly outcome: 'allowed'; readonly advice?: string }
  | {
      readonly outcome: 'created'
      readonly shown: ShownRequest
      readonly rule: ApprovalRule
      /** Who may approve it, as the policy writes them. */
      readonly approvers: readonly string[]
      /** Seconds: what the rule approves by itself, where that is less than was asked for. */
      readonly automaticLimit?: number
      /** How it is allowed without any approval, where it is. */
      readonly advice?: string
    }

/**
 * Makes a request for what the policy refuses, unless it is allowed already. Rejects with
 * `REQUEST_REFUSED` when no approval lifts the refusal, or not for so long.
 */
export async function requestAccess(deps: RequestDeps, ask: Ask): Promise<Asked> {
  const { policy, clock } = deps
  const { requester, profile } = ask
  const { principal, target } = requester
  const at = clock.aws()
  const found = liftable(policy, { principal, profile, target, at })
  const advice = found.isAllowed && adviceAbout(found)
  const allowed = advice ? { advice } : {}
  const isLifted = found.approval !== undefined && target.stamped
  if (found.isAllowed && !isLifted) return { outcome: 'allowed', ...allowed }

  const { rule, roleArn } = requireLift(found, ask)
  const duration = durationUnder(rule, ask)
  const limit = automaticLimit(rule, principal, at, policy)
  const isAutomatic = limit !== undefined && duration <= limit
  const shown = await create(deps, {
    id: deps.newId() as AccessRequestId,
    requester: requester.party,
    profile,
    roleArn,
    justification: ask.justification,
    duration,
    rule: rule.name,
    required: rule.required,
    createdAt: at,
    isAutomatic,
  })
  const short = limit !== undefined && !isAutomatic ? { automaticLimit: limit } : {}
  const approvers = approversFor(rule, principal, policy)
  return { outcome: 'created', shown, rule, approvers, ...short, ...allowed }
}

async function create(deps: RequestDeps, request: AccessRequest): Promise<ShownRequest> {
  const { store, digest, log } = deps
  const { createdAt: at, requester, isAutomatic } = request
  const shown = showRequest({ request, reviews: [] }, digest, at)
  const created = { event: 'request.created', at, by: requester.user } as const
  const approved = { event: 'request.approved', at, comment: automatically(request) } as const
  const notifications = (isAutomatic ? [created, approved] : [created]).flatMap((happening) =>
    announce(deps, happening, shown),
  )
  await store.create(request, notifications, patience())
  const record = { ...recordOf(shown), ...askOf(request) }
  await log.write({ type: 'request.created', ...record })
  if (isAutomatic) {
    await log.write({ type: 'request.approved', ...record, verdict: 'automatic' })
  }
  return shown
}

function automatically({ rule }: AccessRequest): string {
  return `approved by rule "${rule}" itself`
}

/** The rule under which an approval lifts the refusal, and the role it is for. */
function requireLift(
  { approval: rule, refusal, breakGlass }: Liftable,
  { profile, requester: { target } }: Ask,
): { readonly rule: ApprovalRule; readonly roleArn: string } {
  const { roleArn, stamped } = target
  if (rule && stamped && roleArn !== undefined) return { rule, roleArn }
  if (!stamped || roleArn === undefined) {
    throw new SentinelError(
      'REQUEST_REFUSED',
      `profile ${profile} has no role for Sentinel to assume, and an approval is for a role`,
      { hint: 'give the profile a role_arn and a source_profile' },
    )
  }
  const why = refusal?.reason ?? 'no rule allows it'
  const remedy = refusal?.remedies.find(({ kind }) => kind !== 'break_glass')
  throw new SentinelError('REQUEST_REFUSED', `no approval gives you ${profile}: ${why}`, {
    hint: breakGlass
      ? adviceOf({ kind: 'break_glass', profile })
      : remedy
        ? adviceOf(remedy)
        : `see each rule with: sentinel policy explain ${profile}`,
  })
}

function durationUnder({ name, maxDuration }: ApprovalRule, { profile, duration }: Ask): number {
  const cap = Math.min(maxDuration ?? LONGEST_ASK, LONGEST_ASK)
  if (duration === undefined) return Math.min(USUAL_ASK, cap)
  if (duration <= cap) return duration
  const most = formatDuration(cap)
  throw new SentinelError(
    'REQUEST_REFUSED',
    `rule "${name}" gives ${profile} for ${most} at most, not for ${formatDuration(duration)}`,
    { hint: `ask for less: --duration ${most}` },
  )
}

function adviceAbout({ refusal }: Liftable): string | undefined {
  const [nearest] = refusal?.remedies ?? []
  return nearest && nearest.kind !== 'request' && nearest.kind !== 'break_glass'
    ? adviceOf(nearest)
    : undefined
}
