import type { SessionCredentials } from '../domain/credentials.ts'
import { drift, type Moment, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Assessment } from './assessment.ts'
import type { BaseIdentity, BaseIdentityKeeper } from './base-identity.ts'
import type { EndWarnings } from './end-warnings.ts'
import type { GrantKeeper } from './grant-keeper.ts'
import type { Issuer } from './issuer.ts'
import { type Mint, mayFallBack, PATIENCE } from './mint.ts'
import type { MintedCredentials } from './minted-credentials.ts'
import type { LoadedPolicy, PolicyKeeper } from './policy-keeper.ts'
import { isLastMintDue, type Minted, reServing } from './re-serving.ts'
import type { RefusalMemory } from './refusal-memory.ts'
import type { ServedCount } from './served-count.ts'
import { within } from './within.ts'

export interface CredentialSupplyDeps {
  readonly identities: Pick<BaseIdentityKeeper, 'known'>
  readonly policies: Pick<PolicyKeeper, 'fresh' | 'current' | 'inForce' | 'forget'>
  readonly grants: Pick<GrantKeeper, 'look' | 'forget'>
  readonly issuer: Pick<Issuer, 'assess'>
  readonly minted: MintedCredentials
  readonly mint: Mint
  readonly served: ServedCount
  readonly refusals: RefusalMemory
  readonly warnings: EndWarnings
  readonly clock: Clock
  /** Ends what is under way in this run. */
  readonly ending: AbortController
}

/** The wall clock jumping this far against the monotonic one means that the machine slept. */
const SLEPT = 5 * SECOND
/** What is being made when a run ends may still be recorded for so long. */
const CLOSING = SECOND

/**
 * What the credential server hands out: decides each request anew, and has credentials minted as
 * seldom as their life allows (design § 2 step 4, § 6 "Re-serving").
 *
 * The usual answer waits for nothing: policy, identity and a minted credential are at hand. All
 * else waits for the mint, but no longer than `PATIENCE`; that goes on in the background, and the
 * SDK's own retry finds what it made.
 */
export class CredentialSupply {
  readonly #deps: CredentialSupplyDeps
  #seen: Moment
  #decided: { readonly second: number; readonly assessment: Assessment } | undefined

  constructor(deps: CredentialSupplyDeps) {
    this.#deps = deps
    this.#seen = deps.clock.now()
  }

  /**
   * Answers one authorized request. Rejects with the policy's refusal, with what ended (403), or
   * with what did not answer in time (503).
   */
  async serve(peer: 'same' | 'unknown'): Promise<SessionCredentials> {
    const { served, refusals } = this.#deps
    try {
      const minted = this.#atHand() ?? (await this.#obtain())
      served.add(minted.requestId, peer)
      return minted.credentials
    } catch (error) {
      refusals.count(error)
      throw error
    }
  }

  /** Mints the first credential before the child starts. Rejects with what stops it. */
  async warmUp(): Promise<void> {
    await this.#deps.mint.next()
  }

  /** To be called every few seconds: what must happen though nobody asks. */
  tick(): void {
    const { refusals, served, warnings } = this.#deps
    refusals.sweep()
    served.sweep()
    const assessment = this.#assess('fresh')
    if (!assessment) return
    warnings.check(assessment)
    this.#followGrant(assessment)
  }

  /** Ends what is under way, and records what was only counted. */
  async close(): Promise<void> {
    const { ending, mint, refusals, served, minted } = this.#deps
    ending.abort()
    await within(CLOSING, mint.settled(), () => new Error('still under way')).catch(() => {})
    refusals.flush()
    served.flush()
    minted.clear()
  }

  /** A credential that may be handed out without waiting. */
  #atHand(): Minted | undefined {
    const assessment = this.#assess('fresh')
    const minted = assessment && this.#deps.minted.find(assessment)
    if (!minted) return undefined
    const { mint, clock } = this.#deps
    const verdict = reServing(minted, clock.aws())
    switch (verdict) {
      case 'serve':
        return minted
      case 'serve and renew':
        mint.ahead()
        return minted
      case 'renew':
        return mint.isInTrouble() ? minted : undefined
      case 'drop':
        return undefined
      default:
        return verdict satisfies never
    }
  }

  /**
   * A grant may be ended from outside within seconds, and the last credential is to end with it.
   */
  #followGrant(assessment: Assessment): void {
    const { grants, minted, mint, clock } = this.#deps
    const { grant } = assessment.decision
    if (!grant) return
    void grants.look(assessment.identity)
    const last = minted.find(assessment)
    if (last && isLastMintDue(last, grant.endsAt, clock.aws())) mint.ahead()
  }

  /** Waits for the mint; when that fails or takes long, what still has life in it will do. */
  async #obtain(): Promise<Minted> {
    const { policies, mint, minted, clock } = this.#deps
    // Begun now, so that both waits end within one patience.
    const looked = policies.current().catch(() => {})
    let failure = stillWorking()
    try {
      await within(PATIENCE, mint.next(), stillWorking)
    } catch (error) {
      if (!mayFallBack(error)) throw error
      failure = error
      await looked
    }
    // Decided once more: the mint may have begun before the policy came to forbid it.
    const assessment = this.#assess('in force')
    const found = assessment && minted.find(assessment)
    if (found && reServing(found, clock.aws()) !== 'drop') return found
    throw failure
  }

  /**
   * What is decided now, of all that is at hand. When something is missing or wrong, `undefined`:
   * the mint meets the same, and records it.
   */
  #assess(policyIs: 'fresh' | 'in force'): Assessment | undefined {
    this.#noticeSleep()
    const { identities, policies } = this.#deps
    try {
      const policy = policyIs === 'fresh' ? policies.fresh() : policies.inForce()
      const identity = identities.known()
      return policy && identity && this.#decide(identity, policy)
    } catch (error) {
      if (error instanceof SentinelError) return undefined
      throw error
    }
  }

  /**
   * Decides; what the policy allows, once a second for the same caller and policy: windows open and
   * close on whole minutes. A refusal is looked at each time, and so is a grant: they end any time.
   */
  #decide(identity: BaseIdentity, policy: LoadedPolicy): Assessment {
    const { issuer, clock } = this.#deps
    const second = Math.floor(clock.aws() / SECOND)
    const { assessment: last } = (this.#decided?.second === second && this.#decided) || {}
    if (last?.identity === identity && last.policy === policy) return last
    const assessment = issuer.assess(identity, policy)
    const { outcome, grant } = assessment.decision
    this.#decided = outcome === 'allow' && !grant ? { second, assessment } : undefined
    return assessment
  }

  #noticeSleep(): void {
    const { clock, policies, grants, mint } = this.#deps
    const now = clock.now()
    if (drift(this.#seen, now) > SLEPT) {
      policies.forget()
      grants.forget()
      mint.forgetFailure()
    }
    this.#seen = now
  }
}

function stillWorking(): SentinelError {
  return new SentinelError('STS_UNAVAILABLE', 'credentials are still being made', {
    hint: 'ask again in a second',
    reply: 'credentials are still being made: ask again',
  })
}
