import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openLogArchive } from '../../src/audit/archive.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { textOf } from './linked-log.ts'
import { makeLogPlace, readWholeLog } from './log-fixture.ts'
import { makeArchivePlace } from './open-archive.ts'
import { writeHistory } from './random-history.ts'
import { verifyLog } from './verify-log.ts'

suite('verifying what writers leave, whatever strikes them', () => {
  test('finds nothing wrong but what somebody did later, as the independent verifier does', async () => {
    const seeds = Array.from({ length: scaled(80) }, (_, index) => index + 1)
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
    await tamper(readWholeLog(place.path), seed)
  }
}

/** Whatever is done to such a log, no stray that the independent verifier finds may be passed over. */
async function tamper(text: string, seed: number): Promise<void> {
  using place = makeArchivePlace()
  const next = random(seed)
  const lines = text.split('\n').filter((line) => line !== '')
  const some = () => Math.floor(next() * lines.length)
  for (let turn = 0; turn < 10; turn++) {
    const [from, to] = [some(), some()]
    const edited = pick(next, [
      lines.toSpliced(from, 1),
      lines.toSpliced(from, 1 + Math.floor(next() * 5)),
      lines.with(from, lines[to]!).with(to, lines[from]!),
      lines.toSpliced(from, 0, lines[to]!),
      lines.toSpliced(from, 1).toSpliced(to, 0, lines[from]!),
      lines.with(from, lines[from]!.replace('host.example', 'host.exampel')),
    ])
    const isStray = (problem: string) => problem.endsWith('follows nothing')
    if (!verifyLog(edited.join('\n')).problems.some(isStray)) continue
    place.write(textOf(edited))
    const { problemCount } = await place.verify()
    assert.ok(problemCount > 0, `seed ${seed}, turn ${turn}\n${text}\n${edited.join('\n')}`)
  }
}
