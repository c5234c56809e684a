import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type SessionRules, SessionVerdict } from '../../src/app/session-verdict.ts'
import type { Session, SessionId, SessionLock } from '../../src/domain/session.ts'
import { drift, elapsed, type Moment, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { Look, SessionRecords } from '../../src/ports/session-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { aLock, storeFault } from '../fixtures/app/scripted-records.ts'
import { FakeNotices, stopTimers } from '../fixtures/app/world.ts'
import { NOON } from '../fixtures/policies.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const ID = '00000000000a11ce' as SessionId
const LIVES = 2000
const EVENTS = 14
/** Everything happens at a multiple of it, so that an answer and its deadline never share a tick. */
const TICK = 100
const TIMEOUT = 2 * SECOND

/** One look, as the store saw it. */
interface Entry {
  readonly begun: Moment
  readonly begunTick: number
  /** How many sleeps had been noticed by then. */
  readonly sleeps: number
  readonly isRecordExpected: boolean
  /** What it came to, once it has. */
  answer?: Look
  settledTick?: number
  settledSleeps?: number
}

type Outcome = 'SERVED' | 'SESSION_REVOKED' | 'SESSION_LOCKED' | 'STORE_UNAVAILABLE'

/** A session's life in a store that fails in every way, under clocks that jump. */
class Life implements Pick<SessionRecords, 'look' | 'location'> {
  readonly location = 'dynamodb:eu-central-1:sessions'
  readonly trace: string[] = []
  readonly outcomes: Outcome[] = []
  readonly #next: () => number
  readonly #clock = new FakeClock()
  readonly #began = this.#clock.now()
  readonly #verdict: SessionVerdict
  readonly #journal: Entry[] = []
  #tick = 0
  #seen = this.#began
  #sleeps = 0
  #isCreated = false
  #rules: SessionRules = { grace: 6000, outage: 'allow', outageMax: 9000, isRequired: false }
  #ends = 0

  // What the store holds, and how it is.
  #session: Partial<Session> | undefined
  #locks: SessionLock[] = []
  #fault: (() => unknown) | undefined
  #latencyMax = 0
  #heedsSignal = true
  #revokedAt: Moment | undefined
  /** The last moment at which a look that began then could fail. */
  #sickAt: Moment | undefined
  #heardAt: Moment | undefined

  constructor(seed: number) {
    this.#next = random(seed)
    this.#verdict = new SessionVerdict(
      {
        records: this,
        clock: this.#clock,
        notices: new FakeNotices(),
        rules: () => this.#rules,
        onRevoked: () => {
          this.#ends += 1
        },
        onLocked: () => {},
        ending: new AbortController().signal,
      },
      { id: ID, user: 'alice', profile: 'prod' },
    )
  }

  async live(): Promise<void> {
    this.#verdict.start()
    for (let event = 0; event < EVENTS; event += 1) {
      const [name, act] = pick(this.#next, Object.entries(this.#events))
      this.trace.push(`${this.#tick} ms: ${name}`)
      act()
      this.#judge()
      const ticks = Math.ceil(this.#next() * pick(this.#next, [5, 30]))
      for (let tick = 0; tick < ticks; tick += 1) await this.#pass()
    }
    this.#verdict[Symbol.dispose]()
  }

  async look(_: unknown, signal: AbortSignal): Promise<Look> {
    const fault = this.#fault
    const latency = Math.ceil((this.#next() * this.#latencyMax) / TICK) * TICK
    const untilRead = Math.floor((this.#next() * latency) / TICK) * TICK
    const heedsSignal = this.#heedsSignal
    const entry: Entry = {
      begun: this.#clock.now(),
      begunTick: this.#tick,
      sleeps: this.#sleeps,
      isRecordExpected: this.#isCreated || this.#journal.some((seen) => this.#hasSeen(seen)),
    }
    this.#journal.push(entry)
    try {
      await wait(untilRead, signal, heedsSignal)
      const answer = this.#read()
      await wait(latency - untilRead, signal, heedsSignal)
      if (fault) return fault() as never
      entry.answer = answer
      this.#heardAt = this.#clock.now()
      return answer
    } finally {
      entry.settledTick = this.#tick
      entry.settledSleeps = this.#sleeps
    }
  }

  readonly #events: Record<string, () => void> = {
    created: () => {
      if (!this.#session && !this.#isCreated) this.#session = { id: ID }
    },
    'created, and known to be': () => {
      if (!this.#session && !this.#isCreated) this.#session = { id: ID }
      this.#isCreated = true
      this.#verdict.expectRecord()
    },
    revoked: () => {
      if (!this.#session || this.#next() < 0.5) return
      this.#revokedAt ??= this.#clock.now()
      const revocation = { at: NOON, by: 'bob', reason: 'laptop stolen' }
      this.#session = { ...this.#session, revocation }
    },
    deleted: () => {
      if (this.#next() < 0.5) return
      this.#session = undefined
      // Nobody can tell it from one that was never made, unless somebody has seen it.
      this.#revokedAt = undefined
    },
    locked: () => {
      const until = this.#clock.aws() + pick(this.#next, [-SECOND, 3 * SECOND, 20 * SECOND])
      this.#locks.push(aLock({ until }))
    },
    unlocked: () => {
      this.#locks = []
    },
    'a write met something': () => this.#verdict.suspect(),
    silent: () => {
      this.#fault = () => Promise.reject(storeFault())
    },
    'without its table': () => {
      this.#fault = () => Promise.reject(new SentinelError('STORE_NOT_FOUND', 'no such table'))
    },
    garbage: () => {
      const garbage = pick(this.#next, [undefined, 7, {}, { locks: [{}] }, { locks: 'all' }])
      this.#fault = () => garbage
    },
    bug: () => {
      this.#fault = () => Promise.reject(new TypeError('x is not a function'))
    },
    slow: () => {
      this.#latencyMax = 1900
    },
    'too slow': () => {
      this.#latencyMax = 6000
      this.#heedsSignal = this.#next() < 0.5
    },
    well: () => this.#mend(),
    'well again': () => this.#mend(),
    'well once more': () => this.#mend(),
    'well at last': () => this.#mend(),
    'asleep for long': () => this.#clock.sleep(20 * SECOND),
    'asleep for a while': () => this.#clock.sleep(6 * SECOND),
    'asleep for a moment': () => this.#clock.sleep(4 * SECOND),
    'set back': () => this.#clock.sleep(-10 * SECOND),
    'stopped for long': () => this.#clock.advance(8 * SECOND),
    'stopped for a moment': () => this.#clock.advance(SECOND),
    required: () => {
      this.#rules = { ...this.#rules, isRequired: !this.#rules.isRequired }
    },
    denied: () => {
      this.#rules = { ...this.#rules, outage: this.#rules.outage === 'deny' ? 'allow' : 'deny' }
    },
  }

  #mend(): void {
    this.#fault = undefined
    this.#latencyMax = pick(this.#next, [0, 300, 1900])
    this.#heedsSignal = true
  }

  #read(): Look {
    return { locks: [...this.#locks], ...(this.#session && { session: this.#session as Session }) }
  }

  async #pass(): Promise<void> {
    this.#clock.advance(TICK)
    this.#tick += TICK
    mock.timers.tick(TICK)
    // Whatever can go on without the timers, has gone on by then.
    await setImmediate()
    this.#judge()
  }

  /** Asks the verdict, and holds it to the naive model and to what the store knows better. */
  #judge(): void {
    const now = this.#clock.now()
    if (this.#fault || this.#latencyMax >= TIMEOUT) this.#sickAt = now
    const last = this.#journal.at(-1)
    const isStopped = last && elapsed(last.begun, now) > 3 * SECOND
    if (drift(this.#seen, now) > 5 * SECOND || isStopped) this.#sleeps += 1
    this.#seen = now

    const expected = this.#expected(now)
    const outcome = this.#ask()
    if (outcome !== this.outcomes.at(-1)) this.trace.push(`    ${this.#tick} ms: ${outcome}`)
    this.outcomes.push(outcome)
    assert.equal(outcome, expected)
    if (outcome === 'SERVED') this.#holdServed(now)
    assert.equal(this.#ends, Number(outcome === 'SESSION_REVOKED'))
  }

  #ask(): Outcome {
    const errors = [1, 2].map(() => {
      try {
        this.#verdict.assert()
        return undefined
      } catch (error) {
        return error
      }
    })
    assert.equal(errors[0], errors[1], 'another error for the same state')
    const [error] = errors
    if (error === undefined) return 'SERVED'
    assert.ok(error instanceof SentinelError, String(error))
    return error.code as Outcome
  }

  /** What must hold by the truth in the store, whatever of it was heard. */
  #holdServed(now: Moment): void {
    const { grace, outageMax, outage, isRequired } = this.#rules
    const isStrict = isRequired || outage === 'deny'
    const silence = elapsed(this.#heardAt ?? this.#began, now)
    assert.ok(silence <= grace + outageMax, `I4: served after ${silence} ms of silence`)
    if (isStrict) assert.ok(this.#heardAt && silence <= grace, `I4: ${silence} ms, under deny`)

    if (!this.#revokedAt) return
    const wasWell =
      !this.#sickAt || this.#revokedAt.monotonic - this.#sickAt.monotonic >= 4 * SECOND
    const late = elapsed(this.#revokedAt, now)
    if (wasWell) assert.ok(late <= 5 * SECOND, `I4: served ${late} ms after the revocation`)
  }

  /** The model: everything anew from the journal, at each judgement. */
  #expected(now: Moment): Outcome {
    if (this.#journal.some((entry) => isEnd(entry))) return 'SESSION_REVOKED'
    const adopted = this.#journal.filter((entry) => this.#isAdopted(entry))
    const verdict = adopted.at(-1)
    const locks = verdict?.answer?.locks ?? []
    if (locks.some(({ until }) => until > this.#clock.aws())) return 'SESSION_LOCKED'

    const settled = this.#journal.filter(
      (entry) => entry.sleeps === this.#sleeps && this.#isSettled(entry),
    )
    const last = settled.at(-1)
    if (!last) return 'STORE_UNAVAILABLE'
    const age = elapsed(verdict?.begun ?? this.#began, now)
    if (last === verdict) return age <= 5 * SECOND ? 'SERVED' : 'STORE_UNAVAILABLE'
    const { grace, outageMax, outage, isRequired } = this.#rules
    if (verdict && age <= grace) return 'SERVED'
    if (isRequired || outage === 'deny') return 'STORE_UNAVAILABLE'
    return age <= grace + outageMax ? 'SERVED' : 'STORE_UNAVAILABLE'
  }

  #isSettled(entry: Entry): boolean {
    return entry.settledTick !== undefined || this.#tick - entry.begunTick >= TIMEOUT
  }

  /** Answered in time, and not across a sleep. */
  #isAdopted({ answer, begunTick, settledTick, sleeps, settledSleeps }: Entry): boolean {
    if (!answer || settledTick === undefined) return false
    return settledTick - begunTick < TIMEOUT && settledSleeps === sleeps
  }

  #hasSeen(entry: Entry): boolean {
    return this.#isAdopted(entry) && entry.answer?.session !== undefined
  }
}

function isEnd({ answer, isRecordExpected }: Entry): boolean {
  if (!answer) return false
  return answer.session ? answer.session.revocation !== undefined : isRecordExpected
}

async function wait(ms: number, signal: AbortSignal, heedsSignal: boolean): Promise<void> {
  if (ms === 0) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = () => reject(storeFault('aborted'))
  if (heedsSignal && signal.aborted) abort()
  if (heedsSignal) signal.addEventListener('abort', abort, { once: true })
  setTimeout(resolve, ms)
  return promise
}

suite('SessionVerdict, whatever happens', () => {
  beforeEach(stopTimers)
  afterEach(() => mock.timers.reset())

  test('I4: serves and refuses as the naive model does, through every life', async () => {
    const counts: Partial<Record<Outcome, number>> = {}
    for (let seed = 1; seed <= scaled(LIVES); seed += 1) {
      const life = new Life(seed)
      try {
        await life.live()
      } catch (error) {
        throw new Error(`seed ${seed}:\n${life.trace.join('\n')}`, { cause: error })
      }
      for (const outcome of life.outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
      mock.timers.reset()
      stopTimers()
    }
    // Lives in which the same always happens would hold all of it.
    const fewest = scaled(LIVES) * 5
    for (const outcome of ['SERVED', 'SESSION_REVOKED', 'SESSION_LOCKED', 'STORE_UNAVAILABLE'])
      assert.ok((counts[outcome as Outcome] ?? 0) > fewest, JSON.stringify(counts))
  })
})
