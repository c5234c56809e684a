import type { Credentials } from '../domain/credentials.ts'
import type { Mode } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { Notices } from '../ports/notices.ts'
import type { PolicySource } from '../ports/policy-source.ts'
import type { Profile, Profiles } from '../ports/profiles.ts'
import type { TokenService } from '../ports/token-service.ts'
import { type BaseIdentity, BaseIdentityKeeper } from './base-identity.ts'
import { CredentialSupply } from './credential-supply.ts'
import { DecisionRecorder } from './decision-recorder.ts'
import { EndWarnings } from './end-warnings.ts'
import { type Assessment, type Issued, Issuer } from './issuer.ts'
import { PolicyKeeper, type PolicyKeeperDeps } from './policy-keeper.ts'
import { RefusalMemory } from './refusal-memory.ts'

export interface RunDeps {
  readonly profiles: Profiles
  readonly tokens: TokenService
  readonly log: DecisionLog
  readonly clock: Clock
  readonly notices: Notices
  readonly grants?: GrantSource
  /** `base` gives the served profile's own credentials, for a policy that is kept in AWS. */
  readonly openPolicySource: (base: () => Promise<Credentials>) => PolicySource
  readonly parsePolicy: PolicyKeeperDeps['parse']
  readonly sha256: (text: string) => Uint8Array
  readonly newRequestId: () => string
  readonly random: () => number
}

export interface RunOptions {
  readonly profile: string
  readonly mode: Mode
  /** Seconds, by precedence; the profile's own comes after the flag, and not in server mode. */
  readonly asked: {
    readonly flag?: number | undefined
    readonly setting?: number | undefined
    readonly default: number
  }
  readonly mayPrompt: boolean
  readonly acceptsPolicyReset: boolean
  readonly hasSessionTags: boolean
  readonly endpointOverride: boolean
  readonly version: string
}

/**
 * One run of a command that issues: who asks, under which policy, and everything that is recorded
 * of it. `exec`, `exec --server`, `credentials` and `export` all go through here; there is no
 * second way to a credential.
 */
export class Run implements AsyncDisposable {
  readonly profile: Profile
  readonly #deps: RunDeps
  readonly #options: RunOptions
  readonly #identities: BaseIdentityKeeper
  readonly #policies: PolicyKeeper
  readonly #recorder: DecisionRecorder
  readonly #issuer: Issuer
  readonly #refusals: RefusalMemory
  #exitStatus = 0

  constructor(deps: RunDeps, options: RunOptions, profile: Profile) {
    const { tokens, log, clock, notices } = deps
    this.profile = profile
    this.#deps = deps
    this.#options = options
    const context = {
      profile: profile.name,
      mode: options.mode,
      version: options.version,
      roleArn: profile.roleArn,
      endpointOverride: options.endpointOverride,
    }
    this.#identities = new BaseIdentityKeeper(deps, profile)
    this.#policies = new PolicyKeeper(
      {
        ...deps,
        source: deps.openPolicySource(() => this.#baseCredentials()),
        parse: deps.parsePolicy,
        sha256: (text) => hex(deps.sha256(text)),
      },
      { acceptsReset: options.acceptsPolicyReset },
    )
    this.#recorder = new DecisionRecorder(log, clock, context)
    this.#issuer = new Issuer(
      {
        tokens,
        policies: this.#policies,
        recorder: this.#recorder,
        clock,
        notices,
        ...(deps.grants ? { grants: deps.grants } : {}),
      },
      { ...context, asked: askedFor(options, profile), hasSessionTags: options.hasSessionTags },
    )
    this.#refusals = new RefusalMemory({
      recorder: this.#recorder,
      clock,
      // A one-off command throws its refusal, and that is told once, by the command line.
      notices: options.mode === 'server' ? notices : silent,
      newRequestId: deps.newRequestId,
    })
    this.#recorder.start()
  }

  /** The id by which children and records know this run. */
  get id(): string {
    return this.#deps.log.stream
  }

  /** Decides and issues once. Rejects with the refusal, which is recorded. */
  async issueOnce(): Promise<Issued> {
    const requestId = this.#deps.newRequestId()
    const known: { identity?: BaseIdentity; assessment?: Assessment } = {}
    try {
      const { identity, policy } = await this.#prepare(known)
      const grants = await this.#issuer.grantsOf(identity)
      known.assessment = this.#issuer.assess(identity, policy, grants)
      return await this.#issuer.issue(known.assessment, requestId)
    } catch (error) {
      if (error instanceof SentinelError) {
        await this.#refusals.remember(error, known.assessment ?? known, requestId)
      }
      throw error
    }
  }

  /**
   * What a credential server serves from. Decides, and with `warm-up` issues, before it resolves:
   * a refused profile starts nothing.
   */
  async openSupply(start: 'warm-up' | 'lazy'): Promise<CredentialSupply> {
    const { clock, newRequestId, notices } = this.#deps
    const supply = new CredentialSupply({
      identities: this.#identities,
      policies: this.#policies,
      issuer: this.#issuer,
      recorder: this.#recorder,
      refusals: this.#refusals,
      warnings: new EndWarnings({
        issuer: this.#issuer,
        identities: this.#identities,
        clock,
        notices,
      }),
      clock,
      newRequestId,
      profile: this.profile.name,
    })
    if (start === 'warm-up') await this.#recordingFailure(() => this.#prepare({}))
    if (start === 'warm-up') await supply.warmUp()
    this.#policies.start()
    return supply
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
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#policies[Symbol.dispose]()
    this.#refusals.flush()
    this.#recorder.stop(this.#exitStatus)
    await this.#deps.log[Symbol.asyncDispose]()
  }

  /** Finds out who asks and under which policy, side by side where they do not need each other. */
  async #prepare(known: { identity?: BaseIdentity }) {
    const [identity, policy] = await settleBoth(
      this.#identities.renew(this.#options.mayPrompt),
      this.#policies.load(),
    )
    known.identity = identity
    return { identity, policy }
  }

  async #recordingFailure<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof SentinelError) await this.#refusals.remember(error, {})
      throw error
    }
  }

  async #baseCredentials(): Promise<Credentials> {
    const known = this.#identities.usable()
    return (known ?? (await this.#identities.renew(this.#options.mayPrompt))).resolved.base
  }
}

/** Opens a run of `options.profile`. Rejects with what {@link Profiles.load} rejects with. */
export async function openRun(deps: RunDeps, options: RunOptions): Promise<Run> {
  return new Run(deps, options, await deps.profiles.load(options.profile))
}

function askedFor({ asked, mode }: RunOptions, { durationSeconds }: Profile): number {
  const ofProfile = mode === 'server' ? undefined : durationSeconds
  return asked.flag ?? ofProfile ?? asked.setting ?? asked.default
}

/** Waits for both, so that neither goes on behind the other's failure; the first's counts. */
async function settleBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second])
  return [await first, await second]
}

const silent: Notices = { warn() {}, info() {} }

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
