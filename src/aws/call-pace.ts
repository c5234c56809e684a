import { elapsed, type Moment } from '../domain/time.ts'

interface CallPaceDeps {
  readonly now: () => Moment
  /** Waits so many milliseconds; rejects with the signal's reason when it aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Gives calls their turns, each so many milliseconds behind the one before, whoever makes them. */
export class CallPace {
  readonly #deps: CallPaceDeps
  readonly #intervalMs: number
  #last: Moment | undefined
  #queue: Promise<void> = Promise.resolve()

  constructor(intervalMs: number, deps: CallPaceDeps) {
    this.#deps = deps
    this.#intervalMs = intervalMs
  }

  /** Resolves when it is the caller's turn. Rejects when `signal` aborts; the turn is not used. */
  turn(signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#wait(signal))
    this.#queue = turn.catch(() => {})
    return turn
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { now, sleep } = this.#deps
    const left = this.#last ? this.#intervalMs - elapsed(this.#last, now()) : 0
    if (left > 0) await sleep(left, signal)
    signal.throwIfAborted()
    this.#last = now()
  }
}
