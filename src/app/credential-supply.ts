import type { SessionCredentials } from '../domain/credentials.ts'
import type { Grant } from '../domain/policy/types.ts'
import { drift, elapsed, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { BaseIdentity, BaseIdentityKeeper } from './base-identity.ts'
import { isBaseEnded } from './base-identity.ts'
import type { DecisionRecorder } from './decision-recorder.ts'
import type { EndWarnings } from './end-warnings.ts'
import type { Assessment, Issuer } from './issuer.ts'
import type { PolicyKeeper } from './policy-keeper.ts'
import { isLastMint, type Minted, reServing } from './re-serving.ts'
import { refusalOf } from './refusal.ts'
import type { RefusalMemory } from './refusal-memory.ts'

export interface CredentialSupplyDeps {
  readonly identities: BaseIdentityKeeper
  readonly policies: PolicyKeeper
  readonly issuer: Issuer
  readonly recorder: DecisionRecorder
  readonly refusals: RefusalMemory
  readonly warnings: EndWarnings
  readonly clock: Clock
  readonly newRequestId: () => string
  readonly profile: string
}

/** SDKs give up after a second or two: an answer takes less, or says to ask again. */
const PATIENCE = 900
/** A failure is not tried again sooner than an SDK would: `Retry-After` says the same. */
const RETRY_AFTER = SECOND
/** The wall clock jumping this far against the monotonic one means that the machine slept. */
const SLEPT = 5 * SECOND
const SERVED_EVERY = MINUTE
/** Credentials of several keys live side by side only around a change of policy or login. */
const MINTED_MAX = 4

/**
 * What the credential server hands out: decides each request anew, and mints as seldom as the life
 * of credentials allows (design § 2 step 4, § 6 "Re-serving").
 *
 * The usual answer waits for nothing: policy, identity and a minted credential are at hand. All
 * else goes through one `#minting` at a time, which requests wait for no longer than `PATIENCE`;
 * it goes on in the background, and the SDK's own retry finds what it made.
 */
export class CredentialSupply {
  readonly #deps: CredentialSupplyDeps
  readonly #minted = new Map<string, Minted>()
  readonly #served = new Map<string, { count: number; peer?: 'unknown' }>()
  #minting: Promise<Minted> | undefined
  #failure: { readonly error: unknown; readonly at: Moment } | undefined
  #grants: readonly Grant[] = []
  /** The grant whose last credential is minted: it is to end with the grant, and once. */
  #lastMintOf: string | undefined
  #seen: Moment
  #servedAt: Moment

  constructor(deps: CredentialSupplyDeps) {
    this.#deps = deps
    this.#seen = deps.clock.now()
    this.#servedAt = this.#seen
  }

  /**
   * Answers one authorized request. Rejects with the policy's refusal, with what ended (403), or
   * with what did not answer in time (503).
   */
  async serve(peer: 'same' | 'unknown'): Promise<SessionCredentials> {
    this.#noticeSleep()
    const minted = this.#atHand() ?? (await this.#fetchInTime())
    this.#count(minted, peer)
    return minted.credentials
  }

  /** Mints the first credential before the child starts. Rejects with what stops it. */
  async warmUp(): Promise<void> {
    await this.#mintOnce()
  }

  /** To be called every few seconds: what must happen though nobody asks. */
  tick(): void {
    this.#noticeSleep()
    const { clock, refusals, warnings } = this.#deps
    refusals.sweep()
    if (elapsed(this.#servedAt, clock.now()) >= SERVED_EVERY) this.#recordServed()
    const assessment = this.#assessAtHand()
    if (!assessment) return
    warnings.check(assessment)
    this.#mintLastOfGrant(assessment)
  }

  /** Records what was only counted, at the end of a run. */
  close(): void {
    this.#deps.refusals.flush()
    this.#recordServed()
    this.#minted.clear()
  }

  /** A credential that may be handed out without waiting; throws the policy's refusal. */
  #atHand(): Minted | undefined {
    const assessment = this.#assessAtHand()
    if (assessment?.decision.outcome !== 'allow') return undefined
    const minted = this.#minted.get(keyOf(assessment))
    if (!minted) return undefined
    const verdict = reServing(minted, this.#deps.clock.aws())
    if (verdict === 'serve and renew') this.#mintAhead()
    return verdict === 'serve' || verdict === 'serve and renew' ? minted : undefined
  }

  #assessAtHand(): Assessment | undefined {
    const policy = this.#deps.policies.fresh()
    const identity = this.#deps.identities.usable()
    return policy && identity && this.#deps.issuer.assess(identity, policy, this.#grants)
  }

  /** Mints, or when that fails or takes long, falls back on what still has life in it. */
  async #fetchInTime(): Promise<Minted> {
    try {
      return await withPatience(this.#mintOnce())
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      const spare = await this.#spare(error)
      if (spare) return spare
      throw error
    }
  }

  /** The last credential to its last minute, as long as the policy still allows it. */
  async #spare(error: SentinelError): Promise<Minted | undefined> {
    const { identities, policies, issuer, clock } = this.#deps
    const identity = identities.last()
    if (!identity || !mayFallBack(error)) return undefined
    const policy = policies.fresh() ?? (await policies.current().catch(() => undefined))
    if (!policy) return undefined
    const assessment = issuer.assess(identity, policy, this.#grants)
    if (assessment.decision.outcome !== 'allow') return undefined
    const minted = this.#minted.get(keyOf(assessment))
    return minted && reServing(minted, clock.aws()) !== 'drop' ? minted : undefined
  }

  #mintAhead(): void {
    // A failure is recorded, and tried again by the request that finds nothing to serve.
    this.#mintOnce().catch(() => {})
  }

  /** Joins the mint under way, or the memory of one that has just failed. */
  #mintOnce(): Promise<Minted> {
    if (this.#minting !== undefined) return this.#minting
    const failure = this.#failure
    if (failure && elapsed(failure.at, this.#deps.clock.now()) < RETRY_AFTER) {
      return this.#repeatFailure(failure.error)
    }
    this.#minting = this.#mint().finally(() => {
      this.#minting = undefined
    })
    return this.#minting
  }

  async #repeatFailure(error: unknown): Promise<never> {
    if (error instanceof SentinelError) await this.#deps.refusals.remember(error, {})
    throw error
  }

  async #mint(): Promise<Minted> {
    const requestId = this.#deps.newRequestId()
    const known: { assessment?: Assessment } = {}
    try {
      const minted = await this.#issue(requestId, known)
      this.#failure = undefined
      return minted
    } catch (error) {
      this.#failure = { error, at: this.#deps.clock.now() }
      if (error instanceof SentinelError) {
        await this.#deps.refusals.remember(error, known.assessment ?? {}, requestId)
      }
      throw error
    }
  }

  async #issue(requestId: string, known: { assessment?: Assessment }): Promise<Minted> {
    const { identities, policies, issuer, clock, profile } = this.#deps
    const identity = identities.usable() ?? (await identities.renew())
    const policy = await policies.current()
    this.#grants = await issuer.grantsOf(identity)
    const assessment = issuer.assess(identity, policy, this.#grants)
    known.assessment = assessment
    if (assessment.decision.outcome !== 'allow') throw refusalOf(assessment.decision, profile)
    const found = this.#minted.get(keyOf(assessment))
    if (
      found &&
      reServing(found, clock.aws()) === 'serve' &&
      !this.#isLastMintDue(found, assessment)
    ) {
      return found
    }
    const { grant } = assessment.decision
    const issued = await this.#issueWithRenewal(assessment, requestId)
    if (grant && isLastMint(grant.endsAt, clock.aws())) this.#lastMintOf = grant.id
    return this.#keep(keyOf(issued.assessment), {
      credentials: issued.credentials,
      requestId,
      mintedAt: clock.aws(),
    })
  }

  /** STS may know of the end of base credentials first: others are tried once. */
  async #issueWithRenewal(assessment: Assessment, requestId: string) {
    const { identities, issuer } = this.#deps
    try {
      return await issuer.issue(assessment, requestId)
    } catch (error) {
      if (!isBaseEnded(error)) throw error
      const renewed = await identities.renew()
      if (isSameKey(renewed, assessment.identity)) throw error
      return issuer.issue(issuer.assess(renewed, assessment.policy, this.#grants), requestId)
    }
  }

  #keep(key: string, minted: Minted): Minted {
    this.#minted.delete(key)
    this.#minted.set(key, minted)
    const [oldest] = this.#minted.keys()
    if (this.#minted.size > MINTED_MAX && oldest) this.#minted.delete(oldest)
    return minted
  }

  #mintLastOfGrant(assessment: Assessment): void {
    const minted = this.#minted.get(keyOf(assessment))
    if (minted && this.#isLastMintDue(minted, assessment)) this.#mintAhead()
  }

  #isLastMintDue(minted: Minted, { decision: { grant } }: Assessment): boolean {
    if (!grant || this.#lastMintOf === grant.id) return false
    return (
      minted.credentials.expiration < grant.endsAt &&
      isLastMint(grant.endsAt, this.#deps.clock.aws())
    )
  }

  #noticeSleep(): void {
    const now = this.#deps.clock.now()
    if (drift(this.#seen, now) > SLEPT) {
      this.#deps.policies.forget()
      this.#grants = []
      this.#failure = undefined
    }
    this.#seen = now
  }

  #count({ requestId }: Minted, peer: 'same' | 'unknown'): void {
    const entry = this.#served.get(requestId)
    if (entry) entry.count += 1
    else this.#served.set(requestId, { count: 1 })
    if (peer === 'unknown') this.#served.get(requestId)!.peer = 'unknown'
  }

  #recordServed(): void {
    this.#servedAt = this.#deps.clock.now()
    for (const [requestId, { count, peer }] of this.#served) {
      this.#deps.recorder.served(requestId, count, peer)
    }
    this.#served.clear()
  }
}

/** What a minted credential is good for; with any of it changed, another must be minted. */
function keyOf({ identity, policy, decision }: Assessment): string {
  return [
    identity.principal.uniqueId,
    identity.resolved.base.accessKeyId,
    identity.target.roleArn ?? '',
    decision.rule?.index ?? '',
    decision.maxDuration ?? '',
    decision.basis,
    decision.grant?.id ?? '',
    policy.sha256,
  ].join(' ')
}

function isSameKey(a: BaseIdentity, b: BaseIdentity): boolean {
  return a.resolved.base.accessKeyId === b.resolved.base.accessKeyId
}

/** Whether `error` says only that no new credential can be had, not that none may be used. */
function mayFallBack(error: SentinelError): boolean {
  return (
    isBaseEnded(error) ||
    hasCode(error, 'STS_UNAVAILABLE', 'STS_REFUSED', 'DURATION_TOO_SHORT', 'INTERACTION_REQUIRED')
  )
}

async function withPatience(minting: Promise<Minted>): Promise<Minted> {
  // Given up on, it must not end the process as an unhandled rejection.
  minting.catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(stillWorking()), PATIENCE)
  })
  try {
    return await Promise.race([minting, patience])
  } finally {
    clearTimeout(timer)
  }
}

function stillWorking(): SentinelError {
  return new SentinelError('STS_UNAVAILABLE', 'credentials are still being made', {
    hint: 'ask again in a second',
    reply: 'credentials are still being made: ask again',
  })
}
