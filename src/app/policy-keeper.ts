import type { Policy } from '../domain/policy/types.ts'
import { elapsed, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { PolicySource, PolicyText } from '../ports/policy-source.ts'

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
}

const REFRESH = 30 * SECOND
/** Older than this, a request waits for a fetch, for at most `PATIENCE`. */
const FRESH = 35 * SECOND
const PATIENCE = 500
/** Older than this, a policy decides nothing. */
export const POLICY_AGE_MAX = 5 * MINUTE
const FETCH_TIMEOUT = 10 * SECOND

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
  #broken: SentinelError | undefined
  /** The last fault of a source that did not answer. */
  #fault: unknown
  #fetching: Promise<void> | undefined
  #generation = 0
  #timer: NodeJS.Timeout | undefined

  constructor(deps: PolicyKeeperDeps, { acceptsReset = false } = {}) {
    this.#deps = deps
    this.#acceptsReset = acceptsReset
  }

  /** The policy if it may decide without another look at its source, else `undefined`. */
  fresh(): LoadedPolicy | undefined {
    if (this.#broken || !this.#loaded) return undefined
    return this.#age(this.#loaded) <= FRESH ? this.#loaded : undefined
  }

  /** Whether `policy` was not to be fetched again in time: it decides, and records say so. */
  isStale(policy: LoadedPolicy): boolean {
    return this.#age(policy) > FRESH
  }

  /** The first policy of a run: waits as long as a fetch may take. Rejects as {@link current}. */
  async load(): Promise<LoadedPolicy> {
    await this.#fetch()
    return this.#usable()
  }

  /**
   * The policy in force. Waits half a second at most for a fetch. Rejects with
   * `POLICY_UNAVAILABLE` when there is none young enough, or with what is wrong with it.
   */
  async current(): Promise<LoadedPolicy> {
    const fresh = this.fresh()
    if (fresh) return fresh
    await Promise.race([this.#fetch(), new Promise((resolve) => setTimeout(resolve, PATIENCE))])
    return this.#usable()
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
    this.#fetching = undefined
    void this.#fetch()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #usable(): LoadedPolicy {
    if (this.#broken) throw this.#broken
    const loaded = this.#loaded
    if (loaded && this.#age(loaded) <= POLICY_AGE_MAX) return loaded
    if (this.#fault instanceof SentinelError) throw this.#fault
    throw new SentinelError(
      'POLICY_UNAVAILABLE',
      `the policy ${this.#deps.source.reference} could not be fetched in time`,
      { hint: 'try again, or look whether its source can be reached', cause: this.#fault },
    )
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
    const { source, clock } = this.#deps
    const fetchedAt = clock.now()
    try {
      const found = await source.fetch(AbortSignal.timeout(FETCH_TIMEOUT))
      // An answer asked for before the machine slept says nothing about now.
      if (generation !== this.#generation) return
      this.#accept(found, fetchedAt)
      this.#fault = undefined
    } catch (error) {
      if (generation !== this.#generation) return
      if (hasCode(error, 'POLICY_UNAVAILABLE') || !(error instanceof SentinelError)) {
        this.#fault = error
      } else {
        this.#broken = error
      }
    }
  }

  #accept({ text, version }: PolicyText, fetchedAt: Moment): void {
    const { source, parse, sha256, notices } = this.#deps
    const before = this.#loaded
    if (version !== undefined && before?.version !== undefined && version < before.version) {
      if (!this.#acceptsReset) throw rolledBack(source.reference, before.version, version)
    }
    const hash = sha256(text)
    const isSame = before?.sha256 === hash
    const { policy, warnings } = isSame
      ? { policy: before.policy, warnings: [] }
      : parse(text, source.reference)
    for (const warning of warnings) notices.warn(warning)
    this.#loaded = {
      policy,
      reference: source.reference,
      sha256: hash,
      fetchedAt,
      ...(version === undefined ? {} : { version }),
    }
    this.#broken = undefined
  }

  #age({ fetchedAt }: LoadedPolicy): number {
    return elapsed(fetchedAt, this.#deps.clock.now())
  }
}

function rolledBack(reference: string, before: number, now: number): SentinelError {
  return new SentinelError(
    'POLICY_ROLLED_BACK',
    `the policy ${reference} went back from version ${before} to ${now}`,
    { hint: 'if it was deleted and made again on purpose, run with --accept-policy-reset' },
  )
}
