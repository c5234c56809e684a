import { isAssumedRoleOf } from '../domain/arn.ts'
import type { SessionCredentials } from '../domain/credentials.ts'
import { decide } from '../domain/policy/evaluate.ts'
import type { Decision, Grant } from '../domain/policy/types.ts'
import { personOf } from '../domain/principal.ts'
import { roleSessionName, sourceIdentity } from '../domain/source-identity.ts'
import { SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { Notices } from '../ports/notices.ts'
import type { AssumedRole, TokenService } from '../ports/token-service.ts'
import type { BaseIdentity } from './base-identity.ts'
import type { DecisionRecorder, RunContext } from './decision-recorder.ts'
import { CHAINED_MAX, type DurationPlan, planDuration } from './plan-duration.ts'
import type { LoadedPolicy, PolicyKeeper } from './policy-keeper.ts'
import { refusalOf } from './refusal.ts'

export interface IssuerDeps {
  readonly tokens: Pick<TokenService, 'assumeRole' | 'getSessionToken'>
  readonly policies: Pick<PolicyKeeper, 'current' | 'isStale'>
  readonly recorder: DecisionRecorder
  readonly clock: Clock
  readonly notices: Notices
  /** Without one there are no grants. */
  readonly grants?: GrantSource
}

export interface IssuerContext extends RunContext {
  /** Seconds. */
  readonly asked: number
  /** The store that holds this run's session record, once it does. */
  readonly sessionStore?: () => string | undefined
  /** `session_tags`: stamp the session with tags as well. */
  readonly hasSessionTags: boolean
}

/** Everything known when a decision was taken. */
export interface Assessment {
  readonly identity: BaseIdentity
  readonly policy: LoadedPolicy
  readonly isStale: boolean
  readonly decision: Decision
}

export interface Issued {
  readonly credentials: SessionCredentials
  readonly requestId: string
  readonly assessment: Assessment
}

/** How long one call of STS may take before it counts as failed. */
const STS_TIMEOUT = 20 * SECOND

/**
 * Decides and issues: the one way to a credential, for every command (design § 2, steps 3 to 6).
 *
 * I1: `mint` is reached with an allowing decision only. I2: it records before it returns.
 */
export class Issuer {
  readonly #deps: IssuerDeps
  readonly #context: IssuerContext

  constructor(deps: IssuerDeps, context: IssuerContext) {
    this.#deps = deps
    this.#context = context
  }

  /** The live grants of whoever `identity` is. A store that does not answer gives none. */
  async grantsOf(identity: BaseIdentity): Promise<readonly Grant[]> {
    const { grants, notices } = this.#deps
    if (!grants) return []
    try {
      return await grants.live(personOf(identity.principal), this.#context.profile)
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      notices.warn(`grants cannot be looked up: ${error.message}`, error.hint)
      return []
    }
  }

  /** Builds the input of a decision from the real run, and decides. */
  assess(
    identity: BaseIdentity,
    policy: LoadedPolicy,
    grants: readonly Grant[],
    at = this.#deps.clock.aws(),
  ): Assessment {
    const { profile, mode, sessionStore } = this.#context
    const { principal, target } = identity
    const store = sessionStore?.()
    const input = { principal, profile, target, mode, at, grants }
    return {
      identity,
      policy,
      isStale: this.#deps.policies.isStale(policy),
      decision: decide(policy.policy, store ? { ...input, sessionStore: store } : input),
    }
  }

  /**
   * Makes a credential for `assessment` and records it under `requestId`. Rejects with the policy's
   * refusal, `DURATION_TOO_SHORT`, what STS's errors are, or `LOG_UNAVAILABLE`; recording that is
   * the caller's, who knows whether it is a repetition.
   */
  async issue(assessment: Assessment, requestId: string): Promise<Issued> {
    this.#assertAllowed(assessment)
    const { credentials, duration } = await this.#make(assessment, requestId)
    const now = await this.#lookAgain(assessment, duration)
    const { accessKeyId, expiration } = credentials
    await this.#deps.recorder.issued(now, { requestId, accessKeyId, duration, expiration })
    return { credentials, requestId, assessment: now }
  }

  /** I1: nothing but an explicit allow passes. */
  #assertAllowed({ decision }: Assessment): void {
    if (decision.outcome !== 'allow') throw refusalOf(decision, this.#context.profile)
  }

  /** The policy may have changed while STS was answering: what it says now counts. */
  async #lookAgain(before: Assessment, duration: number): Promise<Assessment> {
    const policy = await this.#deps.policies.current()
    if (policy.sha256 === before.policy.sha256) return before
    const grants = before.decision.grant ? [before.decision.grant] : []
    const now = this.assess(before.identity, policy, grants)
    this.#assertAllowed(now)
    if (duration <= (now.decision.maxDuration ?? Infinity)) return now
    throw new SentinelError(
      'POLICY_UNAVAILABLE',
      'the policy was changed to a shorter duration while STS was answering',
      { hint: 'try again: the next credentials follow the new policy' },
    )
  }

  async #make(
    assessment: Assessment,
    requestId: string,
  ): Promise<{ credentials: SessionCredentials; duration: number }> {
    const { resolved, target, user } = assessment.identity
    if (!target.stamped || !resolved.role) return this.#makeUnstamped(assessment)
    const plan = this.#plan(assessment)
    const request = {
      roleArn: resolved.role.arn,
      roleSessionName: roleSessionName(user, requestId),
      sourceIdentity: sourceIdentity(user, assessment.decision.basis, requestId),
      ...(resolved.role.externalId ? { externalId: resolved.role.externalId } : {}),
      ...(resolved.role.mfa ? { mfa: resolved.role.mfa } : {}),
      ...(this.#context.hasSessionTags ? { tags: this.#tags(assessment, requestId) } : {}),
    }
    const assume = (duration: number) =>
      this.#deps.tokens.assumeRole(
        resolved.base,
        { ...request, duration },
        AbortSignal.timeout(STS_TIMEOUT),
      )
    const { answer, duration } = await this.#assumeWithin(plan, assume)
    if (!isAssumedRoleOf(answer.assumedRoleArn, request.roleArn, request.roleSessionName)) {
      throw new SentinelError(
        'STS_UNAVAILABLE',
        `STS answered with ${answer.assumedRoleArn} when asked for ${request.roleArn}`,
        { hint: 'look what answers in place of STS: nothing of this answer was used' },
      )
    }
    return { credentials: answer.credentials, duration }
  }

  /** Asks again for an hour, which every role allows, when the role's own maximum is shorter. */
  async #assumeWithin(
    { seconds, note }: DurationPlan,
    assume: (duration: number) => Promise<AssumedRole>,
  ): Promise<{ answer: AssumedRole; duration: number }> {
    if (note) this.#deps.notices.info(`credentials last ${note}`)
    try {
      return { answer: await assume(seconds), duration: seconds }
    } catch (error) {
      if (!isTooLongForRole(error) || seconds <= CHAINED_MAX) throw error
      this.#deps.notices.info('credentials last 1h: the role allows no more')
      return { answer: await assume(CHAINED_MAX), duration: CHAINED_MAX }
    }
  }

  #plan({ identity, decision }: Assessment): DurationPlan {
    const isChained = !['iam', 'root', 'federated'].includes(identity.principal.kind)
    const { grant, maxDuration: cap } = decision
    const grantRemaining = grant && (grant.endsAt - this.#deps.clock.aws()) / SECOND
    return planDuration({ asked: this.#context.asked, cap, isChained, grantRemaining })
  }

  /** What a profile without a role stands for: its own session, or one made of a user's keys. */
  async #makeUnstamped(assessment: Assessment) {
    const { resolved, principal } = assessment.identity
    const { base } = resolved
    if (!base.sessionToken) {
      const duration = planDuration({
        asked: this.#context.asked,
        cap: assessment.decision.maxDuration,
        isChained: false,
      }).seconds
      const signal = AbortSignal.timeout(STS_TIMEOUT)
      return {
        credentials: await this.#deps.tokens.getSessionToken(base, duration, signal),
        duration,
      }
    }
    if (base.expiration === undefined) {
      throw new SentinelError(
        'PROFILE_INVALID',
        `the credentials of profile ${this.#context.profile} do not say when they end`,
        { hint: 'let its credential_process print Expiration, or give the profile a role_arn' },
      )
    }
    const duration = Math.floor((base.expiration - this.#deps.clock.aws()) / SECOND)
    assertWithinCap(duration, assessment.decision)
    const { sessionToken, expiration } = base
    const credentials = { ...base, sessionToken, expiration, accountId: principal.account }
    return { credentials, duration }
  }

  #tags({ decision }: Assessment, requestId: string): Readonly<Record<string, string>> {
    return {
      'sentinel:profile': this.#context.profile,
      'sentinel:rule': decision.rule?.name ?? '',
      'sentinel:request': requestId,
    }
  }
}

/** Credentials that somebody else made cannot be shortened: too long a life is a refusal (I3). */
function assertWithinCap(duration: number, { maxDuration, rule }: Decision): void {
  if (maxDuration === undefined || duration <= maxDuration) return
  throw new SentinelError(
    'POLICY_DENIED',
    `the profile's own credentials outlive what rule "${rule?.name}" allows`,
    { hint: 'give the profile a role_arn, so that Sentinel can issue shorter ones' },
  )
}

function isTooLongForRole(error: unknown): boolean {
  if (!hasCode(error, 'STS_REFUSED')) return false
  const cause = error.cause
  return typeof cause === 'object' && cause !== null && 'durationTooLong' in cause
}
