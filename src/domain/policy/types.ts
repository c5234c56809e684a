/**
 * A policy as it decides: parsed, checked, durations in seconds. The document that people write is
 * in `documents/policy-schema.ts`; docs/policy.md explains it.
 *
 * @module
 */
import type { Principal } from '../principal.ts'
import type { Instant } from '../time.ts'

export const EFFECTS = [
  'allow',
  'deny',
  'require_approval',
  'require_server',
  'require_server_session',
] as const
export type Effect = (typeof EFFECTS)[number]

/** How credentials are asked for: a credential server, a one-off command, a credential process. */
export const MODES = ['server', 'cli', 'credential_process'] as const
export type Mode = (typeof MODES)[number]

export type Basis = 'policy' | 'approval' | 'break_glass'

export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const
export type Weekday = (typeof WEEKDAYS)[number]

/** A pattern over principals, as design § 4 "Users" says. Globs know `*` only. */
export type UserPattern =
  | { readonly kind: 'any' }
  /** No kind given: IAM users and Identity Center sessions of `principal_accounts`. */
  | { readonly kind: 'person'; readonly name: string }
  | { readonly kind: 'iam'; readonly account?: string; readonly name: string }
  | { readonly kind: 'sso'; readonly permissionSet?: string; readonly name: string }
  | {
      readonly kind: 'role'
      readonly account?: string
      readonly role: string
      readonly session: string
    }
  | { readonly kind: 'federated'; readonly name: string }
  | { readonly kind: 'web'; readonly provider: string; readonly subject: string }
  | { readonly kind: 'root' }

export interface TimeWindow {
  /** Absent: every day. */
  readonly days?: readonly Weekday[]
  /** Absent: the whole day. Minutes of the day, `start` inclusive, `end` exclusive, up to 1440. */
  readonly hours?: { readonly start: number; readonly end: number }
  /** The window runs past midnight and belongs to the day it starts on. */
  readonly overnight: boolean
  /** An IANA zone. */
  readonly timezone: string
}

/** Absent means any; present lists are never empty. All that are present must match. */
export interface Conditions {
  readonly profiles?: readonly string[]
  /** The pattern as written beside what it means, for explanations. */
  readonly users?: readonly { readonly text: string; readonly pattern: UserPattern }[]
  readonly roles?: readonly string[]
  readonly accounts?: readonly string[]
  readonly mode?: readonly Mode[]
  readonly time?: TimeWindow
}

export interface Rule {
  readonly name: string
  readonly effect: Effect
  readonly conditions: Conditions
  readonly reason?: string
  /** Seconds. */
  readonly maxDuration?: number
  /** Seconds; in server mode, besides `maxDuration`. */
  readonly maxServerDuration?: number
  /** Accepts profiles that have no role, and so nothing to stamp. */
  readonly unstamped: boolean
}

interface GrantRule {
  readonly name: string
  readonly profiles: readonly string[]
  readonly users: NonNullable<Conditions['users']>
  /** Seconds. */
  readonly maxDuration?: number
}

export interface ApprovalRule extends GrantRule {
  readonly approvers: NonNullable<Conditions['users']>
  /** How many approvals make a grant. */
  readonly required: number
  readonly autoApprove?: {
    readonly users?: NonNullable<Conditions['users']>
    readonly time?: TimeWindow
    readonly maxDuration?: number
  }
}

export const REASON_CODES = ['incident', 'maintenance', 'security', 'recovery', 'other'] as const
type ReasonCode = (typeof REASON_CODES)[number]

export interface BreakGlassRule extends GrantRule {
  readonly reviewers?: NonNullable<Conditions['users']>
  readonly reasonCodes: readonly ReasonCode[]
  /** Seconds from the end of the last event. */
  readonly cooldown?: number
  readonly maxPerUser?: { readonly count: number; readonly window: number }
  readonly maxPerProfile?: { readonly count: number; readonly window: number }
  /** Seconds after the end of an event. */
  readonly reviewWithin?: number
  readonly blockWhenOverdue: boolean
  readonly overridesDeny: boolean
}

/** What is announced, to those whose patterns (`break_glass.*`) match. */
export const NOTIFY_EVENTS = [
  'request.created',
  'request.approved',
  'request.denied',
  'request.cancelled',
  'request.expired',
  'request.revoked',
  'break_glass.started',
  'break_glass.closed',
  'break_glass.expired',
  'break_glass.reviewed',
  'break_glass.overdue',
] as const

interface NotifyRule {
  /** Exact names of events, or globs over them. */
  readonly events: readonly string[]
  readonly webhook?: string
  readonly slack?: string
  readonly sns?: string
}

/** What a policy says about itself: checked by `policy test`. */
export interface PolicyTest {
  readonly name: string
  readonly given: {
    /** `iam:alice`, `sso:x@corp.example`: a user pattern without `*`. */
    readonly user: string
    readonly profile: string
    readonly mode: Mode
    readonly at?: Instant
    readonly role?: string
  }
  readonly expect: Effect
}

/** What a profile's name must stand for. */
interface ProfileBinding {
  /** A profile's name, or a glob over names. */
  readonly profile: string
  /** A role ARN, or a glob over role ARNs. */
  readonly role: string
}

export interface Policy {
  readonly version: '1'
  readonly principalAccounts?: readonly string[]
  /** In the order written: the first whose `profile` matches binds. */
  readonly profiles?: readonly ProfileBinding[]
  readonly strictProfiles: boolean
  readonly stores: {
    readonly sessions?: string
    readonly requests?: string
    readonly breakGlass?: string
  }
  readonly sessionOutage?: 'allow' | 'deny'
  /** Seconds. */
  readonly sessionGrace?: number
  readonly rules: readonly Rule[]
  readonly approvals: readonly ApprovalRule[]
  readonly breakGlass: readonly BreakGlassRule[]
  readonly notify: readonly NotifyRule[]
  readonly tests: readonly PolicyTest[]
}

/** What the credentials asked for stand for in AWS. */
export interface Target {
  /**
   * `arn:aws:iam::444455556666:role/Prod`. Absent for an IAM user's own credentials, which have no
   * role.
   */
  readonly roleArn?: string
  readonly account: string
  /** Whether Sentinel's own AssumeRole makes the credentials, so that they carry a stamp. */
  readonly stamped: boolean
}

/** A live approval or break-glass event, as a store answered it. */
export interface Grant {
  readonly id: string
  readonly basis: 'approval' | 'break_glass'
  /** As `personOf` writes it. */
  readonly person: string
  readonly profile: string
  readonly roleArn: string
  /** When it began: an approval's deciding review, a break-glass event's start. */
  readonly startsAt: Instant
  readonly endsAt: Instant
  /** Where it was found, in full. */
  readonly store?: string
  /**
   * Approved by a rule's `auto_approve`: lifts only what that rule, as it is now, would approve.
   */
  readonly isAutomatic?: boolean
  /** The `approvals` rule that it was asked for under: it lifts nothing under another one. */
  readonly rule?: string
  /** The UserIds of those who approved it, each person once. */
  readonly approvedBy?: readonly string[]
}

/** Everything a decision depends on. */
export interface AccessInput {
  readonly principal: Principal
  readonly profile: string
  readonly target: Target
  readonly mode: Mode
  readonly at: Instant
  readonly grants: readonly Grant[]
  /** The store (as a policy would name it) that holds this server's session record, if one does. */
  readonly sessionStore?: string
}

/** Something that would turn a refusal into an allow. */
export type Remedy =
  /** `sentinel request PROFILE`. No approvers: the rule itself approves. */
  | { readonly kind: 'request'; readonly profile: string; readonly approvers: readonly string[] }
  /** `reasonCode`: one that the rule takes, where that is not `incident`. */
  | { readonly kind: 'break_glass'; readonly profile: string; readonly reasonCode?: ReasonCode }
  /** The same command with `--server`. */
  | { readonly kind: 'server' }
  /** Server mode with a tracked session, in this store if the policy names one. */
  | { readonly kind: 'server_session'; readonly store?: string }
  /** Rule `rule` would match from `opensAt` on. */
  | { readonly kind: 'window'; readonly rule: string; readonly opensAt: Instant }

export interface Decision {
  readonly outcome: 'allow' | 'refuse'
  /** Of the deciding rule; `deny` when none matched. */
  readonly effect: Effect
  /** The deciding rule; absent when none matched. */
  readonly rule?: { readonly name: string; readonly index: number }
  readonly basis: Basis
  /**
   * The grant that lifted the refusal, the longest if several do. `endsAt` is when it stops lifting
   * under the policy as it is now, which may be sooner than the store says.
   */
  readonly grant?: Grant
  /** Lower case, no full stop: the rule's own reason or what the rule says. */
  readonly reason: string
  /**
   * Seconds: the smallest cap that applies, the grant's rule's included. Absent: no rule caps it,
   * or the access is refused.
   */
  readonly maxDuration?: number
  /** The access would be allowed, if only there were a role to stamp (`PROFILE_UNSTAMPED`). */
  readonly unstamped?: true
  /** For refusals, nearest first. */
  readonly remedies: readonly Remedy[]
}

/** One condition of a rule, held against what was asked for. */
export interface ConditionCheck {
  readonly condition: keyof Conditions
  readonly matched: boolean
  /** As a policy would write it; any one of them would do. */
  readonly expected: readonly string[]
  readonly actual: string
}
