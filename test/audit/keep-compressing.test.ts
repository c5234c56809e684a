import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { keepCompressing } from '../../src/audit/keep-compressing.ts'
import { makeLogPlace } from './log-fixture.ts'
import { manualTimers } from './manual-timers.ts'

suite('compressing in the background', () => {
  test('begins soon, and comes again every hour', async () => {
    const timers = manualTimers()
    let passes = 0
    const pass = async () => {
      passes++
    }
    await using _keeper = keepCompressing({ pass, every: timers.every, onFault: fail })

    assert.deepEqual(timers.intervals(), [10_000, 3_600_000])
    timers.fire(10_000)
    assert.equal(passes, 1)
    assert.deepEqual(timers.intervals(), [3_600_000])
    for (let hour = 1; hour <= 3; hour++) {
      await setImmediate()
      timers.fire(3_600_000)
    }
    assert.equal(passes, 4)
  })

  test('makes one pass at a time, and aborts it at the end', async () => {
    const timers = manualTimers()
    const signals: AbortSignal[] = []
    const gate = Promise.withResolvers<void>()
    const pass = async (signal: AbortSignal) => {
      signals.push(signal)
      await gate.promise
      signal.throwIfAborted()
    }
    const keeper = keepCompressing({ pass, every: timers.every, onFault: fail })
    for (const interval of [10_000, 3_600_000, 3_600_000]) timers.fire(interval)
    let isOver = false
    const end = keeper[Symbol.asyncDispose]().then(() => {
      isOver = true
    })
    await setImmediate()

    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    )
    assert.deepEqual([isOver, timers.intervals()], [false, []])
    gate.resolve()
    await end
  })

  test('tells of a fault, and goes on', async () => {
    const timers = manualTimers()
    const faults: unknown[] = []
    const pass = async () => {
      throw new Error(`fault ${faults.length}`)
    }
    const onFault = (error: unknown) => faults.push(error)
    await using _keeper = keepCompressing({ pass, every: timers.every, onFault })
    for (const interval of [10_000, 3_600_000]) {
      timers.fire(interval)
      await setImmediate()
    }

    assert.deepEqual(faults.map(String), ['Error: fault 0', 'Error: fault 1'])
  })

  test('of an open log is told of once when it fails, and ends with it', async () => {
    using place = makeLogPlace()
    const timers = manualTimers()
    const told: string[] = []
    let passes = 0
    const log = await place.open({
      every: timers.every,
      onFault: (message) => told.push(message),
      async compress(files, signal) {
        passes++
        assert.deepEqual(await files.namesBeside(place.path), ['decisions.jsonl'])
        assert.equal(signal.aborted, false)
        throw new Error('no room')
      },
    })
    for (const interval of [10_000, 3_600_000, 3_600_000]) {
      timers.fire(interval)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await log[Symbol.asyncDispose]()

    assert.equal(passes, 3)
    const message = 'goes on, but its full files cannot be compressed: no room'
    assert.deepEqual(told, [`decision log ${place.path} ${message}`])
    assert.deepEqual(timers.intervals(), [])
  })
})

function fail(error: unknown): never {
  throw error
}
