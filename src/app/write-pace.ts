import { elapsed, type Moment, SECOND } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'

interface WritePaceDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
}

/** What waits to be written, by how long it may wait. */
export type Urgency =
  /** Nothing but that the server still runs. */
  | 'heartbeat'
  /** That more was handed out. */
  | 'count'
  /** What others should know soon. */
  | 'news'

const PAUSES = { count: 5 * SECOND, news: SECOND } as const
const HEARTBEAT = { least: 25 * SECOND, spread: 10 * SECOND } as const
/** What happens in one moment is one write. */
const GATHERING = 50

const RETRY = { first: SECOND, most: 30 * SECOND } as const

/**
 * When a server may write of its session again: seldom while all is well and, while its store
 * fails, ever more seldom, whatever it is that waits. Jitter keeps servers from going in step.
 */
export class WritePace {
  readonly #deps: WritePaceDeps
  #since: Moment
  #heartbeat = 0
  #failures = 0
  #retry = 0

  constructor(deps: WritePaceDeps) {
    this.#deps = deps
    this.#since = deps.clock.now()
  }

  /** Milliseconds from now until the next write is due. */
  wait(urgency: Urgency): number {
    const pause = this.#pause(urgency)
    return Math.max(pause - elapsed(this.#since, this.#deps.clock.now()), GATHERING)
  }

  begin(): void {
    this.#since = this.#deps.clock.now()
  }

  succeed(): void {
    this.#failures = 0
    this.#heartbeat = HEARTBEAT.least + this.#deps.random() * HEARTBEAT.spread
  }

  /** Counts from now: how long the failure took is no part of the pause after it. */
  fail(): void {
    const full = Math.min(RETRY.first * 2 ** this.#failures, RETRY.most)
    this.#retry = full * (1 - this.#deps.random() / 4)
    this.#failures += 1
    this.#since = this.#deps.clock.now()
  }

  #pause(urgency: Urgency): number {
    if (this.#failures > 0) return this.#retry
    return urgency === 'heartbeat' ? this.#heartbeat : PAUSES[urgency]
  }
}
