import { isAssumedRoleOf } from '../domain/arn.ts'
import type { SessionCredentials } from '../domain/credentials.ts'
import { formatDuration } from '../domain/duration.ts'
import type { Decision } from '../domain/policy/types.ts'
import { roleSessionName, sourceIdentity } from '../domain/source-identity.ts'
import { SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { ResolvedProfile } from '../ports/profiles.ts'
import type { AssumedRole, TokenService } from '../ports/token-service.ts'
import type { Assessment } from './assessment.ts'
import { type DurationLimits, planDuration, SAFE_MAX } from './plan-duration.ts'
import { DYING } from './re-serving.ts'

export interface CredentialMakerDeps {
  readonly tokens: Pick<TokenService, 'assumeRole' | 'getSessionToken'>
  readonly clock: Pick<Clock, 'aws'>
  readonly notices: Notices
  /** Aborts when the run ends. */
  readonly ending: AbortSignal
}

export interface CredentialMakerContext {
  readonly profile: string
  /** Seconds. */
  readonly asked: number
  /** `session_tags`: stamp the session with tags as well. */
  readonly hasSessionTags: boolean
}

/** Credentials as they were made. */
export interface Made {
  readonly credentials: SessionCredentials
  /** Seconds. */
  readonly duration: number
  /** Not where the base credentials themselves are handed out: making gives them once more. */
  readonly isRenewable: boolean
}

/** How long one call of STS may take before it counts as failed. */
const STS_TIMEOUT = 20 * SECOND
/** How far clocks and the way to STS may move an expiration from where it was expected. */
const SLACK = 60 * SECOND

/** Makes credentials for a decision that was taken elsewhere: one that allows (design § 5). */
export class CredentialMaker {
  readonly #deps: CredentialMakerDeps
  readonly #context: CredentialMakerContext
  readonly #told = new Set<string>()
  /** Seconds, once STS has said that the role allows no longer life. */
  #roleMax: number | undefined

  constructor(deps: CredentialMakerDeps, context: CredentialMakerContext) {
    this.#deps = deps
    this.#context = context
  }

  /**
   * Rejects with `DURATION_TOO_SHORT`, with what STS's errors are, with `STS_UNAVAILABLE` when its
   * answer is not what was asked for, and for what cannot be stamped with `POLICY_DENIED`,
   * `PROFILE_INVALID` or `BASE_CREDENTIALS_EXPIRED`.
   */
  async make(assessment: Assessment, requestId: string): Promise<Made> {
    const { resolved, target } = assessment.identity
    const made =
      target.stamped && resolved.role
        ? await this.#assumeRole(resolved.role, assessment, requestId)
        : await this.#makeUnstamped(assessment)
    this.#assertLife(made)
    return made
  }

  async #assumeRole(
    role: NonNullable<ResolvedProfile['role']>,
    assessment: Assessment,
    requestId: string,
  ): Promise<Made> {
    const { user } = assessment.identity
    const request = {
      roleArn: role.arn,
      roleSessionName: roleSessionName(user, requestId),
      sourceIdentity: sourceIdentity(user, assessment.decision.basis, requestId),
      ...(role.externalId && { externalId: role.externalId }),
      ...(role.mfa && { mfa: role.mfa }),
      ...(this.#context.hasSessionTags && { tags: this.#tags(assessment, requestId) }),
    }
    const { base } = assessment.identity.resolved
    const { answer, duration } = await this.#assumeWithin(assessment, (seconds) =>
      this.#deps.tokens.assumeRole(base, { ...request, duration: seconds }, this.#signal()),
    )
    if (!isAssumedRoleOf(answer.assumedRoleArn, request.roleArn, request.roleSessionName)) {
      throw wrongAnswer(`a session of another role than ${request.roleArn}`)
    }
    return { credentials: answer.credentials, duration, isRenewable: true }
  }

  /** Asks again for an hour, which every role allows, when the role's own maximum is shorter. */
  async #assumeWithin(
    assessment: Assessment,
    assume: (seconds: number) => Promise<AssumedRole>,
  ): Promise<{ answer: AssumedRole; duration: number }> {
    const duration = this.#plan(assessment)
    try {
      return { answer: await assume(duration), duration }
    } catch (error) {
      if (!isTooLongForRole(error) || duration <= SAFE_MAX) throw error
      this.#roleMax = SAFE_MAX
      const shorter = this.#plan(assessment)
      return { answer: await assume(shorter), duration: shorter }
    }
  }

  #plan({ identity, decision: { grant, maxDuration: cap } }: Assessment): number {
    const grantRemaining = grant && (grant.endsAt - this.#deps.clock.aws()) / SECOND
    const isChained = !['iam', 'root', 'federated'].includes(identity.principal.kind)
    return this.#planWithin({ cap, isChained, roleMax: this.#roleMax, grantRemaining })
  }

  #planWithin(limits: Omit<DurationLimits, 'asked'>): number {
    const { seconds, note } = planDuration({ asked: this.#context.asked, ...limits })
    if (note) this.#tellOnce(() => this.#deps.notices.info(`credentials last ${note}`), note)
    return seconds
  }

  /** What a profile without a role stands for: its own session, or one made of a user's keys. */
  async #makeUnstamped(assessment: Assessment): Promise<Made> {
    const { profile } = this.#context
    this.#tellOnce(
      () => this.#deps.notices.warn(`credentials of profile ${profile} carry no stamp`),
      'unstamped',
    )
    const { base } = assessment.identity.resolved
    if (base.sessionToken) return this.#passOn(assessment)
    const cap = assessment.decision.maxDuration
    const duration = this.#planWithin({ cap, isChained: false })
    const credentials = await this.#deps.tokens.getSessionToken(base, duration, this.#signal())
    return { credentials, duration, isRenewable: true }
  }

  #passOn({ identity, decision }: Assessment): Made {
    const { base, loginCommand } = identity.resolved
    const { sessionToken, expiration } = base
    if (!sessionToken || expiration === undefined) {
      throw new SentinelError(
        'PROFILE_INVALID',
        `the credentials of profile ${this.#context.profile} do not say when they end`,
        { hint: 'let its credential_process print Expiration, or give the profile a role_arn' },
      )
    }
    const left = expiration - this.#deps.clock.aws()
    if (left <= DYING) {
      throw new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the base credentials are ending', {
        hint: loginCommand ? `run: ${loginCommand}` : 'log in again',
      })
    }
    const duration = Math.floor(left / SECOND)
    assertWithinCap(duration, decision)
    const credentials = {
      ...base,
      sessionToken,
      expiration,
      accountId: identity.principal.account,
    }
    return { credentials, duration, isRenewable: false }
  }

  /** I3: whatever the answer says, nothing lives longer than was asked, and nothing is dead. */
  #assertLife({ credentials: { expiration }, duration }: Made): void {
    const left = expiration - this.#deps.clock.aws()
    if (left > DYING && left <= duration * SECOND + SLACK) return
    throw wrongAnswer(`credentials of another life than the ${formatDuration(duration)} asked for`)
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#deps.ending, AbortSignal.timeout(STS_TIMEOUT)])
  }

  #tags({ decision }: Assessment, requestId: string): Readonly<Record<string, string>> {
    return {
      'sentinel:profile': toTagValue(this.#context.profile),
      'sentinel:rule': toTagValue(decision.rule?.name ?? ''),
      'sentinel:request': requestId,
    }
  }

  #tellOnce(tell: () => void, what: string): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    tell()
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

/** STS's pattern for the value of a tag. */
function toTagValue(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256)
}

function wrongAnswer(what: string): SentinelError {
  return new SentinelError('STS_UNAVAILABLE', `STS answered with ${what}`, {
    hint: 'look what answers in place of STS: nothing of this answer was used',
  })
}

function isTooLongForRole(error: unknown): boolean {
  if (!hasCode(error, 'STS_REFUSED')) return false
  const cause = error.cause
  return typeof cause === 'object' && cause !== null && 'durationTooLong' in cause
}
