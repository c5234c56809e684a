import assert from 'node:assert/strict'
import { mock, suite, test } from 'node:test'
import { untilAborted } from '../../src/app/until-aborted.ts'
import { settle } from '../fixtures/app/world.ts'

const late = new Error('late')

suite('untilAborted', () => {
  test('gives what comes in time', async () => {
    const { signal } = new AbortController()
    assert.equal(await untilAborted(signal, Promise.resolve('done')), 'done')
    await assert.rejects(untilAborted(signal, Promise.reject(new Error('broken'))), /broken/)
  })

  test('rejects with the reason of the signal, whatever the work does about it', async () => {
    const ending = new AbortController()
    const waiting = untilAborted(ending.signal, new Promise(() => {}))
    ending.abort(late)
    await assert.rejects(waiting, late)
    await assert.rejects(untilAborted(ending.signal, new Promise(() => {})), late)
  })

  test('gives what was there already when the signal aborts', async () => {
    assert.equal(await untilAborted(AbortSignal.abort(late), Promise.resolve('done')), 'done')
  })

  test('lets what fails after that fail in silence', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    await assert.rejects(untilAborted(AbortSignal.abort(late), promise), late)
    const unhandled = mock.fn()
    process.on('unhandledRejection', unhandled)
    reject(new Error('broken, and nobody waits'))
    await settle()
    process.off('unhandledRejection', unhandled)
    assert.equal(unhandled.mock.callCount(), 0)
  })
})
