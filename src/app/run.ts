import type { Credentials } from '../domain/credentials.ts'
import { toHex } from '../domain/hex.ts'
import type { Mode, Policy } from '../domain/policy/types.ts'
import type { SessionId } from '../domain/session.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { Notices } from '../ports/notices.ts'
import type { PolicySource } from '../ports/policy-source.ts'
import type { Profile, Profiles } from '../ports/profiles.ts'
import type { SessionStores } from '../ports/session-stores.ts'
import type { TokenService } from '../ports/token-service.ts'
import type { AnchorPlace } from './anchor-keeper.ts'
import { anchoredLog } from './anchored-log.ts'
import type { Known } from './assessment.ts'
import { type BaseIdentity, BaseIdentityKeeper } from './base-identity.ts'
import { closeLog } from './close-log.ts'
import { CredentialMaker } from './credential-maker.ts'
import { CredentialSupply } from './credential-supply.ts'
import { DecisionRecorder } from './decision-recorder.ts'
import { EndWarnings } from './end-warnings.ts'
import { GrantKeeper } from './grant-keeper.ts'
import { type Issued, Issuer } from './issuer.ts'
import { Mint } from './mint.ts'
import { MintedCredentials } from './minted-credentials.ts'
import { PolicyKeeper, type PolicyKeeperDeps } from './policy-keeper.ts'
import { RefusalMemory } from './refusal-memory.ts'
import type { RunSession } from './run-session.ts'
import { RunSessions } from './run-sessions.ts'
import { ServedCount } from './served-count.ts'
import type { SessionRuleSettings } from './session-rules.ts'

type BaseOf = () => Promise<Credentials>

export interface RunDeps {
  readonly profiles: Profiles
  readonly tokens: TokenService
  readonly log: DecisionLog
  readonly clock: Clock
  readonly notices: Notices
  /** `base` gives the served profile's own credentials, for a policy that is kept in AWS. */
  readonly openPolicySource: (base: BaseOf) => PolicySource
  /** As above. Without it nothing is tracked, and no lock is looked at. */
  readonly openSessionStores?: (base: BaseOf) => SessionStores
  /** As above; `policy` is the one in force. Without it there are no grants. */
  readonly openGrants?: (base: BaseOf, policy: () => Policy | undefined) => GrantSource
  /** As above, but nobody is asked for anything. Without it the log is not anchored. */
  readonly openAnchors?: (base: BaseOf) => AnchorPlace | undefined
  readonly parsePolicy: PolicyKeeperDeps['parse']
  readonly sha256: (text: string) => Uint8Array
  readonly newRequestId: () => string
  readonly newSessionId: () => SessionId
  readonly random: () => number
}

export interface RunOptions {
  readonly profile: string
  readonly mode: Mode
  /** Seconds, by precedence; the profile's own comes after the flag, and not in server mode. */
  readonly asked: {
    readonly flag?: number | undefined
    /** Its default included. */
    readonly setting: number
  }
  readonly mayPrompt: boolean
  readonly acceptsPolicyReset: boolean
  readonly hasSessionTags: boolean
  readonly endpointOverride: boolean
  readonly version: string
  /** Of this machine and process, for the session's record. */
  readonly origin: { readonly host: string; readonly pid: number }
  /** What the settings say of a silent session store. */
  readonly sessionRules: SessionRuleSettings
}

/**
 * One run of a command that issues: who asks, under which policy, and everything that is recorded
 * of it. `exec`, `exec --server`, `credentials` and `export` all go through here; there is no
 * second way to a credential.
 */
export class Run implements AsyncDisposable {
  readonly profile: Profile
  readonly #deps: RunDeps
  readonly #identities: BaseIdentityKeeper
  readonly #policies: PolicyKeeper
  readonly #isPolicyLocal: boolean
  readonly #grantSource: GrantSource | undefined
  readonly #grants: GrantKeeper
  readonly #recorder: DecisionRecorder
  readonly #issuer: Issuer
  readonly #refusals: RefusalMemory
  readonly #minted = new MintedCredentials()
  readonly #sessions: RunSessions
  readonly #ending = new AbortController()
  /** Until the command runs: nobody is asked for anything inside a request. */
  #mayPrompt: boolean
  #exitStatus = 0
  /** Whether that is what the run failed with: then it is told already. */
  #isLogLost = false

  constructor(given: RunDeps, options: RunOptions, profile: Profile) {
    const log = anchoredLog({
      ...given,
      place: given.openAnchors?.(() => this.#baseCredentials(false)),
      maySign: () => this.#identities.last() !== undefined,
    })
    const deps = { ...given, log }
    this.profile = profile
    this.#deps = deps
    this.#mayPrompt = options.mayPrompt
    const context = {
      profile: profile.name,
      mode: options.mode,
      version: options.version,
      roleArn: profile.roleArn,
      endpointOverride: options.endpointOverride,
      asked: askedFor(options, profile),
      hasSessionTags: options.hasSessionTags,
      session: () => this.#sessions.current?.context,
      sessionGate: () => this.#sessions.gate,
    }
    const common = { ...deps, ending: this.#ending.signal }
    this.#identities = new BaseIdentityKeeper(common, profile)
    const source = deps.openPolicySource(() => this.#baseCredentials())
    this.#isPolicyLocal = source.isLocal
    this.#policies = new PolicyKeeper(
      {
        ...common,
        source,
        parse: deps.parsePolicy,
        sha256: (text) => toHex(deps.sha256(text)),
      },
      { acceptsReset: options.acceptsPolicyReset },
    )
    this.#grantSource = deps.openGrants?.(
      () => this.#baseCredentials(),
      () => this.#policies.last()?.policy,
    )
    this.#grants = new GrantKeeper({ ...deps, grants: this.#grantSource }, profile.name)
    this.#recorder = new DecisionRecorder(deps.log, deps.clock, context)
    this.#issuer = new Issuer(
      {
        ...common,
        maker: new CredentialMaker(common, context),
        policies: this.#policies,
        grants: this.#grants,
        recorder: this.#recorder,
      },
      context,
    )
    this.#refusals = new RefusalMemory({ ...common, recorder: this.#recorder })
    this.#sessions = new RunSessions(
      {
        ...common,
        stores: deps.openSessionStores?.(() => this.#baseCredentials()),
        policies: this.#policies,
        recorder: this.#recorder,
        refusals: this.#refusals,
        drop: () => this.#minted.clear(),
      },
      { ...options, ...context, roleArn: profile.roleArn },
    )
    this.#recorder.start()
  }

  /** The id by which children know this run: its session's, where it is tracked. */
  get id(): string {
    return this.#sessions.current?.id ?? this.#deps.log.stream
  }

  /** Decides and issues once. Rejects with the refusal, which is recorded. */
  async issueOnce(): Promise<Issued> {
    const requestId = this.#deps.newRequestId()
    return this.#recording(requestId, async (known) => {
      const identity = await this.#prepare(known)
      await Promise.all([this.#grants.look(identity), this.#sessions.lookAtLocks(identity)])
      // Anew: a person may have taken minutes to answer a prompt.
      const assessment = this.#issuer.assess(identity, await this.#policies.current())
      Object.assign(known, assessment)
      return this.#issuer.issue(assessment, requestId, known)
    })
  }

  /**
   * What a credential server serves from. Finds out first who asks and under which policy: this is
   * the last time that a person may be asked for anything. With `warm-up` it issues the first
   * credential too, so that a refused profile starts nothing.
   */
  async openSupply(start: 'warm-up' | 'lazy'): Promise<CredentialSupply> {
    await this.#recording(this.#deps.newRequestId(), async (known) => {
      const identity = await this.#prepare(known)
      this.#mayPrompt = false
      await this.#sessions.open(identity, (store) =>
        this.#issuer.presume(identity, this.#policies.inForce(), store),
      )
    })
    const { clock, notices, newRequestId } = this.#deps
    const parts = {
      identities: this.#identities,
      policies: this.#policies,
      grants: this.#grants,
      issuer: this.#issuer,
      recorder: this.#recorder,
      refusals: this.#refusals,
      minted: this.#minted,
      clock,
      notices,
      newRequestId,
    }
    const supply = new CredentialSupply({
      ...parts,
      mint: new Mint(parts),
      served: new ServedCount(parts),
      warnings: new EndWarnings(parts),
      ending: this.#ending,
    })
    if (start === 'warm-up') await supply.warmUp()
    await this.#sessions.begin()
    this.#policies.start()
    return supply
  }

  /** The session as which this run is tracked, if it is. */
  get session(): RunSession | undefined {
    return this.#sessions.current
  }

  /** Ends the session, if there is one. To be called when nothing is served any more. */
  async closeSession(reason: string): Promise<void> {
    await this.#sessions.close(reason)
  }

  /** Does `work`, and keeps how it ended for the last record of the run. */
  async endingWith<Result>(
    work: () => Promise<Result>,
    statusOf: (result: Result) => number = () => 0,
  ): Promise<Result> {
    try {
      const result = await work()
      this.#exitStatus = statusOf(result)
      return result
    } catch (error) {
      this.#exitStatus = error instanceof SentinelError ? error.exitCode : 70
      this.#isLogLost = hasCode(error, 'LOG_UNAVAILABLE')
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeSession('internal error')
    this.#ending.abort()
    this.#policies[Symbol.dispose]()
    await this.#grantSource?.[Symbol.asyncDispose]()
    this.#refusals.flush()
    this.#recorder.stop(this.#exitStatus)
    await closeLog(this.#deps, { isTold: this.#isLogLost })
  }

  /**
   * Finds out who asks and under which policy. A local one comes first: if it is not valid, AWS is
   * asked for nothing. One that is kept in AWS comes last: it is read with the base credentials,
   * and a person may take minutes to give a code for them.
   */
  async #prepare(known: Known): Promise<BaseIdentity> {
    if (this.#isPolicyLocal) known.policy = await this.#policies.load()
    known.identity = await this.#identities.renew(this.#mayPrompt)
    known.policy ??= await this.#policies.load()
    this.#grantSource?.assertPlaces()
    return known.identity
  }

  /** Does `work`, and records how it failed with as much as was `known` by then. */
  async #recording<Result>(
    requestId: string,
    work: (known: Known) => Promise<Result>,
  ): Promise<Result> {
    const known: Known = {}
    try {
      return await work(known)
    } catch (error) {
      // A policy in AWS may have failed after it was known who asks.
      const identity = known.identity ?? this.#identities.last()
      const all = identity ? { ...known, identity } : known
      if (error instanceof SentinelError) await this.#refusals.remember(error, all, requestId)
      throw error
    }
  }

  async #baseCredentials(mayPrompt = this.#mayPrompt): Promise<Credentials> {
    const usable = this.#identities.usable()
    return (usable ?? (await this.#identities.renew(mayPrompt))).resolved.base
  }
}

function askedFor({ asked, mode }: RunOptions, { durationSeconds }: Profile): number {
  const ofProfile = mode === 'server' ? undefined : durationSeconds
  return asked.flag ?? ofProfile ?? asked.setting
}
