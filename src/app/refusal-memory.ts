import { elapsed, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { Known } from './assessment.ts'
import type { DecisionRecorder } from './decision-recorder.ts'

interface Remembered {
  readonly error: SentinelError
  readonly requestId: string
  readonly at: Moment
  /** How many requests were refused for it. */
  count: number
}

interface RefusalMemoryDeps {
  readonly recorder: Pick<DecisionRecorder, 'refused' | 'repeated'>
  readonly clock: Pick<Clock, 'now'>
  readonly notices: Notices
}

/** One denial reaches an SDK's user as 3 to 5 requests within 3 seconds. */
const MEMORY = 5 * SECOND
/** Distinct refusals at a time; more than this is a fault that never says the same twice. */
const REMEMBERED_MAX = 100

/**
 * Makes one record and one line on stderr of a refusal, however often it is asked for: repeats are
 * counted, and the count is recorded when the memory of it ends.
 */
export class RefusalMemory {
  readonly #deps: RefusalMemoryDeps
  readonly #remembered = new Map<string, Remembered>()
  readonly #causes = new WeakMap<SentinelError, string>()
  readonly #told = new Set<string>()

  constructor(deps: RefusalMemoryDeps) {
    this.#deps = deps
  }

  /**
   * Records `error`, unless one of the same cause was a moment ago. Never rejects for the log's
   * sake: a refusal stands without its record.
   */
  async remember(error: SentinelError, known: Known, requestId: string): Promise<void> {
    const cause = `${error.code} ${error.message} ${known.policy?.sha256 ?? ''}`
    this.#causes.set(error, cause)
    const before = this.#remembered.get(cause)
    if (before && !this.#isOver(before)) return
    if (before) this.#forget(cause, before)
    this.#makeRoom()
    this.#remembered.set(cause, { error, requestId, at: this.#deps.clock.now(), count: 0 })
    try {
      await this.#deps.recorder.refused(error, requestId, known)
    } catch (logError) {
      if (!(logError instanceof SentinelError)) throw logError
      // Told already, or about to be, when the log itself is why.
      if (!hasCode(error, 'LOG_UNAVAILABLE')) this.tell(logError)
    }
  }

  /** Counts a request that is answered with `error`, and tells the user of it once. */
  count(error: unknown): void {
    if (!(error instanceof SentinelError)) return
    const cause = this.#causes.get(error)
    if (cause === undefined) return
    const remembered = this.#remembered.get(cause)
    if (remembered) remembered.count += 1
    this.tell(error)
  }

  /** What was told is over: should it come again, it is news. */
  recover(): void {
    this.#told.clear()
  }

  /** Writes the counts of what is not remembered any more. */
  sweep(): void {
    for (const [cause, remembered] of this.#remembered)
      if (this.#isOver(remembered)) this.#forget(cause, remembered)
  }

  /** Writes every count, at the end of a run. */
  flush(): void {
    for (const [cause, remembered] of this.#remembered) this.#forget(cause, remembered)
  }

  #isOver({ at }: Remembered): boolean {
    return elapsed(at, this.#deps.clock.now()) > MEMORY
  }

  #makeRoom(): void {
    const [oldest] = this.#remembered
    if (oldest && this.#remembered.size >= REMEMBERED_MAX) this.#forget(...oldest)
  }

  #forget(cause: string, { error, requestId, count }: Remembered): void {
    this.#remembered.delete(cause)
    // The record itself stands for the first.
    if (count > 1) this.#deps.recorder.repeated(error, requestId, count - 1)
  }

  /** Tells the user of `error`, unless that was told already. */
  tell({ message, hint }: SentinelError): void {
    if (this.#told.has(message) || this.#told.size >= REMEMBERED_MAX) return
    this.#told.add(message)
    this.#deps.notices.refuse(message, hint)
  }
}
