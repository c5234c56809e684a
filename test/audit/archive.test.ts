import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { rootOf } from '../../src/audit/inclusion.ts'
import type { LogArchive, RecordQuery } from '../../src/ports/log-archive.ts'
import { random } from '../fixtures/random.ts'
import { LinkedLog, randomLog, textOf } from './linked-log.ts'
import { streamOf } from './log-fixture.ts'
import { AT_EASE, makeArchivePlace } from './open-archive.ts'

const LOG = new LinkedLog()
for (let count = 0; count < 12; count++) LOG.add(streamOf(count % 2 ? 'a' : 'b'), 'issued')
const LINES = LOG.lines.map(({ text }) => text)
const [OLDEST, OLDER, NEWEST] = [LINES.slice(0, 4), LINES.slice(4, 7), LINES.slice(7)].map(textOf)

const FIRST = 'decisions.jsonl.20260114T090000123Z'
const SECOND = 'decisions.jsonl.20260115T090000000Z'

async function isWhole(archive: LogArchive): Promise<boolean> {
  const { lines, problemCount } = await archive.verify({ extent: 'whole', ...AT_EASE })
  return lines === LINES.length && problemCount === 0
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

async function recordsOf(archive: LogArchive, query: RecordQuery = {}): Promise<string[]> {
  const found = await all(archive.records(query, AT_EASE))
  return found.map(
    ({ record, at }) => `${record.stream[0]}${record.seq} ${basename(at.path)}:${at.line}`,
  )
}

suite('the files of a log', () => {
  test('are those that were moved aside, compressed or not, and the one that is written', async () => {
    using place = makeArchivePlace()
    place.write(gzipSync(OLDEST!), `${FIRST}.gz`)
    place.write(OLDER!, SECOND)
    place.write(NEWEST!)
    for (const beside of ['lock', 'ship.json', '20260199T090000000Z', 'bak', `${SECOND}.gz.part`]) {
      place.write('none of it', `decisions.jsonl.${beside}`)
    }
    const archive = await place.open()
    assert.deepEqual(
      archive.files.map(({ path, isCompressed }) => [path, isCompressed]),
      [
        [place.path(`${FIRST}.gz`), true],
        [place.path(SECOND), false],
        [place.path(), false],
      ],
    )
    assert.ok(await isWhole(archive))
  })

  test('count once, while one is being compressed: the one that is surely whole', async () => {
    using place = makeArchivePlace()
    place.write(OLDEST! + OLDER!, FIRST)
    place.write(gzipSync(OLDEST!).subarray(0, 20), `${FIRST}.gz`)
    place.write(NEWEST!)
    assert.ok(await isWhole(await place.open()))
  })

  test('are a log still, when nobody has written since the last was moved aside', async () => {
    using place = makeArchivePlace()
    place.write(OLDEST! + OLDER!, FIRST)
    place.write(NEWEST!, SECOND)
    assert.ok(await isWhole(await place.open()))
  })

  test('stay one log, when they are moved and compressed between the listing and the reading', async () => {
    using place = makeArchivePlace()
    place.write(OLDEST!, FIRST)
    place.write(OLDER! + NEWEST!)
    const archive = await place.open()
    rmSync(place.path(FIRST))
    place.write(gzipSync(OLDEST!), `${FIRST}.gz`)
    renameSync(place.path(), place.path(SECOND))
    assert.ok(await isWhole(archive))
  })

  test('are brought into their order, when a pattern of a shell named them', async () => {
    using place = makeArchivePlace()
    place.write(NEWEST!)
    place.write('', 'decisions.jsonl.lock')
    place.write(OLDEST!, FIRST)
    place.write(gzipSync(OLDEST!).subarray(0, 20), `${FIRST}.gz`)
    place.write(gzipSync(OLDER!), `${SECOND}.gz`)
    const names = [
      '',
      '.lock',
      `${FIRST.slice(15)}`,
      `${FIRST.slice(15)}.gz`,
      `${SECOND.slice(15)}.gz`,
    ]
    const archive = await place.open(...names.map((name) => `decisions.jsonl${name}`))
    assert.ok(await isWhole(archive))
    assert.equal(archive.files.length, 3)
  })

  test('are those that somebody named, in that order, whatever they are called', async () => {
    using place = makeArchivePlace()
    place.write(OLDEST! + OLDER!, 'z.txt')
    place.write(gzipSync(NEWEST!), 'a.copy')
    symlinkSync(place.path('a.copy'), place.path('link'))
    assert.ok(await isWhole(await place.open('z.txt', 'link')))
  })

  test('may be read though others could change them', async () => {
    using place = makeArchivePlace()
    chmodSync(place.write(textOf(LINES)), 0o666)
    assert.ok(await isWhole(await place.open()))
  })

  test('are asked for, where there are none', async () => {
    using place = makeArchivePlace()
    await assert.rejects(place.open(), {
      code: 'LOG_NOT_FOUND',
      message: `there is no decision log at ${place.path()}`,
      hint: /--log-file/,
    })
    await assert.rejects(place.open('other.jsonl'), { code: 'LOG_NOT_FOUND' })
  })

  const strange: [what: string, content: string | Buffer][] = [
    ['a text', 'root:x:0:0:root:/root:/bin/sh\n'],
    ['JSON of another kind', '{"users":[]}\n'],
    ['a file without lines', 'x'.repeat(1000)],
    ['binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x0a, 1, 2, 3, 0x0a])],
    [
      'a log that was packed by something else',
      Buffer.concat([Buffer.from('BZh9'), gzipSync('x')]),
    ],
  ]
  for (const [what, content] of strange) {
    test(`are no log, when they are ${what}`, async () => {
      using place = makeArchivePlace()
      place.write(content)
      place.write(textOf(LINES), 'more.jsonl')
      // The last line of the last file may not be finished, whatever it is.
      const archive = await place.open('decisions.jsonl', 'more.jsonl')
      await assert.rejects(isWhole(archive), {
        code: 'LOG_UNREADABLE',
        message: `${place.path()} cannot be read: it is no decision log`,
      })
      await assert.rejects(recordsOf(archive), { code: 'LOG_UNREADABLE' })
    })
  }

  test('are not read beyond a damage of what compressed them', async () => {
    using place = makeArchivePlace()
    const packed = gzipSync(textOf(LINES))
    for (const damaged of [
      packed.subarray(0, -12),
      Buffer.concat([packed.subarray(0, 60), packed.subarray(80)]),
    ]) {
      place.write(damaged, `${FIRST}.gz`)
      await assert.rejects(isWhole(await place.open()), {
        code: 'LOG_UNREADABLE',
        message: /Z\.gz cannot be read: it is damaged \(/,
      })
    }
  })

  test('are regular files, which whoever reads may read', async () => {
    using place = makeArchivePlace()
    mkdirSync(place.path())
    await assert.rejects(place.open(), { code: 'LOG_UNREADABLE', message: /not a regular file/ })
    if (process.getuid?.() === 0) return
    chmodSync(place.write(textOf(LINES), 'secret'), 0)
    await assert.rejects(place.open('secret'), { code: 'LOG_UNREADABLE', message: /EACCES/ })
  })

  test('of a later version are left to those who know it', async () => {
    using place = makeArchivePlace()
    const later = LINES.map((line) => line.replace('"v":1', '"v":2'))
    place.write(textOf(later))
    const archive = await place.open()
    const refusal = {
      code: 'LOG_UNREADABLE',
      message: `${place.path()} has records of a later version than this sentinel knows (1)`,
      hint: 'read it with the newer sentinel that wrote it; was there none, ask: sentinel audit verify',
    }
    await assert.rejects(isWhole(archive), refusal)
    await assert.rejects(recordsOf(archive), refusal)
  })
})

suite('the records of a log', () => {
  test('come in the order of their lines, with the file and the line of each', async () => {
    using place = makeArchivePlace()
    place.write(`\n${OLDEST}torn\n`, FIRST)
    place.write(NEWEST!)
    assert.deepEqual(await recordsOf(await place.open()), [
      ...['b1', 'a1', 'b2', 'a2'].map((line, index) => `${line} ${FIRST}:${index + 2}`),
      ...['a4', 'b5', 'a5', 'b6', 'a6'].map(
        (line, index) => `${line} decisions.jsonl:${index + 1}`,
      ),
    ])
  })

  test('are those alone whose lines hold all texts that were asked for', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const archive = await place.open()
    const some = await recordsOf(archive, { containing: ['"seq":3', streamOf('a')] })
    assert.deepEqual(some, ['a3 decisions.jsonl:6'])
    assert.deepEqual(await recordsOf(archive, { containing: ['nowhere'] }), [])
  })

  test('keep fields and types that nobody knows yet, and are none with a field that cannot be', async () => {
    using place = makeArchivePlace()
    const line = LINES[0]!
    place.write(
      textOf([
        line.replace('"host"', '"since":{"a":[1]},"host"').replace('issued', 'dreamt'),
        line.replace('"pid":4711', '"pid":"4711"'),
        line.replace('"host"', '"user":7,"host"'),
        line.replace('"host"', '"policy":null,"host"'),
        line.replace('"time"', '"tame"'),
        line.replace('"seq":1', '"seq":1.5'),
        '[]',
        '7',
        'null',
      ]),
    )
    const archive = await place.open()
    const records = await all(archive.records({}, AT_EASE))
    assert.equal(records.length, 1)
    assert.partialDeepStrictEqual(records[0]?.record, { type: 'dreamt', since: { a: [1] } })
  })

  test('are followed as they are written, into the next file and the one after it', async () => {
    using place = makeArchivePlace()
    const live = place.write(OLDEST!)
    const found: string[] = []
    const enough = new AbortController()
    let isCaughtUp = false
    const { promise, resolve } = Promise.withResolvers<void>()
    const following = (async () => {
      const archive = await place.open()
      const follow = {
        onCaughtUp: () => {
          isCaughtUp = true
          resolve()
        },
      }
      for await (const { record } of archive.records({ follow }, { signal: enough.signal })) {
        found.push(`${record.stream[0]}${record.seq}`)
        if (found.length === LINES.length) enough.abort()
      }
    })()
    await promise
    assert.ok(isCaughtUp)
    assert.deepEqual(found, ['b1', 'a1', 'b2', 'a2'])

    const half = OLDER!.length / 2
    appendFileSync(live, OLDER!.slice(0, half))
    renameSync(live, place.path(FIRST))
    appendFileSync(place.path(FIRST), OLDER!.slice(half))
    place.write(textOf(LINES.slice(7, 9)), SECOND)
    place.write(textOf(LINES.slice(9)))
    await following
    assert.deepEqual(
      found,
      LOG.lines.map(({ stream, seq }) => `${stream[0]}${seq}`),
    )
  })

  test('end where reading is interrupted, and following quietly', async () => {
    using place = makeArchivePlace()
    place.write(textOf(LINES))
    const archive = await place.open()
    const signal = AbortSignal.abort()
    await assert.rejects(all(archive.records({}, { signal })), { code: 'INTERRUPTED' })
    assert.deepEqual(await all(archive.records({ follow: {} }, { signal })), [])
  })
})

suite('the path of a line of a log', () => {
  test('leads to the root, from each line of logs of every length, whole or a part', async () => {
    using place = makeArchivePlace()
    const log = randomLog(random(7))
    const lines = log.lines.map(({ text }) => text)
    for (let length = 1; length <= lines.length; length++) {
      place.write(textOf(lines.slice(0, length)))
      const archive = await place.open()
      const { root } = await archive.verify({ extent: 'whole', withRoot: true, ...AT_EASE })
      for (let line = 1; line <= length; line++) {
        const path = await archive.prove({ path: place.path(), line }, AT_EASE)
        assert.ok(path)
        assert.deepEqual([path.line, path.index, path.lines], [lines[line - 1], line - 1, length])
        assert.equal(path.root, root)
        assert.equal(rootOf(path), root)
      }
    }
  })

  test('may end at a root over fewer lines, and is none for a line that is not there', async () => {
    using place = makeArchivePlace()
    place.write(`${OLDEST!}\n${OLDER!}`, FIRST)
    place.write(NEWEST!)
    const archive = await place.open()
    const { earlierRoot } = await archive.verify({ extent: 'whole', rootAt: 9, ...AT_EASE })
    const at = (line: number, path = place.path()) => ({ path, line })
    const path = await archive.prove(at(2), { ...AT_EASE, lines: 9 })
    assert.partialDeepStrictEqual(path, { line: LINES[8], index: 8, lines: 9, root: earlierRoot })
    assert.equal(await archive.prove(at(3), { ...AT_EASE, lines: 9 }), undefined)
    assert.equal(await archive.prove(at(1), { ...AT_EASE, lines: 99 }), undefined)
    assert.equal(await archive.prove(at(5, place.path(FIRST)), AT_EASE), undefined)
    assert.equal((await archive.prove(at(6, place.path(FIRST)), AT_EASE))?.index, 4)
    assert.equal(await archive.prove(at(99), AT_EASE), undefined)
  })
})
