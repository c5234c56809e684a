import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ChainReport } from '../../src/ports/log-archive.ts'
import { LinkedLog, textOf } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { AT_EASE, makeArchivePlace } from './open-archive.ts'

const A = streamOf('a')
const B = streamOf('b')

/**
 * Two streams that take turns: lines 1, 3, 5, … of the file are those of `a`, 2, 4, 6, … those of
 * `b`; line 9 is a witness of `a`, and the last two are `stop`.
 */
function twoStreams(): LinkedLog {
  const log = new LinkedLog()
  for (const stream of [A, B]) log.add(stream, 'start')
  for (let count = 0; count < 3; count++) for (const stream of [A, B]) log.add(stream, 'issued')
  log.add(A, 'witness', { heads: log.headsBut(A) })
  for (let count = 0; count < 3; count++) for (const stream of [B, A]) log.add(stream, 'issued')
  for (const stream of [B, A]) log.add(stream, 'stop')
  return log
}

const LOG = twoStreams()
const LINES = LOG.lines.map(({ text }) => text)

async function verify(lines: readonly string[]): Promise<ChainReport> {
  using place = makeArchivePlace()
  place.write(textOf(lines))
  return await place.verify()
}

/** `12 edited`: where, and what; with the stream's line behind it. */
function inShort({ problems }: ChainReport): string[] {
  return problems.map(({ at, fault, stream, seq }) => {
    const where = at ? `${at.line} ` : ''
    return `${where}${fault}${stream ? ` ${stream[0]}${seq}` : ''}`
  })
}

suite('verifying a log', () => {
  test('tells what it holds', async () => {
    const report = await verify(LINES)
    assert.deepEqual(inShort(report), [])
    const last = (stream: string) => {
      const { seq, hash } = LOG.lines.findLast((line) => line.stream === stream)!
      return { seq, hash }
    }
    assert.partialDeepStrictEqual(report, {
      lines: LINES.length,
      streams: 2,
      annulled: 0,
      torn: 0,
      problemCount: 0,
      openCount: 0,
      open: [],
      hosts: ['laptop.example'],
      from: '2026-01-14T09:00:00.000Z',
    })
    assert.deepEqual(
      [...report.heads],
      [
        [B, last(B)],
        [A, last(A)],
      ],
    )
    assert.equal(report.root, undefined)
  })

  const change = (at: number, from: string | RegExp, to: string) => {
    const changed = LINES[at - 1]!.replace(from, to)
    assert.notEqual(changed, LINES[at - 1])
    return LINES.with(at - 1, changed)
  }
  const isOfB = (line: string) => line.startsWith(`{"v":1,"stream":"${B}"`)
  const FOREIGN = '"prev":"'.concat('0'.repeat(64), '"}')

  const edits: [what: string, lines: readonly string[], found: readonly string[]][] = [
    ['a changed line', change(5, 'prod', 'prof'), ['5 edited a3']],
    ['a first line that was changed', change(1, 'prod', 'prof'), ['1 edited a1']],
    ['a digit of its link', change(5, /"prev":"./, '"prev":"g'), ['5 edited a3']],
    ['a link to another line', change(5, /"prev":".*/, FOREIGN), ['3 edited a2', '5 edited a3']],
    ['its number', change(5, '"seq":3', '"seq":7'), ['5 edited a3']],
    ['its number, made smaller', change(11, '"seq":6', '"seq":1'), ['11 edited a6']],
    ['its stream', change(5, A, A.replace('a', 'c')), ['5 edited a3']],
    ['the stream of a first line', change(1, A, A.replace('a', 'c')), ['1 edited a1']],
    ['its version', change(5, '"v":1', '"v":7'), ['5 edited a3']],
    ['a field without which it has no place', change(5, '"seq":', '"sex":'), ['5 edited a3']],
    ['a line that is no JSON any more', change(5, '"type":"', '"type":'), ['5 torn a3']],
    ['the head that it names', change(9, '4:', '7:'), ['9 edited a5']],
    ['a character that nobody writes', change(17, 'prod', 'pr\x7fd'), ['17 edited a9']],
    ['a deleted line', LINES.toSpliced(4, 1), ['6 missing a4']],
    ['deleted lines of both streams', LINES.toSpliced(2, 4), ['3 missing a4', '4 missing b4']],
    ['a deleted beginning', LINES.slice(4), ['1 missing a3', '2 missing b3']],
    [
      'lines in each other’s place',
      LINES.with(4, LINES[6]!).with(6, LINES[4]!),
      ['5 reordered a4'],
    ],
    [
      'lines in each other’s place, at the end',
      LINES.with(-1, LINES.at(-3)!).with(-3, LINES.at(-1)!),
      ['15 reordered a9'],
    ],
    [
      'a line that comes late',
      LINES.toSpliced(13, 0, LINES[4]!).toSpliced(4, 1),
      ['6 reordered a4'],
    ],
    [
      'a line that comes early',
      LINES.toSpliced(12, 1).toSpliced(2, 0, LINES[12]!),
      ['3 reordered a7'],
    ],
    ['a line that is there twice', LINES.toSpliced(9, 0, LINES[4]!), ['10 reordered a3']],
    [
      'lines that are there twice',
      LINES.toSpliced(10, 0, ...LINES.slice(2, 6)),
      ['11 reordered a2', '12 reordered b2'],
    ],
    [
      'a line of another log',
      LINES.toSpliced(9, 0, LINES[4]!.replace(A, streamOf('x'))),
      ['10 foreign x3'],
    ],
    [
      'an invented line',
      LINES.toSpliced(4, 0, LINES[4]!.replace(/"prev":".*/, FOREIGN)),
      ['5 foreign a3'],
    ],
    [
      'another line in its place as well',
      LINES.toSpliced(5, 0, LINES[4]!.replace('prod', 'test')),
      ['6 foreign a3'],
    ],
    [
      'a newline in a line',
      LINES.toSpliced(4, 1, LINES[4]!.slice(0, 90), LINES[4]!.slice(90)),
      ['5 torn a3'],
    ],
    ['two lines in one', LINES.toSpliced(4, 2, LINES[4]! + LINES[5]!), ['5 torn a3']],
    ['a stream that is gone', LINES.filter((line) => !isOfB(line)), ['missing b4']],
    [
      'the end of a stream that another names',
      LINES.filter((line, at) => at < 6 || !isOfB(line)),
      ['missing b4'],
    ],
  ]
  for (const [what, lines, found] of edits) {
    test(`finds ${what}, and says once where`, async () => {
      const report = await verify(lines)
      assert.deepEqual(inShort(report), found)
      assert.equal(report.problemCount, found.length)
    })
  }

  test('finds each of many changes, lists the first thousand, and counts all', async () => {
    const log = new LinkedLog()
    for (let count = 0; count < 5000; count++) log.add(A, 'issued')
    const report = await verify(log.lines.map(({ text }, at) => (at % 2 ? `${text} ` : text)))
    // Behind the last one there is none that tells of it.
    assert.equal(report.problemCount, 2499)
    assert.equal(report.problems.length, 1000)
    assert.deepEqual(
      report.problems.map(({ at }) => at?.line),
      Array.from({ length: 1000 }, (_, at) => 2 + 2 * at),
    )
  })

  test('names every line of a file whose line ends were converted, and says so', async () => {
    const report = await verify(LINES.map((line) => `${line}\r`))
    assert.deepEqual(
      report.problems.map(({ at }) => at?.line),
      LINES.map((_, at) => at + 1),
    )
    for (const { fault, detail } of report.problems) {
      assert.equal(fault, 'edited')
      assert.equal(detail, 'it ends in a carriage return: the file was converted on its way')
    }
  })

  test('tells a stream without stop from one that was tampered with', async () => {
    const report = await verify(LINES.slice(0, -2))
    assert.equal(report.problemCount, 0)
    assert.equal(report.openCount, 2)
    const [first, second] = report.open
    assert.deepEqual([first?.head.stream, second?.head.stream], [B, A])
    assert.deepEqual(first?.last, {
      type: 'issued',
      time: '2026-01-14T09:00:00.013Z',
      host: 'laptop.example',
      pid: 4711,
      profile: 'prod',
    })
  })

  test('passes over blank lines, and over a last one that is not finished', async () => {
    using place = makeArchivePlace()
    place.write(`\n${LINES.slice(0, 8).join('\n\n')}\n${LINES[8]!}`)
    const report = await place.verify()
    assert.deepEqual(inShort(report), [])
    assert.equal(report.lines, 8)
  })

  test('takes a log without a line for sound', async () => {
    const report = await verify([])
    assert.partialDeepStrictEqual(report, { lines: 0, streams: 0, problemCount: 0 })
  })

  test('takes a part of a log for what it is, where that is said', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES.slice(4, -4)))
    const report = await place.verify({ extent: 'part' })
    assert.deepEqual(inShort(report), [])
    assert.equal(report.openCount, 2)

    place.write(textOf(LINES.slice(4, -4).toSpliced(5, 1)))
    assert.deepEqual(inShort(await place.verify({ extent: 'part' })), ['7 missing b6'])
  })

  test('stops reading when it is interrupted', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    await assert.rejects(place.verify({ signal: AbortSignal.abort() }), { code: 'INTERRUPTED' })
  })

  test('gives the root over all lines, and over the first of them, to whoever asks', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES.slice(0, 7)))
    const { root } = await place.verify({ withRoot: true })
    place.write(textOf(LINES))
    const report = await place.verify({ withRoot: true, rootAt: 7 })
    assert.match(root ?? '', /^[0-9a-f]{64}$/)
    assert.equal(report.earlierRoot, root)
    assert.notEqual(report.root, root)
    assert.equal((await place.verify({ rootAt: 1000 })).earlierRoot, undefined)
  })

  test('says what became of lines that others vouch for', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const archive = await place.open()
    const { seq, hash } = LOG.lines[6]!
    const claims = [
      ...LOG.claims(),
      { stream: A, seq, hash },
      { stream: A, hash: hash.slice(0, 32) },
      { stream: A, seq, hash: hash.slice(0, 32) },
      { stream: A, seq: seq + 1, hash },
      { stream: A, seq: 100, hash },
      { stream: A, hash: 'f'.repeat(32) },
      { stream: streamOf('c'), seq: 1, hash },
    ]
    const expected = [
      ...['present', 'present', 'present', 'present', 'present'],
      ...['different', 'absent', 'absent', 'absent'],
    ]
    assert.deepEqual(await archive.check(claims, AT_EASE), expected)
    await archive.verify({ extent: 'whole', ...AT_EASE })
    assert.deepEqual(await archive.check(claims, AT_EASE), expected)
  })
})
