import { parseRoleArn } from '../domain/arn.ts'
import type { Target } from '../domain/policy/types.ts'
import {
  isIssuedBySentinel,
  isSamePrincipal,
  type Principal,
  parsePrincipal,
} from '../domain/principal.ts'
import { userPart } from '../domain/source-identity.ts'
import { elapsed, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Profile, Profiles, ResolvedProfile } from '../ports/profiles.ts'
import type { TokenService } from '../ports/token-service.ts'

/** What a profile resolved to, and who STS says that is. */
export interface BaseIdentity {
  readonly resolved: ResolvedProfile
  readonly principal: Principal
  /** The user part of the SourceIdentity. */
  readonly user: string
  readonly target: Target
}

export interface BaseIdentityDeps {
  readonly profiles: Pick<Profiles, 'resolve'>
  readonly tokens: Pick<TokenService, 'identify'>
  readonly clock: Clock
  readonly sha256: (text: string) => Uint8Array
  /** Aborts when the run ends. */
  readonly ending?: AbortSignal
}

/** Base credentials that end sooner than this are renewed in the background, once a minute. */
const RENEW_BEFORE = 10 * MINUTE
const RENEW_EVERY = MINUTE
/** Sooner than this, they sign nothing any more. */
const USABLE = 30 * SECOND
/** Longer than the providers themselves take at most, so that their own words are heard. */
const RESOLVE_TIMEOUT = 45 * SECOND
/** A person may have to answer: bounded by their patience, not by ours. */
const PROMPT_TIMEOUT = 10 * MINUTE

/**
 * Keeps the base credentials of a run and the principal they belong to.
 *
 * Whoever signs AssumeRole is identified before: each new access key is asked for its name once,
 * and a run that began as one principal never goes on as another.
 */
export class BaseIdentityKeeper {
  readonly #deps: BaseIdentityDeps
  readonly #profile: Profile
  #current: BaseIdentity | undefined
  #renewing: Promise<BaseIdentity> | undefined
  #renewedAt: Moment | undefined
  #principal: Principal | undefined
  /** Set for good once the base credentials became somebody else's. */
  #ended: SentinelError | undefined

  constructor(deps: BaseIdentityDeps, profile: Profile) {
    this.#deps = deps
    this.#profile = profile
  }

  /**
   * Who this run is, whether or not the credentials still work: that is enough to re-serve what was
   * minted. Starts to renew them when they soon do not. Throws `PRINCIPAL_CHANGED` for good once
   * they became somebody else's.
   */
  known(): BaseIdentity | undefined {
    if (this.#ended) throw this.#ended
    if (this.#current && this.remaining() < RENEW_BEFORE) this.#renewAhead()
    return this.#current
  }

  /** As {@link known}, if the credentials may still sign. */
  usable(): BaseIdentity | undefined {
    const known = this.known()
    return this.remaining() > USABLE ? known : undefined
  }

  /** The identity last known, for records: also when it is no longer to be used. */
  last(): BaseIdentity | undefined {
    return this.#current
  }

  /** Milliseconds until the base credentials end; `Infinity` when they do not say. */
  remaining(): number {
    if (!this.#current) return 0
    const { expiration = Infinity } = this.#current.resolved.base
    return expiration - this.#deps.clock.aws()
  }

  #renewAhead(): void {
    const now = this.#deps.clock.now()
    if (this.#renewedAt && elapsed(this.#renewedAt, now) < RENEW_EVERY) return
    // A failure shows when the credentials are needed and gone.
    this.renew().catch(() => {})
  }

  /**
   * Resolves the profile anew, joining a renewal under way. Rejects with what
   * {@link Profiles.resolve} and {@link TokenService.identify} reject with, and with
   * `PRINCIPAL_CHANGED`, `PROFILE_CHANGED` or `ISSUED_BY_SENTINEL`.
   */
  async renew(mayPrompt = false): Promise<BaseIdentity> {
    if (this.#ended) throw this.#ended
    this.#renewedAt = this.#deps.clock.now()
    this.#renewing ??= this.#resolve(mayPrompt).finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #resolve(mayPrompt: boolean): Promise<BaseIdentity> {
    const { profiles, tokens, ending } = this.#deps
    const timeout = AbortSignal.timeout(mayPrompt ? PROMPT_TIMEOUT : RESOLVE_TIMEOUT)
    const signal = ending ? AbortSignal.any([ending, timeout]) : timeout
    const resolved = await profiles.resolve(this.#profile.name, { mayPrompt, signal })
    this.#assertSameRole(resolved)
    const known = this.#current
    if (known && known.resolved.base.accessKeyId === resolved.base.accessKeyId) {
      this.#current = { ...known, resolved }
      return this.#current
    }
    const caller = await tokens.identify(resolved.base, signal)
    const principal = parsePrincipal(caller, resolved.webIdentity)
    this.#assertSamePrincipal(principal)
    this.#principal = principal
    this.#current = {
      resolved,
      principal,
      user: userPart(principal, this.#deps.sha256),
      target: targetOf(this.#profile, resolved, principal),
    }
    return this.#current
  }

  #assertSameRole({ role }: ResolvedProfile): void {
    const { name, roleArn, isWebIdentity } = this.#profile
    if (role?.arn === (isWebIdentity ? undefined : roleArn)) return
    throw new SentinelError(
      'PROFILE_CHANGED',
      `profile ${name} now stands for ${role?.arn ?? 'no role'}, not for ${roleArn ?? 'none'}`,
      { hint: 'start the command again to use the profile as it is now' },
    )
  }

  #assertSamePrincipal(principal: Principal): void {
    if (isIssuedBySentinel(principal)) {
      throw new SentinelError(
        'ISSUED_BY_SENTINEL',
        `the base credentials (${principal.arn}) were issued by Sentinel, and cannot be stamped again`,
        { hint: 'run this command outside of `sentinel exec`, with your own credentials' },
      )
    }
    if (!this.#principal || isSamePrincipal(this.#principal, principal)) return
    this.#ended = new SentinelError(
      'PRINCIPAL_CHANGED',
      `the base credentials became those of ${principal.arn}; this run began as ${this.#principal.arn}`,
      { hint: 'start the command again' },
    )
    throw this.#ended
  }
}

/** Whether `error` means that other base credentials may help. */
export function isBaseEnded(error: unknown): boolean {
  return hasCode(error, 'BASE_CREDENTIALS_EXPIRED', 'BASE_CREDENTIALS_MISSING')
}

/** What the credentials asked for stand for, stamped or not: by STS's word where it has spoken. */
function targetOf({ roleArn }: Profile, { role }: ResolvedProfile, principal: Principal): Target {
  if (role) return { roleArn: role.arn, account: accountOf(role.arn), stamped: true }
  const unstamped = { account: principal.account, stamped: false }
  if (!('role' in principal)) return unstamped
  // STS leaves the path out of a session's ARN: only the profile may know it.
  if (roleArn && isRoleOf(principal, roleArn)) return { ...unstamped, roleArn }
  const { partition, account, role: name } = principal
  return { ...unstamped, roleArn: `arn:${partition}:iam::${account}:role/${name}` }
}

function isRoleOf(principal: Principal & { role: string }, roleArn: string): boolean {
  const { partition, account, name } = parseRoleArn(roleArn) ?? {}
  return (
    partition === principal.partition && account === principal.account && name === principal.role
  )
}

function accountOf(roleArn: string): string {
  return roleArn.split(':')[4] ?? ''
}
