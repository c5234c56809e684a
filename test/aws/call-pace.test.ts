import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CallPace } from '../../src/aws/call-pace.ts'
import { FakeClock } from '../fixtures/app/clock.ts'

const WAITING = new AbortController().signal

function openPace() {
  const clock = new FakeClock()
  const pace = new CallPace(500, {
    now: () => clock.now(),
    async sleep(ms, signal) {
      await Promise.resolve()
      signal.throwIfAborted()
      clock.advance(ms)
    },
  })
  const turnOf = async (signal = WAITING) => {
    await pace.turn(signal)
    return clock.monotonic - 5_000
  }
  return { clock, turnOf }
}

suite('CallPace', () => {
  test('gives the first its turn at once, and each other one an interval later', async () => {
    const { turnOf } = openPace()
    const turns = await Promise.all([turnOf(), turnOf(), turnOf(), turnOf()])
    assert.deepEqual(turns, [0, 500, 1000, 1500])
  })

  test('lets nobody wait who comes late enough', async () => {
    const { clock, turnOf } = openPace()
    await turnOf()
    clock.advance(400)
    assert.equal(await turnOf(), 500)
    clock.advance(10_000)
    assert.equal(await turnOf(), 10_500)
  })

  test('gives the turn of one that gave up to the next', async () => {
    const { turnOf } = openPace()
    const given = new AbortController()
    const turns = [turnOf(), turnOf(given.signal), turnOf()]
    given.abort(new Error('enough'))
    const [first, second, third] = await Promise.allSettled(turns)
    assert.deepEqual(first, { status: 'fulfilled', value: 0 })
    assert.equal(second?.status, 'rejected')
    assert.deepEqual(third, { status: 'fulfilled', value: 500 })
  })
})
