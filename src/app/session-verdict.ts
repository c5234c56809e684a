import type { Revocation } from '../domain/session.ts'
import { drift, elapsed, type Moment, SECOND } from '../domain/time.ts'
import type { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { Look, LookSubject, SessionRecords } from '../ports/session-store.ts'
import { LockKeeper } from './lock-keeper.ts'
import { newsOf, type SessionNews } from './session-news.ts'
import { SessionOutage } from './session-outage.ts'
import { beingLookedUp, noAnswer } from './session-refusals.ts'

/** What holds while a session store is silent. */
export interface SessionRules {
  /** Milliseconds that a verdict holds without anybody being told. */
  readonly grace: number
  /** What happens then. */
  readonly outage: 'allow' | 'deny'
  /** Milliseconds after the grace that `allow` lasts. */
  readonly outageMax: number
  /** The rule that decides is `require_server_session`: it is as with `deny`. */
  readonly isRequired: boolean
}

export interface SessionVerdictDeps {
  readonly records: Pick<SessionRecords, 'look' | 'location'>
  readonly clock: Clock
  readonly notices: Notices
  /** Asked anew at each judgement: the policy may change during a run. */
  readonly rules: () => SessionRules
  /**
   * Called once, when the session turns out to be revoked or, with no revocation, its record to be
   * gone. Must not throw.
   */
  readonly onRevoked: (error: SentinelError, revocation: Revocation | undefined) => void
  /** Called when a lock comes to hold: what was minted is to be dropped. Must not throw. */
  readonly onLocked: (error: SentinelError) => void
  /** Aborts when the run ends. */
  readonly ending: AbortSignal
}

/** A look under way. */
interface Question {
  readonly askedAt: Moment
  /** There was a record when it was asked: to find none means that it was taken away. */
  readonly isRecordExpected: boolean
  readonly abort: AbortController
  /** Resolves when it was answered or given up. */
  readonly settled: Promise<void>
  readonly settle: () => void
}

/** How often the store is asked, start to start; and so long it may take. */
const BEAT = 2 * SECOND
/** No look begun for so long: this process was stopped, and what it knows is from before. */
const STOPPED = 3 * SECOND
/** The wall clock jumping this far against the monotonic one means that the machine slept. */
const SLEPT = 5 * SECOND
/** A server obeys a revocation within this: no verdict is older, unless the store is silent. */
const FRESH = 5 * SECOND

/**
 * Keeps what the store says of a session and of the locks about it (design § 7 "The verdict").
 *
 * Three things are kept apart. A revocation is a latch: whoever tells of one, however late, is
 * believed for good, and nothing more is asked. A lock holds until its time, or until a look finds
 * it gone. That neither was found is worth only as much as its age (`SessionOutage`), and nothing
 * at all once the machine slept: then a look that was begun after that has to settle first.
 */
export class SessionVerdict implements Disposable {
  readonly #deps: SessionVerdictDeps
  readonly #subject: LookSubject
  readonly #outage: SessionOutage
  readonly #locks: LockKeeper
  readonly #beingLookedUp: SentinelError
  #question: Question | undefined
  #askedAt: Moment
  /** The last reading of the clocks. */
  #seen: Moment
  #timer: NodeJS.Timeout | undefined
  #isStarted = false
  #isOver = false
  /** Until the first look has settled, and again after each sleep. */
  #isUnknown = true
  #isRecordExpected = false
  /** Somebody knows more than the look under way may find. */
  #isSuspect = false
  #revoked: SentinelError | undefined

  /** Without `subject.id` there is no session: only the locks count. */
  constructor(deps: SessionVerdictDeps, subject: LookSubject) {
    this.#deps = deps
    this.#subject = subject
    const { location } = deps.records
    this.#seen = deps.clock.now()
    this.#askedAt = this.#seen
    this.#outage = new SessionOutage({ ...deps, location }, subject, this.#seen)
    this.#locks = new LockKeeper(deps)
    this.#beingLookedUp = beingLookedUp(subject, location)
    if (deps.ending.aborted) this[Symbol.dispose]()
    else deps.ending.addEventListener('abort', () => this[Symbol.dispose](), { once: true })
  }

  /** Asks the store now, or joins the look under way. Takes 2 s at most, and never rejects. */
  async look(): Promise<void> {
    do {
      const now = this.#read()
      if (this.#isOver) return
      await (this.#question ?? this.#ask(now)).settled
      // A sleep in between: what was asked before it settles nothing.
    } while (this.#isUnknown)
  }

  /**
   * Keeps looking, every 2 s, until disposed. Whoever waited long since the last look awaits one
   * more before the next {@link assert}: what is known may be too old by now.
   */
  start(): void {
    this.#isStarted = true
    // With a timer, the last look was begun less than a beat ago.
    if (this.#timer === undefined) void this.look()
    else this.#timer.unref()
  }

  /** Tells that the record was made: a look begun from now on that finds none means revoked. */
  expectRecord(): void {
    this.#isRecordExpected = true
  }

  /** Tells that a write found the record missing or revoked: the store is asked at once. */
  suspect(): void {
    if (this.#question) this.#isSuspect = true
    else void this.look()
  }

  /**
   * Throws `SESSION_REVOKED`, `SESSION_LOCKED` or `STORE_UNAVAILABLE` when nothing may be handed
   * out: the same error as long as the same is wrong. Throws `CLOCK_SKEWED` when there is a lock,
   * and no clock to tell whether it still holds.
   */
  assert(): void {
    if (this.#revoked) throw this.#revoked
    const now = this.#read()
    const lock = this.#locks.inForce()
    if (lock) throw lock
    if (this.#isUnknown || this.#isOverdue(now)) {
      if (!this.#question) void this.look()
      throw this.#beingLookedUp
    }
    const refusal = this.#outage.refusal(now)
    if (refusal) throw refusal
  }

  /** Whether what is handed out now is under the outage rule, past the grace. */
  isUnverified(): boolean {
    return this.#outage.isUnverified(this.#deps.clock.now())
  }

  /** Asks nothing more. */
  [Symbol.dispose](): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#giveUp()
  }

  #ask(askedAt: Moment): Question {
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>()
    const question = {
      askedAt,
      isRecordExpected: this.#isRecordExpected,
      abort: new AbortController(),
      settled,
      settle,
    }
    this.#question = question
    this.#isSuspect = false
    this.#askedAt = askedAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#beat(), BEAT)
    // A single look is waited for: nothing else may keep the process alive until it is given up.
    if (this.#isStarted) this.#timer.unref()
    const { records } = this.#deps
    Promise.try(() => records.look(this.#subject, question.abort.signal)).then(
      (look) => this.#hear(question, look),
      (fault: unknown) => this.#miss(question, fault),
    )
    return question
  }

  #beat(): void {
    this.#timer = undefined
    // However the store takes the signal: it has had its time.
    if (this.#question) {
      const { abort } = this.#question
      this.#miss(this.#question, noAnswer(this.#deps.records.location, BEAT / SECOND))
      abort.abort()
    }
    if (this.#isStarted) void this.look()
  }

  #hear(question: Question, look: Look): void {
    if (this.#isOver) return
    let news: SessionNews
    try {
      const { location } = this.#deps.records
      news = newsOf(look, { ...question, subject: this.#subject, location })
    } catch (fault) {
      this.#miss(question, fault)
      return
    }
    if (news.end) {
      this.#end(news.end)
      return
    }
    this.#read()
    // An answer that comes too late, or was asked for before a sleep, is no other news.
    if (question !== this.#question) return
    if (look.session) this.#isRecordExpected = true
    this.#isUnknown = false
    this.#outage.answered(question.askedAt)
    this.#locks.keep(news.lock)
    this.#close(question)
  }

  #miss(question: Question, fault: unknown): void {
    if (question !== this.#question) return
    const now = this.#read()
    if (question !== this.#question) return
    this.#isUnknown = false
    this.#outage.failed(fault, now)
    this.#close(question)
  }

  #end({ error, revocation }: NonNullable<SessionNews['end']>): void {
    this.#revoked = error
    this[Symbol.dispose]()
    this.#deps.onRevoked(error, revocation)
  }

  /** Whether no look has settled for longer than its turn, so that silence cannot be why. */
  #isOverdue(now: Moment): boolean {
    if (this.#outage.isSilent) return false
    return this.#outage.age(now) > (this.#isStarted ? FRESH : this.#deps.rules().grace)
  }

  /** Reads the clocks, and notices that the machine slept or this process was stopped. */
  #read(): Moment {
    const now = this.#deps.clock.now()
    const hasSlept = drift(this.#seen, now) > SLEPT
    this.#seen = now
    if (hasSlept || (this.#isStarted && elapsed(this.#askedAt, now) > STOPPED)) {
      this.#isUnknown = true
      this.#giveUp()
    }
    return now
  }

  #giveUp(): void {
    const question = this.#question
    if (!question) return
    this.#question = undefined
    question.abort.abort()
    question.settle()
  }

  #close({ settle }: Question): void {
    this.#question = undefined
    if (!this.#isStarted) this.#timer?.unref()
    settle()
    if (this.#isSuspect) void this.look()
  }
}
