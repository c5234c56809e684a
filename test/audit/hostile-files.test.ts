import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { link, originOf } from '../../src/audit/chain.ts'
import { Chains } from '../../src/audit/chains.ts'
import { hasCode } from '../../src/errors.ts'
import { random } from '../fixtures/random.ts'
import { LinkedLog, newStream } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { AT_EASE, makeArchivePlace } from './open-archive.ts'

const A = streamOf('a')
const B = streamOf('b')
const BODY = '"time":"2026-01-14T09:00:00.000Z","type":"issued","host":"h","pid":1'

const isUnreadable = (error: unknown) => hasCode(error, 'LOG_UNREADABLE')

suite('files that are made to wear a reader out', () => {
  test('are refused when a line has no end, packed or not', async () => {
    using place = makeArchivePlace()
    place.write(Buffer.alloc(20 * 1024 * 1024, '{'))
    await assert.rejects(place.verify(), isUnreadable)
    place.write(gzipSync(Buffer.alloc(64 * 1024 * 1024)))
    await assert.rejects(place.verify(), isUnreadable)
  })

  test('are read through when they are blank', async () => {
    using place = makeArchivePlace()
    const log = new LinkedLog()
    log.add(A, 'start')
    const blank = Buffer.alloc(32 * 1024 * 1024, '\n')
    place.write(gzipSync(Buffer.concat([blank, Buffer.from(log.text())])))
    const report = await place.verify()
    assert.equal(report.lines, 1)
    for await (const { at } of (await place.open()).records({}, AT_EASE)) {
      assert.equal(at.line, blank.length + 1)
    }
  })

  test('are refused when they are of more streams than any log is', () => {
    const next = random(1)
    const read = (type: string, most: { streams: number; open: number }) => {
      const chains = new Chains({ extent: 'whole', listener: {}, most })
      chains.begin('decisions.jsonl')
      for (let count = 0; count < 600; count++) {
        const stream = newStream(next)
        const { line } = link(BODY.replace('issued', type), stream, originOf(stream))
        chains.take({ bytes: Buffer.from(`${line}\n`), firstLine: count + 1 })
      }
    }
    read('stop', { streams: 600, open: 300 })
    assert.throws(() => read('stop', { streams: 500, open: 300 }), isUnreadable)
    assert.throws(() => read('issued', { streams: 600, open: 300 }), isUnreadable)
  })

  test('have no record in a line that is too long for one: it may be too deep to print', async () => {
    using place = makeArchivePlace()
    const deep = `${BODY},"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const long = link(deep, A, originOf(A))
    place.write(`${long.line}\n${link(BODY, A, long.head).line}\n`)
    const seen: number[] = []
    for await (const { record } of (await place.open()).records({}, AT_EASE)) seen.push(record.seq)
    assert.deepEqual(seen, [2])
    assert.equal((await place.verify()).problemCount, 1)
  })

  test('take no longer for naming a stream often, nor for what is taken back of it', async () => {
    using place = makeArchivePlace()
    const lines: string[] = []
    let head = originOf(A)
    let witness = originOf(B)
    for (let seq = 1; seq <= 20_000; seq++) {
      const own = link(BODY.replace('issued', 'recovered'), A, head)
      const named = { [A]: `${seq}:${'0'.repeat(64)}` }
      const other = link(BODY.replace('issued', 'witness'), B, witness, named)
      lines.push(own.line, other.line)
      head = own.head
      witness = other.head
    }
    place.write(`${lines.join('\n')}\n`)
    const { lines: count, streams } = await place.verify()
    assert.deepEqual({ count, streams }, { count: 40_000, streams: 2 })
  })
})
