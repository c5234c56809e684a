import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { shipBeside } from '../../src/app/ship-beside.ts'
import type { ShipLogDeps } from '../../src/app/ship-log.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { FakeReceiver, FakeShipQueue } from '../fixtures/app/shipping.ts'
import { FakeNotices } from '../fixtures/app/world.ts'

const DOWN = new SentinelError('SHIPPING_FAILED', 'it is down', { hint: 'wait' })
const REFUSED = new SentinelError('SHIPPING_REFUSED', 'there is no such group')

/** Shipping beside a run, whose time goes when the test says so. */
function open(t: TestContext, overrides: Partial<ShipLogDeps> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const queue = new FakeShipQueue()
  const receiver = new FakeReceiver()
  const notices = new FakeNotices()
  let opened = 0
  const shipping = shipBeside({
    openQueue: async () => {
      opened += 1
      return queue
    },
    openReceiver: async () => receiver,
    notices,
    random: () => 0,
    ...overrides,
  })
  const settle = async () => {
    for (let turn = 0; turn < 40; turn++) await setImmediate()
  }
  return {
    queue,
    receiver,
    notices,
    opened: () => opened,
    settle,
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= SECOND) {
        t.mock.timers.tick(Math.min(left, SECOND))
        await settle()
      }
    },
    /** Ends the run, and lets its last second pass if it takes it. */
    async end() {
      const ending = shipping[Symbol.asyncDispose]()
      await settle()
      t.mock.timers.tick(SECOND)
      await ending
      await settle()
    },
  }
}

suite('shipping beside a run', () => {
  test('begins after the first credential, and sends what comes a few seconds later', async (t) => {
    const world = open(t)
    world.queue.lines.push('a', 'b', 'c')
    await world.settle()
    assert.equal(world.opened(), 0)
    await world.pass(SECOND)
    assert.equal(world.receiver.has.join(''), 'abc')
    world.queue.lines.push('d')
    await world.pass(3 * SECOND)
    assert.equal(world.receiver.has.join(''), 'abcd')
    await world.end()
  })

  test('sends at the end what the run wrote last, and lets go of the log', async (t) => {
    const world = open(t)
    world.queue.lines.push('a', 'b', 'c')
    await world.end()
    assert.equal(world.receiver.has.join(''), 'abc')
    assert.ok(world.queue.isClosed)
    assert.deepEqual(world.notices.warnings, [])
  })

  test('sends what came while it was sending, before it ends', async (t) => {
    const world = open(t)
    world.queue.lines.push('a')
    let isFirst = true
    world.receiver.onSend = () => {
      if (isFirst) world.queue.lines.push('b')
      isFirst = false
    }
    await world.end()
    assert.equal(world.receiver.has.join(''), 'ab')
  })

  test('gives up at the end after a second, without a word', async (t) => {
    const world = open(t)
    world.queue.lines.push('a')
    world.receiver.isHanging = true
    await world.end()
    assert.deepEqual(world.receiver.has, [])
    assert.deepEqual(world.queue.failures, [])
    assert.deepEqual(world.notices.warnings, [])
  })

  test('ends after a second though what it needs to begin never comes', async (t) => {
    const { promise: never } = Promise.withResolvers<never>()
    const world = open(t, { openReceiver: () => never })
    world.queue.lines.push('a')
    await world.end()
  })

  test('tells of an outage once, and of its end', async (t) => {
    const world = open(t)
    world.queue.lines.push('a')
    world.receiver.faults = Array(5).fill(DOWN)
    await world.pass(MINUTE)
    assert.deepEqual(world.notices.warnings, [
      'the decision log is not shipped for now: it is down',
    ])
    assert.deepEqual(world.notices.hints, ['wait'])
    assert.deepEqual(world.notices.infos, ['the decision log is shipped again'])
    assert.deepEqual(world.receiver.has, ['a'])
    world.queue.lines.push('b')
    world.receiver.faults = [DOWN]
    await world.pass(MINUTE)
    assert.equal(world.notices.warnings.length, 2)
    await world.end()
  })

  test('tries ever more seldom during an outage, and every 5 minutes at last', async (t) => {
    const world = open(t)
    world.queue.lines.push('a')
    world.receiver.faults = Array(100).fill(DOWN)
    const tries: number[] = []
    for (const span of [SECOND, SECOND, 2 * SECOND, 4 * SECOND]) {
      await world.pass(span)
      tries.push(world.receiver.sends)
    }
    assert.deepEqual(tries, [1, 2, 3, 4])
    await world.pass(20 * MINUTE)
    const before = world.receiver.sends
    await world.pass(10 * MINUTE)
    assert.equal(world.receiver.sends - before, 2)
    await world.end()
  })

  test('tries seldom at once where somebody has to change something', async (t) => {
    const world = open(t)
    world.queue.lines.push('a')
    world.receiver.faults = [REFUSED]
    await world.pass(5 * MINUTE)
    assert.equal(world.receiver.sends, 1)
    await world.pass(2 * SECOND)
    assert.deepEqual(world.receiver.has, ['a'])
    await world.end()
  })

  test('takes its turn when the process that ships has ended', async (t) => {
    let isTaken = true
    const queue = new FakeShipQueue(['a'])
    const world = open(t, { openQueue: async () => (isTaken ? undefined : queue) })
    await world.pass(30 * SECOND)
    isTaken = false
    await world.pass(29 * SECOND)
    assert.deepEqual(world.receiver.has, [])
    await world.pass(5 * SECOND)
    assert.deepEqual(world.receiver.has, ['a'])
    await world.end()
    assert.deepEqual(world.notices.warnings, [])
  })

  test('waits for a log that is not there yet, without a word', async (t) => {
    const missing = new SentinelError('LOG_NOT_FOUND', 'there is no decision log')
    const world = open(t, { openQueue: () => Promise.reject(missing) })
    await world.pass(10 * SECOND)
    await world.end()
    assert.deepEqual(world.notices.warnings, [])
  })

  test('tells once of lines that the receiver let go', async (t) => {
    const world = open(t)
    world.queue.lines.push('a', 'b', 'c')
    world.receiver.dropping = { count: 1, why: 'older than 14 days' }
    await world.pass(10 * SECOND)
    assert.equal(world.notices.warnings.length, 1)
    assert.match(world.notices.warnings[0] ?? '', /: older than 14 days$/)
    assert.equal(world.queue.dropped, 2)
    await world.end()
  })

  test('costs nobody their command when it has a bug', async (t) => {
    const world = open(t)
    world.queue.fault = new TypeError('x is not a function')
    await world.pass(10 * SECOND)
    await world.end()
    assert.match(world.notices.warnings.join(), /ended by a bug: TypeError/)
  })
})
