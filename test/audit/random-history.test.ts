import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openLogArchive } from '../../src/audit/archive.ts'
import { random, scaled } from '../fixtures/random.ts'
import { makeLogPlace, readWholeLog } from './log-fixture.ts'
import { writeHistory } from './random-history.ts'

suite('verifying what writers leave, whatever strikes them', () => {
  test('finds nothing wrong, as the independent verifier does, and the same chains', async () => {
    const seeds = Array.from({ length: scaled(120) }, (_, index) => index + 1)
    // A writer mostly waits for the disk: so several at a time.
    await Promise.all(Array.from({ length: 12 }, () => judgeAll(seeds)))
  })
})

async function judgeAll(seeds: number[]): Promise<void> {
  for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
    using place = makeLogPlace()
    await writeHistory(place, random(seed))
    if (!existsSync(place.path)) continue
    const about = `seed ${seed}\n${readWholeLog(place.path)}`

    const archive = await openLogArchive({ live: place.path })
    const report = await archive.verify({ extent: 'whole', signal: new AbortController().signal })
    const { problems, streams } = place.verify()

    assert.deepEqual(problems, [], about)
    assert.deepEqual(report.problems, [], about)
    assert.equal(report.problemCount, 0, about)
    const lengths = new Map([...streams].map(([stream, chain]) => [stream, chain.length]))
    const heads = new Map([...report.heads].map(([stream, { seq }]) => [stream, seq]))
    assert.deepEqual(heads, lengths, about)
  }
}
