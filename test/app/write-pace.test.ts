import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { type Urgency, WritePace } from '../../src/app/write-pace.ts'
import { HOUR, SECOND } from '../../src/domain/time.ts'
import { FakeClock } from '../fixtures/app/clock.ts'

let clock: FakeClock
let pace: WritePace

function waits(): Record<Urgency, number> {
  return { news: pace.wait('news'), count: pace.wait('count'), heartbeat: pace.wait('heartbeat') }
}

suite('WritePace', () => {
  beforeEach(() => {
    clock = new FakeClock()
    pace = new WritePace({ clock, random: () => 0.5 })
  })

  test('waits from the beginning of the last write, by what there is to say', () => {
    pace.begin()
    clock.advance(400)
    pace.succeed()
    assert.deepEqual(waits(), { news: 600, count: 4600, heartbeat: 29_600 })
  })

  test('gathers what happens in one moment, though all pauses are over', () => {
    pace.begin()
    pace.succeed()
    clock.advance(HOUR)
    assert.deepEqual(waits(), { news: 50, count: 50, heartbeat: 50 })
  })

  test('knows of time that passed while the machine slept', () => {
    pace.begin()
    pace.succeed()
    clock.sleep(HOUR)
    assert.equal(pace.wait('count'), 50)
  })

  test('beats every 30 seconds, five more or less', () => {
    for (const [random, seconds] of [
      [0, 25],
      [1, 35],
    ] as const) {
      pace = new WritePace({ clock, random: () => random })
      pace.begin()
      pace.succeed()
      assert.equal(pace.wait('heartbeat'), seconds * SECOND)
    }
  })

  test('waits ever longer after a failure, whatever there is to say, and no longer than 30 s', () => {
    const pauses = Array.from({ length: 8 }, () => {
      pace.begin()
      clock.advance(5 * SECOND)
      pace.fail()
      assert.equal(new Set(Object.values(waits())).size, 1)
      return pace.wait('news')
    })
    // The random quarter less.
    assert.deepEqual(pauses, [875, 1750, 3500, 7000, 14_000, 26_250, 26_250, 26_250])

    pace.begin()
    pace.succeed()
    assert.equal(pace.wait('news'), SECOND)
    pace.fail()
    assert.equal(pace.wait('news'), 875)
  })
})
