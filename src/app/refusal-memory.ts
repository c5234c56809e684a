import { elapsed, type Moment, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { DecisionRecorder } from './decision-recorder.ts'
import type { Assessment } from './issuer.ts'

interface Remembered {
  readonly requestId: string
  readonly at: Moment
  repeats: number
}

interface RefusalMemoryDeps {
  readonly recorder: Pick<DecisionRecorder, 'refused' | 'repeated'>
  readonly clock: Clock
  readonly notices: Notices
  readonly newRequestId: () => string
}

/** One denial reaches an SDK's user as 3 to 5 requests within 3 seconds. */
const MEMORY = 5 * SECOND
/** Distinct refusals told on stderr; more than this is a client that makes them up. */
const TOLD_MAX = 100

/**
 * Makes one record and one line on stderr of a refusal, however often it is asked for: repeats are
 * counted, and the count is recorded when the memory of it ends.
 */
export class RefusalMemory {
  readonly #deps: RefusalMemoryDeps
  readonly #remembered = new Map<string, Remembered>()
  readonly #told = new Set<string>()

  constructor(deps: RefusalMemoryDeps) {
    this.#deps = deps
  }

  /** Records `error`, or counts it. Rejects with nothing: the refusal stands without its record. */
  async remember(
    error: SentinelError,
    assessment: Partial<Assessment>,
    requestId = this.#deps.newRequestId(),
  ): Promise<void> {
    const cause = `${error.code} ${error.message} ${assessment.policy?.sha256 ?? ''}`
    const known = this.#remembered.get(cause)
    if (known && !this.#isOver(known)) {
      known.repeats += 1
      return
    }
    if (known) this.#forget(cause, known)
    this.#remembered.set(cause, { requestId, at: this.#deps.clock.now(), repeats: 0 })
    this.#tell(error)
    await this.#record(error, requestId, assessment)
  }

  /** Writes the counts of what is not remembered any more. */
  sweep(): void {
    for (const [cause, known] of this.#remembered)
      if (this.#isOver(known)) this.#forget(cause, known)
  }

  /** Writes every count, at the end of a run. */
  flush(): void {
    for (const [cause, known] of this.#remembered) this.#forget(cause, known)
  }

  #isOver({ at }: Remembered): boolean {
    return elapsed(at, this.#deps.clock.now()) > MEMORY
  }

  #forget(cause: string, { requestId, repeats }: Remembered): void {
    this.#remembered.delete(cause)
    if (repeats > 0) this.#deps.recorder.repeated(requestId, repeats)
  }

  #tell({ message, hint }: SentinelError): void {
    if (this.#told.has(message) || this.#told.size >= TOLD_MAX) return
    this.#told.add(message)
    this.#deps.notices.warn(message, hint)
  }

  async #record(
    error: SentinelError,
    requestId: string,
    assessment: Partial<Assessment>,
  ): Promise<void> {
    try {
      await this.#deps.recorder.refused(error, requestId, assessment)
    } catch (logError) {
      if (!(logError instanceof SentinelError)) throw logError
      this.#tell(logError)
    }
  }
}
