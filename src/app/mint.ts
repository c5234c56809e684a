import { elapsed, type Instant, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import { type Assessment, type Known, learn } from './assessment.ts'
import { type BaseIdentity, type BaseIdentityKeeper, isBaseEnded } from './base-identity.ts'
import type { GrantKeeper } from './grant-keeper.ts'
import type { Issued, Issuer } from './issuer.ts'
import type { MintedCredentials } from './minted-credentials.ts'
import type { PolicyKeeper } from './policy-keeper.ts'
import { isLastMintDue, type Minted, reServing } from './re-serving.ts'
import type { RefusalMemory } from './refusal-memory.ts'

export interface MintDeps {
  readonly identities: Pick<BaseIdentityKeeper, 'known' | 'usable' | 'renew' | 'last'>
  readonly policies: Pick<PolicyKeeper, 'current' | 'inForce'>
  readonly grants: Pick<GrantKeeper, 'look'>
  readonly issuer: Pick<Issuer, 'assess' | 'assertAllowed' | 'issue'>
  readonly minted: MintedCredentials
  readonly refusals: Pick<RefusalMemory, 'remember' | 'recover'>
  readonly clock: Clock
  readonly newRequestId: () => string
}

/** Whoever has nothing to serve tries again no sooner than an SDK: `Retry-After` says the same. */
const RETRY_AFTER = SECOND
/** While the last credential may still be served there is time to spare STS. */
const RETRY_AHEAD = 15 * SECOND
/** How long a request waits: SDKs give up after a second or two. In milliseconds. */
export const PATIENCE = 900

/**
 * Makes a server's credentials one at a time: whoever needs one joins the mint under way, and a
 * failure is remembered for a moment. A failed mint is recorded here, by whoever it was begun.
 */
export class Mint {
  readonly #deps: MintDeps
  #minting: { readonly end: Promise<Minted>; readonly since: Moment } | undefined
  #failure: { readonly error: unknown; readonly at: Moment } | undefined

  constructor(deps: MintDeps) {
    this.#deps = deps
  }

  /** Mints; or joins the mint under way, or the failure of one that has just ended. */
  async next(): Promise<Minted> {
    if (this.#minting) return this.#minting.end
    if (this.#failure && this.#age(this.#failure.at) < RETRY_AFTER) throw this.#failure.error
    return this.#begin()
  }

  /** Mints in the background, unless that is under way or has just failed. */
  ahead(): void {
    if (this.#minting || (this.#failure && this.#age(this.#failure.at) < RETRY_AHEAD)) return
    // A failure is recorded, and tried again by the request that finds nothing to serve.
    this.#begin().catch(() => {})
  }

  /** Whether waiting for the next one is likely to be in vain, though what there is may be used. */
  isInTrouble(): boolean {
    if (this.#minting) return this.#age(this.#minting.since) >= PATIENCE
    return (
      this.#failure !== undefined &&
      mayFallBack(this.#failure.error) &&
      this.#age(this.#failure.at) < RETRY_AHEAD
    )
  }

  /** What failed before is no news of now. */
  forgetFailure(): void {
    this.#failure = undefined
  }

  /** Resolves when nothing is under way, whatever it came to. */
  async settled(): Promise<void> {
    await this.#minting?.end.catch(() => {})
  }

  #begin(): Promise<Minted> {
    const end = this.#mint().finally(() => {
      this.#minting = undefined
    })
    this.#minting = { end, since: this.#deps.clock.now() }
    return end
  }

  async #mint(): Promise<Minted> {
    const { newRequestId, identities, refusals, clock } = this.#deps
    const requestId = newRequestId()
    const known: Known = {}
    try {
      const minted = await this.#findOrIssue(requestId, known)
      this.#failure = undefined
      refusals.recover()
      return minted
    } catch (error) {
      this.#failure = { error, at: clock.now() }
      const identity = known.identity ?? identities.last()
      if (error instanceof SentinelError) {
        await refusals.remember(error, identity ? { ...known, identity } : known, requestId)
      }
      throw error
    }
  }

  async #findOrIssue(requestId: string, known: Known): Promise<Minted> {
    const { identities, policies, minted, clock } = this.#deps
    // Whether its credentials still work or not: to be served what there is, it will do.
    const whoever = identities.known()
    const identified = whoever ? Promise.resolve(whoever) : identities.renew()
    const identity = await learn(known, identified, policies.current())
    const assessment = await this.#assess(identity, known)
    const found = minted.find(assessment)
    if (found && !isDue(found, assessment, clock.aws())) return found
    return this.#keep(await this.#issue(assessment, requestId, known))
  }

  async #issue(assessment: Assessment, requestId: string, known: Known): Promise<Issued> {
    const { identities, issuer } = this.#deps
    issuer.assertAllowed(assessment)
    const signer = identities.usable() ?? (await identities.renew())
    const isAssessed = signer === assessment.identity
    try {
      const signed = isAssessed ? assessment : await this.#assess(signer, known)
      return await issuer.issue(signed, requestId, known)
    } catch (error) {
      if (!isBaseEnded(error)) throw error
      // STS may know of their end before us: others are tried once.
      const renewed = await identities.renew()
      if (renewed.resolved.base.accessKeyId === signer.resolved.base.accessKeyId) throw error
      return issuer.issue(await this.#assess(renewed, known), requestId, known)
    }
  }

  async #assess(identity: BaseIdentity, known: Known): Promise<Assessment> {
    const { grants, issuer, policies } = this.#deps
    await grants.look(identity)
    const assessment = issuer.assess(identity, policies.inForce())
    Object.assign(known, assessment)
    return assessment
  }

  #keep({ assessment, credentials, requestId, duration, isRenewable }: Issued): Minted {
    const minted = { credentials, requestId, life: duration * SECOND, isRenewable }
    this.#deps.minted.keep(assessment, minted)
    return minted
  }

  #age(at: Moment): number {
    return elapsed(at, this.#deps.clock.now())
  }
}

function isDue(minted: Minted, { decision: { grant } }: Assessment, at: Instant): boolean {
  if (reServing(minted, at) !== 'serve') return true
  return grant !== undefined && isLastMintDue(minted, grant.endsAt, at)
}

/** Whether `error` says only that no new credential can be had, not that none may be used. */
export function mayFallBack(error: unknown): error is SentinelError {
  return (
    isBaseEnded(error) ||
    hasCode(
      error,
      'STS_UNAVAILABLE',
      'STS_REFUSED',
      'DURATION_TOO_SHORT',
      'INTERACTION_REQUIRED',
      'INTERRUPTED',
      'LOG_UNAVAILABLE',
    )
  )
}
