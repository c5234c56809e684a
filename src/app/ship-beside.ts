import { MINUTE, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Notices } from '../ports/notices.ts'
import type { ShipQueue } from '../ports/ship-queue.ts'
import { type ShipLogDeps, shipNext } from './ship-log.ts'

interface ShipBesideDeps extends ShipLogDeps {
  readonly notices: Pick<Notices, 'warn' | 'info'>
  readonly random: () => number
}

/** The first credential of the run goes first. */
const HEAD_START = SECOND
/** How often the log is looked at for what is new. */
const POLL = 3 * SECOND
/** How often a process that may not ship asks whether it may now. */
const TURN = MINUTE
const RETRY = { first: SECOND, most: 5 * MINUTE } as const
/** How long the end of the run waits for its last lines to be taken. */
const LAST_TRY = SECOND

/**
 * Ships the log beside a run, from now on until it is disposed of: then, for a second at most, what
 * the run wrote last. Nothing waits for it, and it never throws into the run: an outage is told
 * once, and what was not shipped waits in the log for whoever ships it next.
 */
export function shipBeside(deps: ShipBesideDeps): AsyncDisposable {
  return new Shipping(deps)
}

class Shipping implements AsyncDisposable {
  readonly #deps: ShipBesideDeps
  /** Nothing is waited for any more. */
  readonly #ending = new AbortController()
  /** Nothing is done any more. */
  readonly #over = new AbortController()
  readonly #work: Promise<void>
  #queue: ShipQueue | undefined
  #failures = 0
  #hasToldOfDropped = false

  constructor(deps: ShipBesideDeps) {
    this.#deps = deps
    this.#work = this.#ship()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      this.#over.abort()
      resolve()
    }, LAST_TRY)
    this.#ending.abort()
    await Promise.race([this.#work, isLate])
    clearTimeout(timer)
  }

  /** Never rejects. */
  async #ship(): Promise<void> {
    try {
      await this.#pause(HEAD_START)
      while (!this.#over.signal.aborted) {
        const isLast = this.#ending.signal.aborted
        const wait = await this.#round()
        if (isLast && wait > 0) break
        if (wait > 0) await this.#pause(wait)
      }
      await this.#queue?.[Symbol.asyncDispose]()
    } catch (error) {
      // A bug here must not cost anybody their command.
      this.#deps.notices.warn(`shipping the decision log has ended by a bug: ${String(error)}`)
    }
  }

  /** Ships one batch; resolves to the milliseconds until the next. */
  async #round(): Promise<number> {
    try {
      this.#queue ??= await this.#deps.openQueue()
      if (!this.#queue) return TURN
      const { openReceiver } = this.#deps
      const { lines, dropped } = await shipNext(this.#queue, openReceiver, this.#over.signal)
      this.#recover()
      if (dropped) this.#tellDropped(dropped.why)
      return lines > 0 ? 0 : POLL
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      // The run may not have written anything yet.
      return hasCode(error, 'INTERRUPTED', 'LOG_NOT_FOUND') ? POLL : this.#fail(error)
    }
  }

  #fail(error: SentinelError): number {
    if (this.#failures === 0) {
      const text = `the decision log is not shipped for now: ${error.message}`
      this.#deps.notices.warn(text, error.hint)
    }
    const isRefused = hasCode(error, 'SHIPPING_REFUSED')
    const full = isRefused ? RETRY.most : RETRY.first * 2 ** this.#failures
    this.#failures += 1
    return Math.min(full, RETRY.most) * (1 - this.#deps.random() / 4)
  }

  #recover(): void {
    if (this.#failures > 0) this.#deps.notices.info('the decision log is shipped again')
    this.#failures = 0
  }

  #tellDropped(why: string): void {
    if (this.#hasToldOfDropped) return
    this.#hasToldOfDropped = true
    this.#deps.notices.warn(
      `some lines of the decision log were not kept where it is shipped to: ${why}`,
      'they are in the log itself; `sentinel doctor` counts them',
    )
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#ending
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    timer.unref()
    const wake = () => resolve()
    signal.addEventListener('abort', wake, { once: true })
    await promise
    signal.removeEventListener('abort', wake)
    clearTimeout(timer)
  }
}
