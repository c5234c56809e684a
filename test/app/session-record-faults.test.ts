import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { SessionRecord } from '../../src/app/session-record.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { A_START, FAULTS, FaultyRecords } from '../fixtures/app/session-records.ts'
import { settle, stopTimers, timed, World } from '../fixtures/app/world.ts'
import { NOON } from '../fixtures/policies.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const STEPS = 60
const FIRST_END = NOON + 15 * MINUTE

/** The life of one record over a store that does its worst, and what must come of it. */
class Life {
  readonly #next: () => number
  readonly #world = new World()
  readonly #records = new FaultyRecords()
  readonly #record: SessionRecord
  readonly #trace: string[] = []
  /** What the record must say at the end. */
  #handedOut = 0
  #lastEnd = FIRST_END
  #isRevoked = false
  #created = 0

  constructor(seed: number) {
    this.#next = random(seed)
    const { clock, log, notices } = this.#world
    this.#record = new SessionRecord(
      {
        records: this.#records,
        clock,
        log,
        notices,
        random: this.#next,
        onCreated: () => {
          this.#created += 1
        },
        onSuspicion: () => {
          this.#note(`suspicion`)
          assert.ok(this.#isRevoked)
        },
      },
      A_START,
      { expiresAt: FIRST_END },
    )
  }

  get trace(): string {
    return this.#trace.join('\n')
  }

  /** How it ended. */
  async live(): Promise<'expired' | 'revoked' | 'none'> {
    this.#break()
    this.#record.open()
    for (let step = 0; step < STEPS; step += 1) {
      const [name, action] = pick(this.#next, Object.entries(this.#actions))
      this.#note(name)
      await action()
    }
    this.#mend()
    // With and without time for it to notice.
    await this.#world.advance(pick(this.#next, [0, 200, 3 * SECOND, 40 * SECOND]))
    this.#note('close')
    const { ms, error } = await timed(this.#world, this.#record.close('SIGTERM'))
    assert.equal(error, undefined)
    assert.ok(ms <= 1500, `${ms} ms`)
    await this.#world.advance(10 * SECOND)
    return this.#holds()
  }

  readonly #actions: Record<string, () => Promise<void> | void> = {
    'credentials handed out': () => this.#handOut(1),
    'many handed out': () => this.#handOut(1 + Math.floor(this.#next() * 500)),
    'longer ones handed out': () => {
      this.#lastEnd += Math.ceil(this.#next() * MINUTE)
      this.#handOut(1)
    },
    'a moment': () => this.#world.advance(100),
    'some seconds': () => this.#world.advance(Math.ceil(this.#next() * 8 * SECOND)),
    'half a minute': () => this.#world.advance(30 * SECOND, 500),
    sleep: () => this.#world.clock.sleep(MINUTE),
    'the clock is wrong': () => {
      this.#world.clock.isSkewed = true
    },
    'the clock is right': () => {
      this.#world.clock.isSkewed = false
    },
    'the store is slow': () => {
      this.#records.latency = pick(this.#next, [0, 20, 900, 4000, 7000])
    },
    'the store breaks': () => this.#break(),
    'the store is well': () => this.#mend(),
    'the store is well, for long': () => this.#mend(),
    revoked: async () => {
      // Seldom, or few would live to be ended; and only what is there can be.
      if (this.#next() > 0.1 || !(await this.#records.read())) return
      this.#isRevoked = true
      await this.#records.revoke()
    },
  }

  #handOut(count: number): void {
    for (let request = 0; request < count; request += 1) this.#record.touch(this.#lastEnd)
    this.#handedOut += count
  }

  /** From now on every write has some fault or, half of them, none. */
  #break(): void {
    const alike = pick(this.#next, [undefined, ...FAULTS])
    this.#records.faultOf = () => {
      const fault = alike ?? (this.#next() < 0.5 ? pick(this.#next, FAULTS) : undefined)
      this.#note(`  write ${this.#records.calls.at(-1)?.[0]}: ${fault ?? 'well'}`)
      return fault
    }
  }

  #mend(): void {
    this.#records.fault = undefined
    this.#records.latency = 0
    this.#world.clock.isSkewed = false
  }

  async #holds(): Promise<'expired' | 'revoked' | 'none'> {
    const session = await this.#records.read()
    this.#holdRestraint()
    if (!session) {
      // Only where every creation met a certain no.
      assert.equal(this.#created, 0)
      return 'none'
    }
    assert.equal(session.requestCount, this.#handedOut)
    assert.equal(session.expiresAt, this.#lastEnd)
    assert.equal(session.lastAccessAt === undefined, this.#handedOut === 0)
    assert.equal(session.revocation !== undefined, this.#isRevoked)
    // What is revoked has not ended, and what is not revoked has.
    assert.equal(session.end === undefined, this.#isRevoked)
    return this.#isRevoked ? 'revoked' : 'expired'
  }

  #holdRestraint(): void {
    const { calls, mostAtOnce } = this.#records
    const { notices, clock } = this.#world
    assert.equal(mostAtOnce, 1)
    assert.ok(this.#created <= 1)
    assert.equal(this.#records.of('end').length <= 2, true)
    // By the monotonic clock, which knows nothing of sleep, it lived so many seconds.
    const seconds = (clock.monotonic - 5000) / SECOND
    assert.ok(calls.length <= seconds + 5, `${calls.length} writes in ${seconds} s`)
    assert.ok(notices.warnings.length <= notices.infos.length + 1)
  }

  #note(text: string): void {
    this.#trace.push(`${(this.#world.clock.monotonic - 5000) / SECOND} s: ${text}`)
  }
}

suite('SessionRecord over a store that does its worst', () => {
  beforeEach(stopTimers)
  afterEach(() => mock.timers.reset())

  test('says exactly what was handed out once the store is well, and how it ended', async () => {
    const ends = { expired: 0, revoked: 0, none: 0 }
    for (let seed = 1; seed <= scaled(100); seed += 1) {
      const life = new Life(seed)
      try {
        ends[await life.live()] += 1
      } catch (error) {
        throw new Error(`seed ${seed}:\n${life.trace}`, { cause: error })
      }
      mock.timers.reset()
      stopTimers()
      await settle()
    }
    // Lives that all end alike would show little.
    assert.ok(ends.expired > scaled(30) && ends.revoked > scaled(10), JSON.stringify(ends))
  })
})
