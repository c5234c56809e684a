import type { StreamHead } from '../domain/log-head.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { type Instant, MINUTE, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { AnchorStore } from '../ports/anchor-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Notices } from '../ports/notices.ts'
import { untilAborted } from './until-aborted.ts'

/** Which log it is that is anchored, and where. */
export interface AnchorPlace {
  readonly host: string
  /** As in an `Anchor`. */
  readonly log: string
  /** Asked for each write. Rejects as what it takes to sign does. */
  open(): Promise<Pick<AnchorStore, 'put' | 'location'>>
}

export interface AnchorKeeperDeps {
  readonly log: Pick<DecisionLog, 'head'>
  readonly clock: Clock
  readonly notices: Notices
  readonly place: AnchorPlace
  /** Whether there is anybody yet who may sign: nobody is looked for only for an anchor. */
  readonly maySign: () => boolean
}

/** How long the first credential of a run stays without an anchor: it may be one of a few. */
const SOON = 3 * SECOND
/** How long later records stay without one. */
const EVERY = MINUTE
/** How long a store may take over one write. */
const PATIENCE = 5 * SECOND
/** How long the last anchor may take in all, and how long where the one before it failed. */
const CLOSING = 1.5 * SECOND
const DOUBTFUL = 0.5 * SECOND
/** How much of that a write under way has: waiting for one spares a new connection. */
const GRACE = 300

/**
 * Anchors the stream of one run, in the background: whoever cuts off the end of the log has to
 * reach the anchor too. Nothing waits for it but, bounded, the end of the run.
 */
export class AnchorKeeper {
  readonly #deps: AnchorKeeperDeps
  /** `seq` of the head that is anchored. */
  #anchored = 0
  #hasIssued = false
  #isOutageTold = false
  #timer: NodeJS.Timeout | undefined
  #underWay: { readonly over: Promise<void>; readonly bound: AbortController } | undefined
  #closing: Promise<void> | undefined

  constructor(deps: AnchorKeeperDeps) {
    this.#deps = deps
  }

  /** The log got such a record, or soon will. Returns at once and never throws. */
  heard(type: LogRecord['type']): void {
    if (this.#closing !== undefined) return
    if (type === 'issued' && !this.#hasIssued) {
      this.#hasIssued = true
      this.#wait(SOON)
    } else if (this.#timer === undefined && !this.#underWay) this.#wait(EVERY)
  }

  /**
   * Anchors the last line, to be called when the log is closed. Takes 1.5 s at most and never
   * rejects: what could not be anchored is told.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#begin(), ms)
    this.#timer.unref()
  }

  #begin(): void {
    this.#timer = undefined
    if (this.#underWay) {
      this.#wait(SOON)
      return
    }
    const bound = new AbortController()
    const over = this.#try(bound).then(() => {
      this.#underWay = undefined
      const isIdle = this.#timer === undefined && this.#closing === undefined
      if (isIdle && this.#unanchored()) this.#wait(EVERY)
    })
    this.#underWay = { over, bound }
  }

  /** Never rejects: what failed is tried again. */
  async #try(bound: AbortController): Promise<void> {
    const timer = setTimeout(() => bound.abort(silence()), PATIENCE)
    try {
      await this.#anchor(bound.signal)
    } catch (error) {
      // What is given up for the last anchor is no outage.
      if (this.#closing === undefined) this.#tell('the decision log is not being anchored', error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The head that nothing vouches for yet, if there is somebody to sign for it. */
  #unanchored(): StreamHead | undefined {
    const head = this.#deps.log.head()
    return head && head.seq > this.#anchored && this.#deps.maySign() ? head : undefined
  }

  async #anchor(signal: AbortSignal): Promise<void> {
    const head = this.#unanchored()
    if (!head) return
    const { host, log, open } = this.#deps.place
    const store = await untilAborted(signal, open())
    const anchor = { head, host, log, at: this.#time() }
    // `stale` says that an earlier try came through after all.
    await untilAborted(signal, store.put(anchor, signal))
    this.#anchored = head.seq
    if (this.#isOutageTold) this.#deps.notices.info(`${store.location} answers again`)
    this.#isOutageTold = false
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer)
    const bound = new AbortController()
    const patience = this.#isOutageTold ? DOUBTFUL : CLOSING
    const timer = setTimeout(() => bound.abort(silence()), patience)
    try {
      await this.#awaitWrite()
      await this.#anchor(bound.signal)
    } catch (error) {
      this.#tell('the end of the decision log is not anchored', error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits a little for the write under way; then it is given up. */
  async #awaitWrite(): Promise<void> {
    if (!this.#underWay) return
    const { over, bound } = this.#underWay
    const timer = setTimeout(() => bound.abort(silence()), GRACE)
    await over
    clearTimeout(timer)
  }

  /** AWS time; while nobody can tell it, local time: that the line is there counts. */
  #time(): Instant {
    const { clock } = this.#deps
    try {
      return clock.aws()
    } catch (error) {
      if (!hasCode(error, 'CLOCK_SKEWED')) throw error
      return clock.now().wall
    }
  }

  /** Once an outage. */
  #tell(what: string, error: unknown): void {
    if (this.#isOutageTold) return
    this.#isOutageTold = true
    const { notices } = this.#deps
    if (error instanceof SentinelError) notices.warn(`${what}: ${error.message}`, error.hint)
    else notices.warn(`${what}: ${String(error)}`)
  }
}

function silence(): SentinelError {
  return new SentinelError('STORE_UNAVAILABLE', 'the store of anchors did not answer in time', {
    hint: 'check that the table that log_anchor names can be reached from here',
  })
}
