import type { Decision } from '../domain/policy/types.ts'
import type { SessionId } from '../domain/session.ts'
import { isShared } from '../domain/store-location.ts'
import { SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { SessionStore } from '../ports/session-store.ts'
import type { SessionStores } from '../ports/session-stores.ts'
import type { BaseIdentity } from './base-identity.ts'
import type { SessionGate } from './issuer.ts'
import type { LoadedPolicy, PolicyKeeper } from './policy-keeper.ts'
import { RunSession, type RunSessionDeps } from './run-session.ts'
import { SessionRuleBook, type SessionRuleSettings } from './session-rules.ts'
import { SessionVerdict } from './session-verdict.ts'
import { choosePlace } from './store-place.ts'

export interface RunSessionsDeps
  extends Omit<RunSessionDeps, 'store' | 'resolve' | 'rules' | 'policy'> {
  readonly stores: SessionStores | undefined
  readonly policies: Pick<PolicyKeeper, 'inForce' | 'last'>
  readonly newSessionId: () => SessionId
}

interface RunSessionsOptions {
  readonly profile: string
  readonly roleArn?: string | undefined
  /** Seconds. */
  readonly asked: number
  readonly version: string
  readonly origin: { readonly host: string; readonly pid: number }
  readonly sessionRules: SessionRuleSettings
}

/**
 * What a run has to do with sessions: none where nobody names a store; a session of its own for a
 * credential server; and for a single issuance only a look at the locks.
 */
export class RunSessions {
  readonly #deps: RunSessionsDeps
  readonly #options: RunSessionsOptions
  readonly #rules: SessionRuleBook
  #session: RunSession | undefined
  #untracked: SessionGate | undefined
  #isClosed = false

  constructor(deps: RunSessionsDeps, options: RunSessionsOptions) {
    this.#deps = deps
    this.#options = options
    this.#rules = new SessionRuleBook(options.sessionRules, () => this.#policy())
  }

  /** The session of this run, once it is open. */
  get current(): RunSession | undefined {
    return this.#session
  }

  get gate(): SessionGate | undefined {
    return this.#session ?? this.#untracked
  }

  /** For a single issuance. Rejects with `SESSION_LOCKED`, or as an outage demands. */
  async lookAtLocks({ user }: BaseIdentity): Promise<void> {
    const place = this.#place()
    // What is in this process alone locks nobody.
    if (place === undefined || place === 'memory:') return
    const store = await this.#open(place)
    if (!store) return
    await using _ = store
    using verdict = new SessionVerdict(
      {
        ...this.#deps,
        records: store,
        rules: () => this.#rules.current(),
        onRevoked: () => {},
        onLocked: () => {},
      },
      { user, profile: this.#options.profile },
    )
    await verdict.look()
    verdict.assert()
  }

  /**
   * Opens the session of a server, so that it is known by whom and where before anything is issued.
   * `presume` tells what would be decided if its record were in a store: a rule may demand it, and
   * then it is made now. Rejects with `SESSION_LOCKED`, `CONFIG_INVALID` or what the store says.
   */
  async open(identity: BaseIdentity, presume: (store: string) => Decision): Promise<void> {
    const place = this.#place()
    if (place === undefined) this.#untracked = untrackedGate(() => this.#policy())
    const store = place === undefined ? undefined : await this.#open(place)
    if (!store) return
    if (this.#isClosed) return store[Symbol.asyncDispose]()
    const session = this.#makeSession(store, identity)
    this.#session = session
    const { outcome, effect } = presume(this.#nameOf(store.location))
    const isRequired = outcome === 'allow' && effect === 'require_server_session'
    if (isRequired) this.#rules.sees({ effect })
    await session.look()
    if (isRequired) await session.begin('required')
  }

  /** The server starts: from now on its session is there for everybody to see. */
  async begin(): Promise<void> {
    if (!this.#session) return
    this.#tellOfPlace(this.#session.context.store)
    await this.#session.begin('optional')
  }

  /** Ends the session, if there is one and it has not ended. */
  async close(reason: string): Promise<void> {
    this.#isClosed = true
    await this.#session?.close(reason)
  }

  #policy(): LoadedPolicy | undefined {
    return this.#deps.policies.last()
  }

  #place(): string | undefined {
    const { stores, policies } = this.#deps
    return stores && choosePlace('sessions', policies.inForce().policy.stores.sessions, stores)
  }

  /** `undefined` when the store cannot be opened now: that stops nothing but what demands it. */
  async #open(place: string): Promise<SessionStore | undefined> {
    try {
      const { stores, policies } = this.#deps
      if (policies.inForce().policy.stores.sessions !== undefined) await stores?.claim(place)
      return await stores?.open(place)
    } catch (error) {
      if (!hasCode(error, 'STORE_UNAVAILABLE') || this.#rules.current().outage === 'deny')
        throw error
      this.#tellUntracked(error)
      return undefined
    }
  }

  #tellUntracked({ message, hint }: SentinelError): void {
    this.#deps.notices.warn(`sessions and locks are out of reach: ${message}`, hint)
  }

  /** The store as the policy writes it, which is how its rules know it. */
  #nameOf(location: string): string {
    return this.#deps.policies.inForce().policy.stores.sessions ?? location
  }

  #tellOfPlace(location: string): void {
    if (isShared(location) || this.#deps.policies.inForce().policy.stores.sessions) return
    this.#deps.notices.info(`the session is tracked in ${location}, for this machine only`)
  }

  #makeSession(store: SessionStore, identity: BaseIdentity): RunSession {
    const { clock, newRequestId, newSessionId, stores } = this.#deps
    const { profile, roleArn, asked, version, origin } = this.#options
    const start = {
      id: newSessionId(),
      user: identity.user,
      principal: identity.principal.arn,
      profile,
      ...(roleArn === undefined ? {} : { roleArn }),
      serverInstanceId: newRequestId(),
      startedAt: clock.aws(),
      ...origin,
      version,
    }
    const resolve = (location: string) => stores?.resolve(location) ?? location
    return new RunSession(
      { ...this.#deps, store, resolve, rules: this.#rules, policy: () => this.#policy() },
      start,
      { identity, duration: asked * SECOND },
    )
  }
}

/**
 * Of a server that nobody wanted tracked when it started: once the policy names a store, nobody
 * could revoke it there, and no lock would hold it.
 */
function untrackedGate(policy: () => LoadedPolicy | undefined): SessionGate {
  let judged: { readonly named: string; readonly error: SentinelError } | undefined
  return {
    assert() {
      const named = policy()?.policy.stores.sessions
      if (named === undefined) return
      if (judged?.named !== named) judged = { named, error: notTracked(named) }
      throw judged.error
    },
    storeFor: () => undefined,
    sees() {},
    issued() {},
  }
}

function notTracked(named: string): SentinelError {
  return new SentinelError(
    'SESSION_STORE_CHANGED',
    `the policy now keeps sessions in ${named}, and this run is tracked nowhere`,
    {
      hint: 'start the command again',
      reply: 'the policy now keeps sessions elsewhere: start the command again',
    },
  )
}
