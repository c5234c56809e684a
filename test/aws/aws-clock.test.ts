import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { AWSClock } from '../../src/aws/aws-clock.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'

const NOON = Date.parse('2026-01-14T12:00:00Z')

/** A clock whose local clocks stand where the test puts them. */
function openClock() {
  const local = { wall: NOON, monotonic: 0 }
  const clock = new AWSClock({ wall: () => local.wall, monotonic: () => local.monotonic })
  const pass = (ms: number) => {
    local.wall += ms
    local.monotonic += ms
  }
  /** An answer whose Date header says that AWS is `offset` ahead of the local clock. */
  const hear = (offset: number) => {
    clock.learn(Math.floor((local.wall + offset) / SECOND) * SECOND, clock.now())
  }
  return { clock, local, pass, hear }
}

suite('AWSClock', () => {
  test('says the local time before it has learned any other', () => {
    assert.equal(openClock().clock.aws(), NOON)
  })

  test('reads both local clocks', () => {
    const { clock, pass } = openClock()
    pass(1234)
    assert.deepEqual(clock.now(), { wall: NOON + 1234, monotonic: 1234 })
  })

  for (const offset of [-1900, -500, 0, 999, 1499]) {
    test(`takes an offset of ${offset} ms for the noise of a header in whole seconds`, () => {
      const { clock, hear } = openClock()
      hear(offset)
      assert.equal(clock.aws(), NOON)
    })
  }

  test('corrects by an offset that is more than noise, to the half second', () => {
    const { clock, hear, pass } = openClock()
    hear(-90 * SECOND)
    pass(HOUR)
    assert.ok(Math.abs(clock.aws() - (NOON + HOUR - 90 * SECOND)) <= SECOND / 2)
  })

  test('is not moved by one odd header among several', () => {
    const { clock, hear, pass } = openClock()
    for (const offset of [0, 0, HOUR, 0]) {
      hear(offset)
      pass(SECOND)
    }
    assert.equal(clock.aws(), NOON + 4 * SECOND)
  })

  test('forgets what it knew about the clock as it was before somebody set it', () => {
    const { clock, local, hear, pass } = openClock()
    for (let n = 0; n < 5; n += 1) {
      hear(0)
      pass(SECOND)
    }
    local.wall += 2 * MINUTE
    hear(-2 * MINUTE)
    assert.ok(Math.abs(clock.aws() - (local.wall - 2 * MINUTE)) <= SECOND / 2)
  })

  test('ignores a header that is no date', () => {
    const { clock } = openClock()
    clock.learn(Date.parse('yesterday'), clock.now())
    assert.equal(clock.aws(), NOON)
  })

  const skews: [offset: number, message: RegExp][] = [
    [6 * MINUTE, /^the local clock is 6m(\d+s)? behind AWS$/],
    [-HOUR, /^the local clock is (59m59s|1h) ahead of AWS$/],
  ]
  for (const [offset, message] of skews) {
    test(`refuses to tell the time ${offset / MINUTE} minutes off, and says which way`, () => {
      const { clock, hear } = openClock()
      hear(offset)
      assert.throws(() => clock.aws(), { code: 'CLOCK_SKEWED', message, hint: /^set the clock/ })
    })
  }

  test('tells the time at an offset just within 5 minutes', () => {
    const { clock, hear } = openClock()
    hear(5 * MINUTE - SECOND)
    assert.ok(clock.aws() > NOON + 4 * MINUTE)
  })

  test('tells the time again once the clock was set right', () => {
    const { clock, local, hear } = openClock()
    hear(HOUR)
    local.wall += HOUR
    hear(0)
    assert.equal(clock.aws(), NOON + HOUR)
  })
})
