import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { launch, lifeCommand, signalCounter } from '../fixtures/child/drive.ts'

const root = mkdtempSync(join(tmpdir(), 'run-child-'))
after(() => rmSync(root, { recursive: true }))

/** One that does nothing when it is told to end. */
const DEAF = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done']

suite('a child that is stopped from our side', { concurrency: 4 }, () => {
  test('gets one TERM, and its own end counts', async () => {
    const directory = mkdtempSync(join(root, 'once-'))
    const options = { directory, stop: 'when told' } as const
    const life = launch(lifeCommand(options, signalCounter('SIGTERM')))
    await life.saw(/ready/)

    writeFileSync(join(directory, 'stop'), '')

    assert.deepEqual(await life.ended, { status: 7, signal: null })
    assert.equal(life.output().split('got SIGTERM').length - 1, 1)
    assert.match(life.output(), /closed/)
  })

  test('is killed when that has not been enough', async () => {
    const directory = mkdtempSync(join(root, 'deaf-'))
    const options = { directory, stop: 'when told', killAfterMs: 100 } as const
    const life = launch(lifeCommand(options, DEAF))
    await life.saw(/ready/)

    writeFileSync(join(directory, 'stop'), '')

    assert.deepEqual(await life.ended, { status: 137, signal: null })
    assert.match(life.output(), /closed/)
  })

  test('is not started when it is too late for that', async () => {
    const options = { directory: root, stop: 'before the start' } as const
    const life = launch(lifeCommand(options, ['echo', 'started']))

    assert.deepEqual(await life.ended, { status: null, signal: 'SIGTERM' })
    assert.doesNotMatch(life.output(), /started/)
  })
})
