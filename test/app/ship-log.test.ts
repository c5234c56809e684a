import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { shipLog } from '../../src/app/ship-log.ts'
import { SentinelError } from '../../src/errors.ts'
import { FakeReceiver, FakeShipQueue } from '../fixtures/app/shipping.ts'

function ship(queue: FakeShipQueue | undefined, receiver: FakeReceiver, abort?: AbortController) {
  const progress: number[] = []
  const { signal } = abort ?? new AbortController()
  const pauses: number[] = []
  const shipping = shipLog(
    { openQueue: async () => queue, openReceiver: async () => receiver },
    {
      signal,
      onProgress: (lines) => progress.push(lines),
      pause: async () => {
        pauses.push(1)
        queue?.settle()
      },
    },
  )
  return { shipping, progress, pauses }
}

suite('shipping the log', () => {
  test('sends all there is, in order, a batch at a time', async () => {
    const queue = new FakeShipQueue(['a', 'b', 'c', 'd', 'e'])
    const receiver = new FakeReceiver()
    const { shipping, progress } = ship(queue, receiver)
    assert.deepEqual(await shipping, { lines: 5, dropped: 0, why: undefined })
    assert.equal(receiver.has.join(''), 'abcde')
    assert.deepEqual(progress, [2, 4, 5])
    assert.ok(queue.isClosed)
  })

  test('waits for a file that was just moved aside', async () => {
    const queue = new FakeShipQueue(['a'])
    queue.settling = ['b']
    const receiver = new FakeReceiver()
    const { shipping, pauses } = ship(queue, receiver)
    await shipping
    assert.equal(receiver.has.join(''), 'ab')
    assert.equal(pauses.length, 1)
  })

  test('counts what the receiver let go', async () => {
    const queue = new FakeShipQueue(['a', 'b', 'c'])
    const receiver = new FakeReceiver()
    receiver.dropping = { count: 1, why: 'too old' }
    assert.deepEqual(await ship(queue, receiver).shipping, { lines: 1, dropped: 2, why: 'too old' })
    assert.equal(queue.dropped, 2)
  })

  test('leaves it to another process', async () => {
    assert.equal(await ship(undefined, new FakeReceiver()).shipping, undefined)
  })

  test('keeps what was taken before a failure, and why it failed', async () => {
    const queue = new FakeShipQueue(['a', 'b', 'c'])
    const receiver = new FakeReceiver()
    receiver.faults = [undefined, new SentinelError('SHIPPING_FAILED', 'it is down')]
    await assert.rejects(ship(queue, receiver).shipping, { code: 'SHIPPING_FAILED' })
    assert.equal(queue.taking, 2)
    assert.deepEqual(queue.failures, ['it is down'])
    assert.ok(queue.isClosed)
  })

  test('is interrupted between two batches, and in one', async () => {
    const abort = new AbortController()
    const queue = new FakeShipQueue(['a', 'b', 'c'])
    const receiver = new FakeReceiver()
    receiver.onSend = () => abort.abort()
    await assert.rejects(ship(queue, receiver, abort).shipping, { code: 'INTERRUPTED' })
    assert.equal(queue.taking, 2)

    const again = new AbortController()
    receiver.onSend = () => {
      again.abort()
      throw new SentinelError('SHIPPING_FAILED', 'given up')
    }
    await assert.rejects(ship(queue, receiver, again).shipping, { code: 'INTERRUPTED' })
    assert.deepEqual(queue.failures, [])
  })
})
