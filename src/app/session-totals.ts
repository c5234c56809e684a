import { SHORT_HASH_LENGTH } from '../domain/log-head.ts'
import { SESSION_LEASE, type SessionProgress } from '../domain/session.ts'
import type { Instant } from '../domain/time.ts'
import type { DecisionLog } from '../ports/decision-log.ts'

/**
 * What a server has handed out so far, and how much of it its record says. Told as totals, so that
 * nothing is lost when a word is, and nothing counts twice when it was heard after all.
 */
export class SessionTotals {
  readonly #log: Pick<DecisionLog, 'head'>
  #requestCount = 0
  #lastAccessAt: Instant | undefined
  #expiresAt: Instant
  #sourceIdentity: string | undefined
  #told: SessionProgress | undefined

  /** `expiresAt`: until when credentials may work before the first was handed out. */
  constructor(expiresAt: Instant, log: Pick<DecisionLog, 'head'>) {
    this.#expiresAt = expiresAt
    this.#log = log
  }

  /** Counts one that was handed out `at` and works until `expiration`. */
  count(at: Instant, expiration: Instant): void {
    this.#requestCount += 1
    this.#lastAccessAt = Math.max(this.#lastAccessAt ?? at, at)
    this.#expiresAt = Math.max(this.#expiresAt, expiration)
  }

  issued(sourceIdentity: string): void {
    this.#sourceIdentity = sourceIdentity
  }

  /** What there is to tell `at`, with a lease that begins then. */
  progress(at: Instant): SessionProgress {
    const logHead = this.#logHead()
    return {
      requestCount: this.#requestCount,
      expiresAt: this.#expiresAt,
      leaseUntil: at + SESSION_LEASE,
      ...(this.#lastAccessAt !== undefined && { lastAccessAt: this.#lastAccessAt }),
      ...(this.#sourceIdentity !== undefined && { sourceIdentity: this.#sourceIdentity }),
      ...(logHead !== undefined && { logHead }),
    }
  }

  /** The record says `progress` now. */
  told(progress: SessionProgress): void {
    this.#told = progress
  }

  /**
   * What of it the record does not say; all, until it is known what the record says. News is the
   * first that was handed out, and whatever works longer than was known.
   */
  untold(): 'nothing' | 'count' | 'news' {
    if (!this.#told || this.#expiresAt > this.#told.expiresAt) return 'news'
    if (this.#requestCount === this.#told.requestCount) return 'nothing'
    return this.#told.requestCount === 0 ? 'news' : 'count'
  }

  /**
   * Whether the record says all, the log's head too: for that alone nothing but the end is late.
   */
  isAllTold(): boolean {
    return this.untold() === 'nothing' && this.#told?.logHead === this.#logHead()
  }

  #logHead(): string | undefined {
    return this.#log.head()?.hash.slice(0, SHORT_HASH_LENGTH)
  }
}
