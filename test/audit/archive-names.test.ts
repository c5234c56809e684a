import assert from 'node:assert/strict'
import { linkSync, renameSync, symlinkSync } from 'node:fs'
import { suite, test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { LinkedLog } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { type ArchivePlace, makeArchivePlace } from './open-archive.ts'

const OLD = 'decisions.jsonl.20260114T090000000Z'
const BEFORE_IT = 'decisions.jsonl.20200101T000000000Z'

/** A log of two files, each with a stream of its own. */
function writeTwoFiles(place: ArchivePlace): void {
  for (const [name, stream] of [
    [OLD, streamOf('a')],
    ['decisions.jsonl', streamOf('b')],
  ] as const) {
    const log = new LinkedLog()
    for (const type of ['start', 'issued', 'stop']) log.add(stream, type)
    place.write(log.text(), name)
  }
}

suite('the file that is written to, under a name of an older one', () => {
  for (const [what, make] of [
    ['symbolic', symlinkSync],
    ['hard', linkSync],
  ] as const) {
    test(`hides no file of the log (a ${what} link)`, async () => {
      using place = makeArchivePlace()
      writeTwoFiles(place)
      make(place.path(), place.path(BEFORE_IT))
      await assert.rejects(place.open(), (error) => {
        return hasCode(error, 'LOG_UNREADABLE') && error.message.includes(BEFORE_IT)
      })
    })
  }

  test('is read once, when it was moved there a moment ago', async () => {
    using place = makeArchivePlace()
    writeTwoFiles(place)
    const archive = await place.open()
    renameSync(place.path(), place.path('decisions.jsonl.20260115T090000000Z'))
    const report = await archive.verify({
      extent: 'whole',
      signal: new AbortController().signal,
    })
    assert.equal(report.lines, 6)
    assert.equal(report.problemCount, 0)
  })
})
