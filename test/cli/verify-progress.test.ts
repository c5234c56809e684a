import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openVerifyProgress } from '../../src/cli/verify-progress.ts'

/** Progress on a clock that `at` sets, and what was shown and told. */
function open() {
  const shown: string[] = []
  const told: string[] = []
  let monotonic = 0
  const progress = openVerifyProgress({
    out: { progress: (text: string) => shown.push(text) } as never,
    clock: { now: () => ({ wall: 0, monotonic }) } as never,
    notices: { info: (text: string) => told.push(text) } as never,
  })
  return {
    ...progress,
    shown,
    told,
    at(milliseconds: number) {
      monotonic = milliseconds
    },
  }
}

suite('the progress of verifying', () => {
  test('is a bar, with how much is done and how fast', () => {
    const { onProgress, shown, at } = open()
    at(500)
    onProgress(25_000_000, 100_000_000)
    at(2000)
    onProgress(260_000_000, 260_000_000)
    assert.deepEqual(shown, [
      'verifying [######------------------]  25 %  50 MB/s',
      'verifying [########################] 100 %  130 MB/s',
    ])
  })

  test('changes no more often than a terminal should be written to', () => {
    const { onProgress, shown, at } = open()
    for (let time = 0; time < 1000; time += 10) {
      at(time)
      onProgress(time, 1000)
    }
    assert.equal(shown.length, 9)
  })

  test('goes on with what vouches for the log, and tells of what is gone', () => {
    const { anchors, shown, told } = open()
    anchors.onAnchor(100)
    anchors.onSession(3)
    anchors.onGone(1, 'a store')
    anchors.onGone(2, 'a store')
    assert.deepEqual(shown, ['100 anchors read', '3 sessions looked up'])
    assert.deepEqual(told, [
      'a store has no record any more of 1 session of the log',
      'a store has no record any more of 2 sessions of the log',
    ])
  })
})
