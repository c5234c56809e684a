import { decide } from '../domain/policy/evaluate.ts'
import type { AccessInput, Decision, Policy } from '../domain/policy/types.ts'
import { sourceIdentity } from '../domain/source-identity.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Assessment, Known } from './assessment.ts'
import type { BaseIdentity } from './base-identity.ts'
import type { CredentialMaker, Made } from './credential-maker.ts'
import type { DecisionRecorder, RunContext } from './decision-recorder.ts'
import type { GrantKeeper } from './grant-keeper.ts'
import type { LoadedPolicy, PolicyKeeper } from './policy-keeper.ts'
import { refusalOf } from './refusal.ts'

export interface IssuerDeps {
  readonly maker: Pick<CredentialMaker, 'make'>
  readonly policies: Pick<PolicyKeeper, 'current' | 'isStale'>
  readonly grants: Pick<GrantKeeper, 'known' | 'ended' | 'renew'>
  readonly recorder: Pick<DecisionRecorder, 'issued'>
  readonly clock: Pick<Clock, 'aws'>
}

export interface IssuerContext extends Pick<RunContext, 'profile' | 'mode'> {
  /** Absent until there is one, and where nothing is tracked. */
  readonly sessionGate?: () => SessionGate | undefined
}

/** What issuing asks of the session, or of the locks alone where there is none. */
export interface SessionGate {
  /** Throws when nothing may be issued (design § 7), by the last verdict. */
  assert(): void
  /** The store, as `policy` names it, that holds the session's record; `undefined` if none does. */
  storeFor(policy: Policy): string | undefined
  /** Hears of every decision: whether a session is required decides what an outage does. */
  sees(decision: Decision): void
  /** Hears what was stamped on a credential that was issued. */
  issued(sourceIdentity: string): void
}

export interface Issued extends Made {
  readonly requestId: string
  readonly assessment: Assessment
}

/**
 * Decides and issues: the one way to a credential, for every command (design § 2, steps 3 to 6).
 *
 * I1: `make` is reached with an allowing decision only. I2: `issue` records before it resolves.
 */
export class Issuer {
  readonly #deps: IssuerDeps
  readonly #context: IssuerContext

  constructor(deps: IssuerDeps, context: IssuerContext) {
    this.#deps = deps
    this.#context = context
  }

  /** Builds the input of a decision from the real run, and decides. */
  assess(
    identity: BaseIdentity,
    policy: LoadedPolicy,
    grants = this.#deps.grants.known(),
    at = this.#deps.clock.aws(),
  ): Assessment {
    const gate = this.#gate()
    const sessionStore = gate?.storeFor(policy.policy)
    const decision = this.#decide(identity, policy, { at, grants, sessionStore })
    gate?.sees(decision)
    const isStale = this.#deps.policies.isStale(policy)
    return { identity, policy, isStale, at, sessionStore, decision }
  }

  /** What would be decided if the session's record were in the store `sessionStore`. */
  presume(identity: BaseIdentity, policy: LoadedPolicy, sessionStore: string): Decision {
    const grants = this.#deps.grants.known()
    return this.#decide(identity, policy, { at: this.#deps.clock.aws(), grants, sessionStore })
  }

  /** I1: nothing but an explicit allow passes. Throws the policy's refusal. */
  assertAllowed({ decision }: Assessment): void {
    if (decision.outcome === 'allow') return
    throw refusalOf(decision, this.#context.profile, this.#deps.grants.ended())
  }

  /**
   * Makes a credential for `assessment` and records it under `requestId`. Rejects with the policy's
   * refusal, with what {@link CredentialMaker.make} rejects with, or with `LOG_UNAVAILABLE`.
   * Recording that is the caller's, who knows whether it is a repetition: `known` is kept to what
   * was decided last.
   */
  async issue(assessment: Assessment, requestId: string, known: Known = {}): Promise<Issued> {
    this.#gate()?.assert()
    this.assertAllowed(assessment)
    const { identity, decision } = assessment
    if (identity.target.stamped)
      known.sourceIdentity = sourceIdentity(identity.user, decision.basis, requestId)
    const made = await this.#deps.maker.make(assessment, requestId)
    const now = await this.#lookAgain(assessment, known)
    assertStillFits(made, assessment, now)
    const { credentials, duration } = made
    const { accessKeyId, expiration } = credentials
    await this.#deps.recorder.issued(now, { requestId, accessKeyId, duration, expiration })
    this.#tellSession(now, requestId)
    return { ...made, requestId, assessment: now }
  }

  #gate(): SessionGate | undefined {
    return this.#context.sessionGate?.()
  }

  #decide(
    { principal, target }: BaseIdentity,
    { policy }: LoadedPolicy,
    {
      sessionStore,
      ...given
    }: Pick<AccessInput, 'at' | 'grants'> & { sessionStore?: string | undefined },
  ): Decision {
    const { profile, mode } = this.#context
    const input = { principal, profile, target, mode, ...given }
    return decide(policy, sessionStore === undefined ? input : { ...input, sessionStore })
  }

  #tellSession({ identity, decision }: Assessment, requestId: string): void {
    if (!identity.target.stamped) return
    this.#gate()?.issued(sourceIdentity(identity.user, decision.basis, requestId))
  }

  /** Policy, grants, session and time went on while STS was answering: what holds now counts. */
  async #lookAgain({ identity, decision }: Assessment, known: Known): Promise<Assessment> {
    if (decision.grant) await this.#deps.grants.renew(identity)
    const now = this.assess(identity, await this.#deps.policies.current())
    Object.assign(known, now)
    this.#gate()?.assert()
    this.assertAllowed(now)
    return now
  }
}

/** I3, and the stamp: what was made must be what would be made now. */
function assertStillFits(
  { credentials, duration }: Made,
  { decision: before }: Assessment,
  { decision: now }: Assessment,
): void {
  const fits =
    now.basis === before.basis &&
    duration <= (now.maxDuration ?? Infinity) &&
    credentials.expiration <= (now.grant?.endsAt ?? Infinity)
  if (fits) return
  throw new SentinelError(
    'POLICY_UNAVAILABLE',
    'what the policy allows changed while STS was answering',
    { hint: 'try again: the next credentials are as it is now' },
  )
}
