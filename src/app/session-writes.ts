import type { SessionEnd, SessionProgress, SessionStart } from '../domain/session.ts'
import { hasCode } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionRecords, WriteOutcome } from '../ports/session-store.ts'
import type { SessionTotals } from './session-totals.ts'
import { untilAborted } from './until-aborted.ts'
import type { Urgency } from './write-pace.ts'

interface SessionWritesDeps {
  readonly records: Pick<SessionRecords, 'create' | 'touch' | 'settle' | 'end'>
  readonly clock: Pick<Clock, 'aws'>
  readonly onCreated: () => void
  readonly onSuspicion: () => void
}

/**
 * How far the record is, as this server knows:
 *
 *     new ──▶ pending ──▶ active ──▶ revoked ──▶ over
 *
 * `pending`: to be created, and perhaps there. `revoked`: no word of ours but what was handed out.
 * `over`: there is nothing more to say; it may come after each.
 */
type State = 'new' | 'pending' | 'active' | 'revoked' | 'over'

/**
 * What a server writes of its session, one write after the other, and what it learns from each. A
 * write that failed, or was given up, may be made again: none of them counts twice.
 */
export class SessionWrites {
  readonly #deps: SessionWritesDeps
  readonly #start: SessionStart
  readonly #totals: SessionTotals
  #state: State = 'new'
  #exists = false
  /** Whether a try to create it may have come through, unknown to us. */
  #mayExist = false

  constructor(deps: SessionWritesDeps, start: SessionStart, totals: SessionTotals) {
    this.#deps = deps
    this.#start = start
    this.#totals = totals
  }

  get exists(): boolean {
    return this.#exists
  }

  /** From now on there is to be a record. */
  begin(): void {
    this.#state = 'pending'
  }

  /** What is to be written next; `undefined`: nothing. */
  urgency(): Urgency | undefined {
    const untold = this.#totals.untold()
    switch (this.#state) {
      case 'pending':
        return 'news'
      case 'active':
        return untold === 'nothing' ? 'heartbeat' : untold
      case 'revoked':
        return untold === 'nothing' ? undefined : 'news'
      case 'new':
      case 'over':
        return undefined
      default:
        return this.#state satisfies never
    }
  }

  /** Writes what there is to write. Rejects when the store does, and with `CLOCK_SKEWED`. */
  async next(signal: AbortSignal): Promise<void> {
    const { records, clock } = this.#deps
    const at = clock.aws()
    const progress = this.#totals.progress(at)
    if (this.#state === 'pending') return this.#create(progress, signal)
    const verb = this.#state === 'revoked' ? 'settle' : 'touch'
    const outcome = records[verb](this.#start.id, progress, at, signal)
    this.#hear(await untilAborted(signal, outcome), progress)
  }

  /** Writes the last word, if there is a record to write it to. Rejects when the store does. */
  async last(end: SessionEnd, signal: AbortSignal): Promise<void> {
    if (this.#state === 'pending') await this.#createEnded(end, signal)
    if (this.#state === 'active') await this.#end(end, signal)
    if (this.#state === 'revoked' && !this.#totals.isAllTold()) {
      const progress = this.#totals.progress(end.at)
      await this.#deps.records.settle(this.#start.id, progress, end.at, signal)
    }
    this.#state = 'over'
  }

  async #create(progress: SessionProgress, signal: AbortSignal): Promise<void> {
    const creation = this.#deps.records.create({ ...this.#start, ...progress }, signal)
    try {
      const outcome = await untilAborted(signal, creation)
      // An earlier try that came through said less, and its lease is older.
      if (outcome === 'created') this.#totals.told(progress)
    } catch (error) {
      this.#mayExist ||= !isDefinite(error)
      if (hasCode(error, 'SESSION_EXISTS')) this.#state = 'over'
      throw error
    }
    this.#state = 'active'
    this.#exists = true
    this.#deps.onCreated()
  }

  #hear(outcome: WriteOutcome, progress: SessionProgress): void {
    switch (outcome) {
      case 'written':
      case 'stale':
        this.#totals.told(progress)
        return
      case 'revoked':
        this.#state = 'revoked'
        this.#deps.onSuspicion()
        return
      case 'missing':
        this.#state = 'over'
        this.#exists = false
        this.#deps.onSuspicion()
        return
      case 'ended':
        this.#state = 'over'
        return
      default:
        outcome satisfies never
    }
  }

  /** Whichever try comes through, and whenever: there is one record, and it has ended. */
  async #createEnded(end: SessionEnd, signal: AbortSignal): Promise<void> {
    if (!this.#mayExist) return
    const record = { ...this.#start, ...this.#totals.progress(end.at), end }
    const outcome = await this.#deps.records.create(record, signal)
    this.#state = outcome === 'created' ? 'over' : 'active'
  }

  async #end(end: SessionEnd, signal: AbortSignal): Promise<void> {
    const progress = this.#totals.progress(end.at)
    const outcome = await this.#deps.records.end(this.#start.id, progress, end, signal)
    this.#state = outcome === 'revoked' ? 'revoked' : 'over'
  }
}

/** Whether a store said for certain that nothing was written, and that nothing can be. */
export function isDefinite(error: unknown): boolean {
  return hasCode(error, 'STORE_NOT_FOUND', 'SESSION_EXISTS')
}
