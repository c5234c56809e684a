import type { SessionStart } from '../domain/session.ts'
import { type Instant, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Notices } from '../ports/notices.ts'
import type { SessionRecords } from '../ports/session-store.ts'
import { SessionTotals } from './session-totals.ts'
import { isDefinite, SessionWrites } from './session-writes.ts'
import { untilAborted } from './until-aborted.ts'
import { type Urgency, WritePace } from './write-pace.ts'

export interface SessionRecordDeps {
  readonly records: Pick<SessionRecords, 'create' | 'touch' | 'settle' | 'end' | 'location'>
  readonly clock: Clock
  /** Whose head each write takes along. */
  readonly log: Pick<DecisionLog, 'head'>
  readonly notices: Notices
  readonly random: () => number
  /** The record is there. Called once. */
  readonly onCreated: () => void
  /** A write found the record missing or revoked. */
  readonly onSuspicion: () => void
}

/** How long a store may take over one write. */
const PATIENCE = 5 * SECOND
/** How long the last word may take in all. */
const CLOSING = 1.5 * SECOND
/** How much of that a write under way has: waiting for one spares a new connection. */
const GRACE = 300
/** The pause before the last word is tried again. */
const AGAIN = 100

/**
 * The record of a credential server's own session, written in the background: it is created,
 * touched when credentials were handed out, renewed when none were, and ended (design § 7).
 *
 * One write is under way at a time, and what waits for it are totals and not a queue: a store that
 * is slow, silent or gone costs neither memory nor a request's time.
 */
export class SessionRecord {
  readonly #deps: SessionRecordDeps
  readonly #start: SessionStart
  readonly #totals: SessionTotals
  readonly #writes: SessionWrites
  readonly #pace: WritePace
  readonly #made: Moment
  readonly #created = Promise.withResolvers<void>()
  /** How the last write failed, until one succeeds. */
  #failure: unknown
  #isOutageTold = false
  #timer: NodeJS.Timeout | undefined
  /** What the timer is set for. */
  #awaited: Urgency | undefined
  #underWay: { readonly over: Promise<void>; readonly bound: AbortController } | undefined
  #closing: Promise<void> | undefined

  /** `expiresAt`: until when what it hands out may work, before it has handed out any. */
  constructor(
    deps: SessionRecordDeps,
    start: SessionStart,
    { expiresAt }: { readonly expiresAt: Instant },
  ) {
    const { records, clock, log, onSuspicion } = deps
    const onCreated = () => this.#onCreated()
    this.#deps = deps
    this.#start = start
    this.#totals = new SessionTotals(expiresAt, log)
    this.#writes = new SessionWrites(
      { records, clock, onCreated, onSuspicion },
      start,
      this.#totals,
    )
    this.#pace = new WritePace(deps)
    this.#made = clock.now()
    // Most servers do not wait for it: then nobody else hears that it cannot be.
    this.#created.promise.catch(() => {})
  }

  /** Begins to create it, in the background, and goes on until it is there. To be called once. */
  open(): void {
    if (this.#closing !== undefined) return
    this.#writes.begin()
    this.#beginWrite()
  }

  /**
   * Waits for the record. Rejects with what kept it from being there when `signal` aborts first,
   * and at once with `SESSION_EXISTS`.
   */
  async created(signal: AbortSignal): Promise<void> {
    try {
      await untilAborted(signal, this.#created.promise)
    } catch {
      throw this.#failure ?? this.#silence()
    }
  }

  /** Whether it is there, as far as the last write could tell. */
  exists(): boolean {
    return this.#writes.exists
  }

  /** Takes note of the last one issued, for whatever is written next. */
  issued(sourceIdentity: string): void {
    this.#totals.issued(sourceIdentity)
  }

  /**
   * Counts a credential that was handed out and lives until `expiration`. Returns at once and never
   * throws. Costs a few comparisons: the timer is mostly set already.
   */
  touch(expiration: Instant): void {
    if (this.#closing !== undefined) return
    this.#totals.count(this.#time(), expiration)
    this.#schedule()
  }

  /**
   * Says the last word: the final totals, and why it ended. Nothing is counted after. Takes 1.5 s
   * at most and never rejects: what could not be written is told.
   */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason)
    return this.#closing
  }

  /** Sets the timer for what is to be written next, unless it is set for that. */
  #schedule(): void {
    if (this.#closing !== undefined || this.#underWay) return
    const urgency = this.#writes.urgency()
    if (urgency === this.#awaited) return
    clearTimeout(this.#timer)
    this.#awaited = urgency
    if (urgency === undefined) return
    this.#timer = setTimeout(() => this.#beginWrite(), this.#pace.wait(urgency))
    this.#timer.unref()
  }

  #beginWrite(): void {
    this.#awaited = undefined
    const bound = new AbortController()
    const over = this.#write(bound).then(() => {
      this.#underWay = undefined
      this.#schedule()
    })
    this.#underWay = { over, bound }
  }

  /** Writes what there is to write. Never rejects: what failed is tried again. */
  async #write(bound: AbortController): Promise<void> {
    const timer = setTimeout(() => bound.abort(this.#silence()), PATIENCE)
    this.#pace.begin()
    try {
      await this.#writes.next(bound.signal)
      this.#onSuccess()
    } catch (error) {
      this.#onFailure(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #onSuccess(): void {
    this.#pace.succeed()
    this.#failure = undefined
    if (!this.#isOutageTold) return
    this.#isOutageTold = false
    this.#deps.notices.info(`${this.#deps.records.location} answers again`)
  }

  #onFailure(error: unknown): void {
    this.#pace.fail()
    this.#failure = error
    if (hasCode(error, 'SESSION_EXISTS')) this.#created.reject(error)
    // Requests tell of a wrong clock; and what is given up for the last word is no outage.
    if (hasCode(error, 'CLOCK_SKEWED') || this.#closing !== undefined) return
    if (this.#isOutageTold) return
    this.#isOutageTold = true
    this.#warn(`session ${this.#start.id} is not being recorded`, error)
  }

  #onCreated(): void {
    this.#created.resolve()
    this.#deps.onCreated()
  }

  async #close(reason: string): Promise<void> {
    clearTimeout(this.#timer)
    const bound = new AbortController()
    const timer = setTimeout(() => bound.abort(this.#failure ?? this.#silence()), CLOSING)
    try {
      await untilAborted(bound.signal, this.#finish(reason, bound.signal))
    } catch (error) {
      this.#warn(`the end of session ${this.#start.id} is not recorded`, error)
    } finally {
      clearTimeout(timer)
    }
  }

  async #finish(reason: string, signal: AbortSignal): Promise<void> {
    await this.#awaitWrite()
    const end = { at: this.#time(), reason }
    while (!signal.aborted) {
      try {
        return await this.#writes.last(end, signal)
      } catch (error) {
        if (isDefinite(error)) throw error
        this.#failure = error
        await new Promise((resolve) => setTimeout(resolve, AGAIN))
      }
    }
  }

  /** Waits a little for the write under way; then it is given up. */
  async #awaitWrite(): Promise<void> {
    if (!this.#underWay) return
    const { over, bound } = this.#underWay
    const timer = setTimeout(() => bound.abort(this.#silence()), GRACE)
    await over
    clearTimeout(timer)
  }

  /** AWS time; while nobody can tell it, by how long this server has been running. */
  #time(): Instant {
    const { clock } = this.#deps
    try {
      return clock.aws()
    } catch {
      return this.#start.startedAt + clock.now().monotonic - this.#made.monotonic
    }
  }

  #warn(what: string, error: unknown): void {
    const { notices, records } = this.#deps
    if (error instanceof SentinelError) notices.warn(`${what}: ${error.message}`, error.hint)
    else notices.warn(`${what}: ${records.location} failed`)
  }

  #silence(): SentinelError {
    const { location } = this.#deps.records
    return new SentinelError('STORE_UNAVAILABLE', `${location} did not answer in time`, {
      hint: 'check that it can be reached from here',
    })
  }
}
