import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, suite, test } from 'node:test'
import { within } from '../../src/app/within.ts'
import { settle, stopTimers } from '../fixtures/app/world.ts'

const late = () => new Error('late')

suite('within', () => {
  beforeEach(stopTimers)
  afterEach(() => mock.timers.reset())

  test('gives what comes in time', async () => {
    assert.equal(await within(10, Promise.resolve('done'), late), 'done')
    await assert.rejects(within(10, Promise.reject(new Error('broken')), late), /broken/)
  })

  test('rejects when it takes longer', async () => {
    const waiting = within(10, new Promise(() => {}), late)
    waiting.catch(() => {})
    mock.timers.tick(9)
    assert.equal(await Promise.race([waiting, settle().then(() => 'waiting')]), 'waiting')
    mock.timers.tick(1)
    await assert.rejects(waiting, /late/)
  })

  test('lets what fails after that fail in silence', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    const waiting = within(10, promise, late)
    waiting.catch(() => {})
    mock.timers.tick(10)
    const unhandled = mock.fn()
    process.on('unhandledRejection', unhandled)
    reject(new Error('broken, and nobody waits'))
    await settle()
    process.off('unhandledRejection', unhandled)
    await assert.rejects(waiting, /late/)
    assert.equal(unhandled.mock.callCount(), 0)
  })
})
