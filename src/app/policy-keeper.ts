import type { Policy } from '../domain/policy/types.ts'
import { elapsed, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { PolicySource, PolicyText } from '../ports/policy-source.ts'
import { within } from './within.ts'

/** A policy ready to decide, and how it is referred to in records. */
export interface LoadedPolicy {
  readonly policy: Policy
  readonly reference: string
  readonly version?: number
  /** Hex, of the text. */
  readonly sha256: string
  readonly fetchedAt: Moment
}

export interface PolicyKeeperDeps {
  readonly source: PolicySource
  /** Throws `POLICY_INVALID`. */
  readonly parse: (
    text: string,
    reference: string,
  ) => { readonly policy: Policy; readonly warnings: readonly string[] }
  readonly sha256: (text: string) => string
  readonly clock: Clock
  readonly notices: Notices
  /** 0 ≤ n < 1, to spread the fetches of many servers. */
  readonly random: () => number
  /** Aborts when the run ends. */
  readonly ending: AbortSignal
}

const REFRESH = 30 * SECOND
/** Older than this, a request waits for a fetch, for at most `PATIENCE`. */
const FRESH = 35 * SECOND
const PATIENCE = 500
/** A source that failed is not asked again sooner: requests are many, and its limits are shared. */
const RETRY_AFTER = SECOND
/** Older than this, a policy decides nothing. */
const AGE_MAX = 5 * MINUTE
const FETCH_TIMEOUT = 10 * SECOND
/** For the first fetch of a run: a person may have to give a code for the credentials it needs. */
const FIRST_FETCH_TIMEOUT = 10 * MINUTE

/**
 * Keeps the policy of a run fresh, and bounded in age (design § 4, last paragraph).
 *
 * Two kinds of failure are told apart. A source that does not answer leaves the last policy in
 * force until it is too old. A source that answers something that is not a policy (invalid, gone,
 * rolled back) ends the last one at once: its owner replaced it, and must be obeyed.
 */
export class PolicyKeeper implements Disposable {
  readonly #deps: PolicyKeeperDeps
  readonly #acceptsReset: boolean
  #loaded: LoadedPolicy | undefined
  /** Set while the source's last answer was not a policy. */
  #broken: { readonly error: unknown } | undefined
  /** The last fault of a source that did not answer. */
  #fault: unknown
  #failedAt: Moment | undefined
  #fetching: Promise<void> | undefined
  #generation = 0
  #timer: NodeJS.Timeout | undefined
  #isStaleTold = false

  constructor(deps: PolicyKeeperDeps, { acceptsReset = false } = {}) {
    this.#deps = deps
    this.#acceptsReset = acceptsReset
  }

  /** The policy if it may decide without another look at its source, else `undefined`. */
  fresh(): LoadedPolicy | undefined {
    if (this.#broken || !this.#loaded) return undefined
    return this.isStale(this.#loaded) ? undefined : this.#loaded
  }

  /** The policy that was last accepted, however old: for what follows it without deciding by it. */
  last(): LoadedPolicy | undefined {
    return this.#loaded
  }

  /** Whether `policy` was not to be fetched again in time: it decides, and records say so. */
  isStale(policy: LoadedPolicy): boolean {
    return this.#age(policy) > FRESH
  }

  /** The first policy of a run: waits as long as a fetch may take. Rejects as {@link current}. */
  async load(): Promise<LoadedPolicy> {
    await this.#fetch()
    return this.inForce()
  }

  /**
   * The policy in force. Waits half a second at most for a fetch. Rejects with
   * `POLICY_UNAVAILABLE` when there is none young enough, or with what is wrong with it.
   */
  async current(): Promise<LoadedPolicy> {
    const fresh = this.fresh()
    if (fresh) return fresh
    // What the fetch came to, in time or not, is in the fields.
    if (!this.#hasJustFailed()) await within(PATIENCE, this.#fetch(), unheard).catch(() => {})
    return this.inForce()
  }

  /** As {@link current}, for whoever has waited for that already: at once, and throwing. */
  inForce(): LoadedPolicy {
    if (this.#broken) throw this.#broken.error
    const loaded = this.#loaded
    if (loaded && this.#age(loaded) <= AGE_MAX) {
      if (this.isStale(loaded)) this.#tellStale()
      return loaded
    }
    if (this.#fault instanceof SentinelError) throw this.#fault
    throw new SentinelError(
      'POLICY_UNAVAILABLE',
      `the policy ${this.#deps.source.reference} could not be fetched in time`,
      { hint: 'try again, or look whether its source can be reached', cause: this.#fault },
    )
  }

  /** Keeps fetching in the background, until disposed. */
  start(): void {
    const wait = REFRESH * (0.9 + 0.2 * this.#deps.random())
    this.#timer = setTimeout(() => {
      this.start()
      void this.#fetch()
    }, wait)
    this.#timer.unref()
  }

  /** Holds nothing for known any more: what the machine slept through cannot be told by age. */
  forget(): void {
    this.#generation += 1
    this.#loaded = this.#loaded && { ...this.#loaded, fetchedAt: { wall: -Infinity, monotonic: 0 } }
    this.#fault = undefined
    this.#failedAt = undefined
    this.#fetching = undefined
    void this.#fetch()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  /** Joins the fetch under way. Never rejects: what it found is in the fields. */
  #fetch(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching
    const fetching = this.#fetchOnce(this.#generation).finally(() => {
      if (this.#fetching === fetching) this.#fetching = undefined
    })
    this.#fetching = fetching
    return fetching
  }

  async #fetchOnce(generation: number): Promise<void> {
    const { source, clock, ending } = this.#deps
    const fetchedAt = clock.now()
    try {
      const isQuick = source.isLocal || this.#loaded !== undefined
      const timeout = AbortSignal.timeout(isQuick ? FETCH_TIMEOUT : FIRST_FETCH_TIMEOUT)
      const signal = AbortSignal.any([ending, timeout])
      const found = await source.fetch(signal)
      // An answer asked for before the machine slept says nothing about now.
      if (generation === this.#generation) this.#accept(found, fetchedAt)
    } catch (error) {
      if (generation !== this.#generation) return
      this.#failedAt = clock.now()
      if (isNoPolicy(error)) this.#broken = { error }
      else this.#fault = error
    }
  }

  /** Throws what is wrong with it. */
  #accept({ text, version }: PolicyText, fetchedAt: Moment): void {
    const { source, sha256 } = this.#deps
    const hash = sha256(text)
    const before = this.#loaded
    if (before?.version !== undefined && !this.#acceptsReset) {
      // No version at all is no newer one either.
      const isOlder = version === undefined || version < before.version
      if (isOlder) throw rolledBack(source.reference, before.version, version)
    }
    this.#loaded = {
      policy: before?.sha256 === hash ? before.policy : this.#parse(text),
      reference: source.reference,
      sha256: hash,
      fetchedAt,
      ...(version === undefined ? {} : { version }),
    }
    this.#broken = undefined
    this.#fault = undefined
    this.#failedAt = undefined
    this.#isStaleTold = false
  }

  #parse(text: string): Policy {
    const { source, parse, notices } = this.#deps
    const { policy, warnings } = parse(text, source.reference)
    for (const warning of warnings) notices.warn(warning)
    return policy
  }

  #hasJustFailed(): boolean {
    const { clock } = this.#deps
    return this.#failedAt !== undefined && elapsed(this.#failedAt, clock.now()) < RETRY_AFTER
  }

  /** Once an outage. */
  #tellStale(): void {
    if (this.#isStaleTold) return
    this.#isStaleTold = true
    const { source, notices } = this.#deps
    notices.warn(
      `the policy ${source.reference} cannot be fetched: its last copy decides for up to 5 minutes`,
      this.#fault instanceof SentinelError ? this.#fault.hint : undefined,
    )
  }

  #age({ fetchedAt }: LoadedPolicy): number {
    return elapsed(fetchedAt, this.#deps.clock.now())
  }
}

/**
 * Whether the source did answer, and its answer was no policy to go by. A bug counts as one: what
 * made us stumble may be the new policy.
 */
function isNoPolicy(error: unknown): boolean {
  return (
    !(error instanceof SentinelError) ||
    hasCode(error, 'POLICY_INVALID', 'POLICY_NOT_FOUND', 'POLICY_ROLLED_BACK', 'FILE_UNTRUSTED')
  )
}

function unheard(): Error {
  return new Error('the policy was not fetched in time')
}

function rolledBack(reference: string, before: number, now: number | undefined): SentinelError {
  return new SentinelError(
    'POLICY_ROLLED_BACK',
    `the policy ${reference} went back from version ${before} to ${now ?? 'none'}`,
    { hint: 'if it was deleted and made again on purpose, run with --accept-policy-reset' },
  )
}
