import { hasCode, type SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { LockNews } from './session-news.ts'

interface LockKeeperDeps {
  readonly clock: Pick<Clock, 'aws'>
  /** Called when a lock comes to hold. */
  readonly onLocked: (error: SentinelError) => void
}

/** Keeps the lock that ends last of those last found: it holds until its time, or its removal. */
export class LockKeeper {
  readonly #deps: LockKeeperDeps
  #lock: LockNews | undefined
  #isLocked = false

  constructor(deps: LockKeeperDeps) {
    this.#deps = deps
  }

  keep(lock: LockNews | undefined): void {
    const before = this.#lock?.error
    // The same error as long as the same is wrong: refusals are counted by it.
    const isSame = lock?.error.message === before?.message
    this.#lock = lock && { until: lock.until, error: (isSame && before) || lock.error }
    try {
      this.inForce()
    } catch (error) {
      // Whoever asks next meets the same.
      if (!hasCode(error, 'CLOCK_SKEWED')) throw error
    }
  }

  /** What to refuse with now. Throws `CLOCK_SKEWED` when no clock tells whether a lock holds. */
  inForce(): SentinelError | undefined {
    const lock = this.#lock
    const wasLocked = this.#isLocked
    this.#isLocked = lock !== undefined && lock.until > this.#deps.clock.aws()
    if (!lock || !this.#isLocked) return undefined
    if (!wasLocked) this.#deps.onLocked(lock.error)
    return lock.error
  }
}
