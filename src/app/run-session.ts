import type { Decision, Policy } from '../domain/policy/types.ts'
import type { SessionId, SessionStart } from '../domain/session.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { TrackedSession } from '../ports/credential-endpoint.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Notices } from '../ports/notices.ts'
import type { SessionStore } from '../ports/session-store.ts'
import type { BaseIdentity } from './base-identity.ts'
import type { DecisionRecorder, SessionContext } from './decision-recorder.ts'
import type { SessionGate } from './issuer.ts'
import type { LoadedPolicy } from './policy-keeper.ts'
import type { RefusalMemory } from './refusal-memory.ts'
import { SessionRecord } from './session-record.ts'
import type { SessionRuleBook } from './session-rules.ts'
import { SessionVerdict } from './session-verdict.ts'
import { within } from './within.ts'

export interface RunSessionDeps {
  readonly store: SessionStore
  /** A location in full, as the store's own is. */
  readonly resolve: (location: string) => string
  readonly rules: SessionRuleBook
  readonly policy: () => LoadedPolicy | undefined
  readonly recorder: Pick<DecisionRecorder, 'sessionCreated' | 'sessionRevoked' | 'sessionEnded'>
  readonly refusals: Pick<RefusalMemory, 'remember' | 'count' | 'tell'>
  /** Drops what was minted and is held. */
  readonly drop: () => void
  readonly newRequestId: () => string
  readonly clock: Clock
  readonly log: Pick<DecisionLog, 'head'>
  readonly notices: Notices
  readonly random: () => number
  readonly ending: AbortSignal
}

/** How long a start waits for a record that the deciding rule demands. */
const REQUIRED_WITHIN = 5 * SECOND
/** How long a slow disk holds up the record's last word: both have to be over within 2 s. */
const LOGGED_WITHIN = 200

/**
 * The session of one run of a credential server: its record, what its store says of it, and what
 * that means for the run. The hot path reads fields here and waits for nothing.
 */
export class RunSession implements SessionGate {
  readonly id: SessionId
  /** What the server's route sees of it. */
  readonly route: TrackedSession
  readonly #deps: RunSessionDeps
  readonly #start: SessionStart
  readonly #identity: BaseIdentity
  readonly #verdict: SessionVerdict
  readonly #record: SessionRecord
  readonly #over = new AbortController()
  #isWatched = false
  #isBegun = false
  #closing: Promise<void> | undefined
  #judged: { readonly policy: LoadedPolicy | undefined; readonly error?: SentinelError } | undefined

  /** `duration`: milliseconds that a credential lives, until the first one says better. */
  constructor(
    deps: RunSessionDeps,
    start: SessionStart,
    { identity, duration }: { readonly identity: BaseIdentity; readonly duration: number },
  ) {
    const { store, rules } = deps
    this.id = start.id
    this.#deps = deps
    this.#start = start
    this.#identity = identity
    this.#verdict = new SessionVerdict(
      {
        ...deps,
        records: store,
        rules: () => rules.current(),
        onRevoked: (error) => this.#onRevoked(error),
        onLocked: (error) => this.#onLocked(error),
      },
      { id: start.id, user: start.user, profile: start.profile },
    )
    this.#record = new SessionRecord(
      {
        ...deps,
        records: store,
        onCreated: () => this.#onCreated(),
        onSuspicion: () => this.#verdict.suspect(),
      },
      start,
      { expiresAt: start.startedAt + duration },
    )
    this.route = {
      assertLive: () => this.#assertLive(),
      touch: (expiration) => this.#record.touch(expiration),
    }
  }

  /** As records of the decision log tell it. */
  get context(): SessionContext {
    const { store } = this.#deps
    return { id: this.id, store: store.location, isUnverified: this.#verdict.isUnverified() }
  }

  /** Aborts when the session was revoked; the reason is the error that says by whom. */
  get revoked(): AbortSignal {
    return this.#over.signal
  }

  /** The first verdict, which is waited for: whoever is locked out starts nothing. */
  async look(): Promise<void> {
    await this.#verdict.look()
    this.assert()
    this.#isWatched = true
    this.#verdict.start()
  }

  /**
   * Makes the record: in the background, unless the deciding rule demands it. Then it is waited for
   * and rejects with `STORE_UNAVAILABLE`, or with what else the store says.
   */
  async begin(need: 'required' | 'optional'): Promise<void> {
    // Given up while it began: nothing is left behind then.
    if (this.#closing !== undefined) return
    if (!this.#isBegun) {
      this.#isBegun = true
      this.#record.open()
    }
    if (need === 'required') await this.#record.created(AbortSignal.timeout(REQUIRED_WITHIN))
  }

  /** The verdict as it is now, and whether the policy still names this store. */
  assert(): void {
    this.#verdict.assert()
    const policy = this.#deps.policy()
    if (this.#judged?.policy !== policy) this.#judged = { policy, ...this.#judgeStore(policy) }
    if (this.#judged?.error) throw this.#judged.error
  }

  storeFor({ stores }: Policy): string | undefined {
    const { location } = this.#deps.store
    // What is in this process alone can be revoked by nobody.
    if (!this.#record.exists() || location === 'memory:') return undefined
    if (stores.sessions === undefined) return location
    return this.#deps.resolve(stores.sessions) === location ? stores.sessions : undefined
  }

  sees(decision: Decision): void {
    this.#deps.rules.sees(decision)
  }

  issued(sourceIdentity: string): void {
    this.#record.issued(sourceIdentity)
  }

  /** Ends the session, once; whatever its store answers. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason)
    return this.#closing
  }

  async #close(reason: string): Promise<void> {
    this.#verdict[Symbol.dispose]()
    if (this.#isBegun) {
      // First, so that the record's last word has a head that covers it, and all that was served.
      // What comes after it, `stop` and counts of refusals, no session's record covers: the log's
      // own anchor does.
      await this.#logEnd(reason)
      await this.#record.close(reason)
    }
    await this.#deps.store[Symbol.asyncDispose]()
  }

  /** Waits a little for the disk: whatever goes wrong with it is told when the log is closed. */
  async #logEnd(reason: string): Promise<void> {
    const late = () => new SentinelError('LOG_UNAVAILABLE', 'the disk is slow')
    await within(LOGGED_WITHIN, this.#deps.recorder.sessionEnded(reason), late).catch(() => {})
  }

  /** One refusal is one record, however many requests meet it. */
  #assertLive(): void {
    try {
      this.assert()
    } catch (error) {
      if (error instanceof SentinelError) {
        const { refusals, newRequestId, policy } = this.#deps
        const known = { identity: this.#identity, ...namedPolicy(policy()) }
        void refusals.remember(error, known, newRequestId())
        refusals.count(error)
      }
      throw error
    }
  }

  #judgeStore(loaded: LoadedPolicy | undefined): { error?: SentinelError } {
    const named = loaded?.policy.stores.sessions
    const { store, resolve } = this.#deps
    if (named === undefined || resolve(named) === store.location) return {}
    const error = new SentinelError(
      'SESSION_STORE_CHANGED',
      `the policy now keeps sessions in ${named}, and this run is tracked in ${store.location}`,
      {
        hint: 'start the command again',
        reply: 'the policy now keeps sessions elsewhere: start the command again',
      },
    )
    return { error }
  }

  #onCreated(): void {
    this.#verdict.expectRecord()
    this.#deps.recorder.sessionCreated(this.#identity, this.#start.serverInstanceId)
  }

  #onRevoked(error: SentinelError): void {
    this.#deps.drop()
    this.#deps.refusals.tell(error)
    // It stands without its record, which the log's own next error will tell of.
    this.#deps.recorder.sessionRevoked(error, this.#identity).catch(() => {})
    this.#over.abort(error)
  }

  #onLocked(error: SentinelError): void {
    this.#deps.drop()
    // Before that it is what the start fails with, and told as that.
    if (this.#isWatched) this.#deps.refusals.tell(error)
  }
}

function namedPolicy(policy: LoadedPolicy | undefined) {
  return policy ? { policy } : {}
}
