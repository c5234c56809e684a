import { elapsed, MINUTE, type Moment } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionRecorder } from './decision-recorder.ts'

interface ServedCountDeps {
  readonly recorder: Pick<DecisionRecorder, 'served'>
  readonly clock: Pick<Clock, 'now'>
}

const RECORDED_EVERY = MINUTE

/** Counts what is handed out, for one record a minute: a line for each would be a line a call. */
export class ServedCount {
  readonly #deps: ServedCountDeps
  readonly #counts = new Map<string, { same: number; unknown: number }>()
  #recordedAt: Moment

  constructor(deps: ServedCountDeps) {
    this.#deps = deps
    this.#recordedAt = deps.clock.now()
  }

  add(requestId: string, peer: 'same' | 'unknown'): void {
    const counts = this.#counts.getOrInsertComputed(requestId, () => ({ same: 0, unknown: 0 }))
    counts[peer] += 1
  }

  /** Records the counts when a minute has passed. */
  sweep(): void {
    if (elapsed(this.#recordedAt, this.#deps.clock.now()) >= RECORDED_EVERY) this.flush()
  }

  flush(): void {
    this.#recordedAt = this.#deps.clock.now()
    for (const [requestId, { same, unknown }] of this.#counts) {
      if (same > 0) this.#deps.recorder.served(requestId, same)
      if (unknown > 0) this.#deps.recorder.served(requestId, unknown, 'unknown')
    }
    this.#counts.clear()
  }
}
