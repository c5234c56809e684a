import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { compressRotated } from '../../src/audit/compress-rotated.ts'
import { diskFiles, type LogFile, type LogFiles } from '../../src/audit/log-file.ts'
import { tryLock } from '../../src/audit/process-lock.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { type Fault, faultyFiles } from './faulty-files.ts'
import { streamOf } from './log-fixture.ts'

const NOW = Date.parse('2026-01-16T12:00:00Z')
const uid = process.getuid?.()

const first = '20260114T090000000Z'
const second = '20260115T090000000Z'
const third = '20260116T090000000Z'

suite('a log file that was moved aside', () => {
  test('is compressed once it has not been written to for a day', async () => {
    using place = makePlace()
    const text = place.rotated(first, { restMs: 24 * HOUR })
    place.rotated(second, { restMs: 24 * HOUR - MINUTE })
    writeFileSync(place.path, 'live\n', { mode: 0o600 })

    await place.compress()

    assert.deepEqual(place.names(), ['', `.${first}.gz`, `.${second}`])
    assert.equal(place.expand(first), text)
    assert.equal(statSync(`${place.path}.${first}.gz`).mode & 0o777, 0o600)
  })

  test('is compressed in its turn, the oldest first', async () => {
    using place = makePlace()
    for (const stamp of [second, first, third]) place.rotated(stamp)
    const made: string[] = []
    const files = diskFiles(uid)
    const create = (path: string) => {
      made.push(path.slice(place.path.length + 1))
      return files.create(path)
    }

    await place.compress({ files: { ...files, create } })

    assert.deepEqual(
      made,
      [first, second, third].map((stamp) => `${stamp}.gz.${streamOf('a')}.tmp`),
    )
  })

  test('takes the place of what was copied of it before, and of nothing else', async () => {
    using place = makePlace()
    const text = place.rotated(first)
    const other = place.rotated(second)
    const copied = text.slice(0, -5)
    writeFileSync(`${place.path}.${first}.gz`, gzipSync(copied), { mode: 0o600 })
    writeFileSync(`${place.path}.${second}.gz`, gzipSync('of somebody else\n'), { mode: 0o600 })

    await assert.rejects(place.compress(), /holds something else/)

    assert.equal(place.expand(first), text)
    assert.equal(place.expand(second), 'of somebody else\n')
    assert.equal(readFileSync(`${place.path}.${second}`, 'latin1'), other)
    assert.ok(!existsSync(`${place.path}.${first}`))
  })

  test('is left alone while another process compresses', async () => {
    using place = makePlace()
    place.rotated(first)
    using _held = tryLock(`${place.path}.compress.lock`, { uid })
    await place.compress()

    assert.ok(existsSync(`${place.path}.${first}`))
  })

  test('stays when the names do not come free, until the next pass', async () => {
    using place = makePlace()
    const text = place.rotated(first)
    {
      using _held = tryLock(`${place.path}.lock`, { uid })
      await place.compress()
    }
    assert.deepEqual(place.names(), [`.${first}`])
    await place.compress()

    assert.equal(place.expand(first), text)
  })

  test('does not keep others from being moved aside while it is compressed', async () => {
    using place = makePlace()
    place.rotated(first)
    let isFree = false
    const files = onRead(() => {
      using lock = tryLock(`${place.path}.lock`, { uid })
      isFree = lock !== undefined
    })
    await place.compress({ files })

    assert.equal(isFree, true)
    assert.ok(existsSync(`${place.path}.${first}.gz`))
  })

  test('stays when it was written to meanwhile', async () => {
    using place = makePlace()
    const text = place.rotated(first)
    let isWritten = false
    const files = onRead(() => {
      if (!isWritten) appendFileSync(`${place.path}.${first}`, 'late\n')
      isWritten = true
    })
    await place.compress({ files })

    assert.deepEqual(place.names(), [`.${first}`])
    assert.equal(readFileSync(`${place.path}.${first}`, 'latin1'), `${text}late\n`)
  })

  test('loses no line that is written in the last moment before its name is gone', async () => {
    using place = makePlace()
    const text = place.rotated(first)
    const files = diskFiles(uid)
    const remove = async (path: string) => {
      if (path.endsWith('Z')) appendFileSync(path, 'late\n')
      await files.remove(path)
    }
    await place.compress({ files: { ...files, remove } })

    assert.deepEqual(place.names(), [`.${first}.gz`])
    assert.equal(place.expand(first), `${text}late\n`)
  })

  test('takes the place of a copy that a killed process left beside it', async () => {
    using place = makePlace()
    const text = place.rotated(first)
    writeFileSync(`${place.path}.${first}.gz`, gzipSync(text), { mode: 0o600 })
    await place.compress()

    assert.equal(place.expand(first), text)
    assert.ok(!existsSync(`${place.path}.${first}`))
  })

  test('does not leave what killed processes left, and takes nothing else for that', async () => {
    using place = makePlace()
    const names = [
      `.${first}.gz.${streamOf('b')}.tmp`,
      `.${first}.${streamOf('b')}.tmp`,
      `.gz.${streamOf('b')}.tmp`,
      `.${first}.gz.tmp`,
      `.${first}.gz.${streamOf('b')}.tmp.kept`,
      '.ship.json',
    ]
    for (const name of names) writeFileSync(`${place.path}${name}`, '')
    await place.compress()

    assert.deepEqual(place.names(), [...names.slice(1)].toSorted())
  })

  test('stays when its copy does not read back as it was written', async () => {
    using place = makePlace()
    place.rotated(first)
    const spoils: ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.with(bytes.length - 6, (bytes.at(-6) ?? 0) ^ 1),
      (bytes) => bytes.with(bytes.length >> 1, (bytes.at(bytes.length >> 1) ?? 0) ^ 1),
      (bytes) => bytes.subarray(0, -1),
      (bytes) => (bytes.length > 100 ? new Uint8Array() : bytes),
    ]
    for (const spoil of spoils) {
      const files = onCreated((file) => ({
        ...file,
        write: async (bytes) => {
          await file.write(spoil(bytes))
          return bytes.length
        },
      }))
      await assert.rejects(place.compress({ files }), {
        code: 'LOG_UNAVAILABLE',
        message: `the compressed copy of ${place.path}.${first} does not read back as it was written`,
      })
      assert.deepEqual(place.names(), [`.${first}`])
    }
  })

  test('that may not be trusted is told of, and does not hold up the others', async () => {
    using place = makePlace()
    place.rotated(first)
    chmodSync(`${place.path}.${first}`, 0o644)
    const text = place.rotated(second)

    await assert.rejects(place.compress(), { code: 'FILE_UNTRUSTED' })

    assert.ok(existsSync(`${place.path}.${first}`))
    assert.equal(place.expand(second), text)
  })

  test('stays when the process ends meanwhile, without a trace', async () => {
    using place = makePlace()
    place.rotated(first)
    const ending = new AbortController()
    const files = onRead(() => ending.abort())
    await assert.rejects(place.compress({ files, signal: ending.signal }), { name: 'AbortError' })

    assert.deepEqual(place.names(), [`.${first}`])
  })

  for (const fault of ['ENOSPC', 'EIO', 'half', 'written, then EIO', 'lost at sync'] as const) {
    test(`outlives a fault of any call: ${fault}`, () => outlivesFaults(fault))
  }
})

/** Whatever fails, the text is there; and nothing more fails the next pass. */
async function outlivesFaults(fault: Fault): Promise<void> {
  for (let struck = 1; ; struck++) {
    using place = makePlace()
    const text = place.rotated(first)
    const files = faultyFiles(fault, (call) => call === struck)
    let isTold = false
    await place.compress({ files }).catch((error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error, String(error))
      isTold = true
    })
    if (files.calls < struck) {
      assert.equal(place.expand(first), text)
      return
    }
    const about = `call ${struck}: ${place.names()}`
    const original = `${place.path}.${first}`
    const kept = existsSync(original) ? readFileSync(original, 'latin1') : place.expand(first)
    assert.equal(kept, text, about)
    assert.ok(isTold || fault === 'half', about)

    await place.compress()
    assert.deepEqual(place.names(), [`.${first}.gz`], about)
    assert.equal(place.expand(first), text, about)
  }
}

function makePlace() {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-compress-'))
  const path = join(directory.path, 'decisions.jsonl')
  return {
    path,
    /** Makes a file that was moved aside, and resolves to its text. */
    rotated(stamp: string, { restMs = 25 * HOUR } = {}): string {
      const lines = Array.from({ length: 3000 }, (_, at) => `${stamp} ${(at * 7919) % 1009}\n`)
      const text = lines.join('')
      const file = `${path}.${stamp}`
      writeFileSync(file, text, { mode: 0o600 })
      const modified = (NOW - restMs) / 1000
      utimesSync(file, modified, modified)
      return text
    },
    compress: (given: { files?: LogFiles; signal?: AbortSignal } = {}) =>
      compressRotated({
        ...{ path, stream: streamOf('a'), now: () => NOW, files: diskFiles(uid) },
        ...{ signal: new AbortController().signal, ...given },
      }),
    expand: (stamp: string) => gunzipSync(readFileSync(`${path}.${stamp}.gz`)).toString('latin1'),
    /** What follows the log's name in the names of its directory, but for the locks. */
    names: () =>
      readdirSync(dirname(path))
        .map((name) => name.slice(basename(path).length))
        .filter((name) => !name.endsWith('.lock'))
        .toSorted(),
    [Symbol.dispose]: () => directory.remove(),
  }
}

/** The real file system, which calls `note` before each read of a file that was moved aside. */
function onRead(note: () => void): LogFiles {
  const files = diskFiles(uid)
  return {
    ...files,
    async openRotated(path) {
      const file = await files.openRotated(path)
      const read = (position: number, length: number) => {
        note()
        return file.read(position, length)
      }
      return { ...file, read }
    },
  }
}

function onCreated(wrap: (file: LogFile) => LogFile): LogFiles {
  const files = diskFiles(uid)
  return { ...files, create: async (path) => wrap(await files.create(path)) }
}
