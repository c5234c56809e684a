import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { suite, test } from 'node:test'
import type { DecisionLogOptions } from '../../src/audit/file-decision-log.ts'
import { diskFiles, type LogFiles } from '../../src/audit/log-file.ts'
import { tryLock } from '../../src/audit/process-lock.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import {
  issued,
  type LogPlace,
  makeLogPlace,
  manualClock,
  requestIds,
  streamOf,
} from './log-fixture.ts'
import { manualTimers } from './manual-timers.ts'
import { verifyLog } from './verify-log.ts'
import { onWrite } from './wrapped-files.ts'

const DAY = 24 * HOUR
const NEVER = 1000 * DAY
const uid = process.getuid?.()

/** From the first record on, a file is full. */
const tiny = { maxBytes: 1, maxAgeMs: NEVER }

suite('a log file that is full', () => {
  test('is moved aside, and the stream goes on in the next', async () => {
    using place = makeLogPlace()
    const log = await place.open({ limits: { maxBytes: 1000, maxAgeMs: NEVER } })
    for (let count = 1; count <= 10; count++) await log.append(issued(`r${count}`))
    await log[Symbol.asyncDispose]()

    const { problems, unreadable, annulled } = place.verify()
    assert.deepEqual(
      { problems, unreadable, annulled },
      { problems: [], unreadable: [], annulled: [] },
    )
    assert.deepEqual(
      requestIds(place.verify()),
      Array.from({ length: 10 }, (_, at) => `r${at + 1}`),
    )
    assert.ok(place.rotated().length >= 2)
    for (const path of place.rotated()) {
      const { size, mode } = statSync(path)
      // It was full when it was left, and was not before its last line.
      assert.ok(size >= 1000 && size < 2000, `${path}: ${size}`)
      assert.equal(mode & 0o777, 0o600)
    }
    assert.match(
      place.text(),
      /^\{"v":1,.*"type":"start","reason":"the log file was full: the stream/,
    )
  })

  test('is named for the time, and later than any before it', async () => {
    using place = makeLogPlace()
    const before = `${place.path}.20260114T090000500Z.gz`
    writeFileSync(before, '', { mode: 0o600 })
    const clock = manualClock()
    const log = await place.open({ clock, limits: tiny })
    for (const id of ['r1', 'r2', 'r3']) await log.append(issued(id))
    clock.advance(2 * SECOND)
    await log.append(issued('r4'))
    await log[Symbol.asyncDispose]()

    assert.deepEqual(
      place.rotated().map((path) => path.slice(place.path.length)),
      [
        '.20260114T090000500Z.gz',
        '.20260114T090000501Z',
        '.20260114T090000502Z',
        '.20260114T090002000Z',
      ],
    )
    assert.equal(readFileSync(before, 'latin1'), '')
  })

  test('is moved by a run that only begins, and every stream of it is named in the next', async () => {
    using place = makeLogPlace()
    for (const stream of ['b', 'c']) {
      await using log = await place.open({ stream: streamOf(stream) })
      await log.append({ type: 'start' })
    }
    {
      await using log = await place.open({ limits: tiny })
      await log.append({ type: 'start' })
    }
    const [full = ''] = place.rotated()
    assert.deepEqual(headsOf(place), [streamOf('b'), streamOf('c')])

    assert.deepEqual(place.verify().problems, [])
    cutStream(full, streamOf('b'))
    assert.match(place.verify().problems.join(), /no line 1:[0-9a-f]{64} of b7/)
  })

  test('leaves nobody unnamed who wrote to it last, whoever moves it', async () => {
    using place = makeLogPlace()
    await using witness = await place.open({ stream: streamOf('b') })
    await witness.append({ type: 'start' })
    {
      await using log = await place.open({ stream: streamOf('c') })
      await log.append({ type: 'start' })
    }
    await using mover = await place.open({ stream: streamOf('d'), limits: tiny })
    await mover.append({ type: 'start' })
    await witness.append(issued('r1'))

    const [, start] = place.verify().streams.get(streamOf('b'))!
    assert.equal(start?.reason, 'the log file was moved or deleted: the stream goes on here')
    assert.deepEqual(Object.keys(start?.heads ?? {}).toSorted(), [streamOf('c'), streamOf('d')])
  })

  test('is named by the next run, when whoever moved it was killed before it wrote', async () => {
    using place = makeLogPlace()
    {
      await using log = await place.open({ stream: streamOf('b') })
      await log.append({ type: 'start' })
    }
    renameSync(place.path, `${place.path}.20260114T090000000Z`)
    await using log = await place.open({ limits: tiny })
    await log.append({ type: 'start' })

    assert.deepEqual(headsOf(place), [streamOf('b')])
    assert.deepEqual(place.verify().problems, [])
  })

  test('takes the lines of a writer that looked at the path just before', async () => {
    using place = makeLogPlace()
    const mover = await place.open({ stream: streamOf('b'), limits: tiny })
    await mover.append({ type: 'start' })
    let writes = 0
    const files = onWrite(async (write) => {
      if (writes++ === 1) await mover.append(issued('other'))
      return write()
    })
    const log = await place.open({ files })
    for (const id of ['r1', 'r2', 'r3']) await log.append(issued(id))
    for (const each of [log, mover]) await each[Symbol.asyncDispose]()

    const rotated = place
      .rotated()
      .map((path) => readFileSync(path, 'latin1'))
      .join('')
    assert.match(rotated, /"request_id":"r2"/)
    assert.match(place.text(), /"request_id":"r3"/)
    const { problems, streams } = place.verify()
    assert.deepEqual(problems, [])
    assert.deepEqual(
      streams.get(log.stream)?.map(({ type }) => type),
      ['issued', 'issued', 'start', 'issued'],
    )
  })

  test('stays until its torn end is closed', async () => {
    using place = makeLogPlace()
    await using log = await place.open({ limits: tiny })
    await log.append(issued('r1'))
    appendFileSync(place.path, '{"v":1,"stream":"b7777')
    await log.append(issued('r2'))

    assert.deepEqual(place.rotated(), [])
    assert.match(place.text(), /^.*\n\{"v":1,"stream":"b7777\n.*"type":"recovered"/)
    await log.append(issued('r3'))
    assert.equal(place.rotated().length, 1)
    assert.deepEqual(place.verify().problems, [])
  })

  test('may be left in trouble: what was written in vain stays annulled', async () => {
    using place = makeLogPlace()
    let isBroken = false
    const files = onWrite(async (write) => {
      const taken = await write()
      if (isBroken) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      return taken
    })
    const log = await place.open({ files })
    await log.append(issued('r1'))
    isBroken = true
    await assert.rejects(log.append(issued('r2')), { code: 'LOG_UNAVAILABLE' })
    isBroken = false
    await using mover = await place.open({ stream: streamOf('b'), limits: tiny })
    await mover.append({ type: 'start' })
    await log.append(issued('r3'))
    await log[Symbol.asyncDispose]()

    const { problems, streams, annulled } = place.verify()
    assert.deepEqual(problems, [])
    assert.deepEqual(
      streams.get(log.stream)?.map(({ type }) => type),
      ['issued', 'recovered', 'start', 'issued'],
    )
    assert.deepEqual(
      annulled.map(({ request_id: id }) => id),
      ['r2'],
    )
  })

  test('is not moved to write nothing', async () => {
    using place = makeLogPlace()
    {
      await using log = await place.open()
      await log.append(issued('r1'))
    }
    await using _log = await place.open({ stream: streamOf('b'), limits: tiny })

    assert.deepEqual(place.rotated(), [])
  })
})

suite('a log file that is old', () => {
  test('is moved aside, by the time of its first record', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    const log = await place.open({ clock, limits: { maxBytes: 1e9, maxAgeMs: DAY } })
    await log.append(issued('r1'))
    clock.advance(DAY - SECOND)
    await log.append(issued('r2'))
    assert.deepEqual(place.rotated(), [])
    clock.advance(SECOND)
    await log.append(issued('r3'))
    clock.advance(HOUR)
    await log.append(issued('r4'))
    await log[Symbol.asyncDispose]()

    assert.deepEqual(place.rotated(), [`${place.path}.20260115T090000000Z`])
    assert.match(place.text(), /^\{"v":1,.*"type":"start","reason":"the log file was old: the/)
    assert.deepEqual(requestIds(place.verify()), ['r1', 'r2', 'r3', 'r4'])
    assert.deepEqual(place.verify().problems, [])
  })

  test('is moved by a later run', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    for (const stream of ['b', 'c']) {
      await using log = await place.open({
        ...{ stream: streamOf(stream), clock },
        limits: { maxBytes: 1e9, maxAgeMs: DAY },
      })
      await log.append(issued(stream))
      clock.advance(DAY)
    }
    assert.equal(place.rotated().length, 1)
    assert.deepEqual(requestIds(verifyLog(place.text())), ['c'])
  })

  test('is moved by a run that has nothing to say, when it looks for witnesses', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    const timers = manualTimers()
    const limits = { maxBytes: 1e9, maxAgeMs: DAY }
    const log = await place.open({ clock, limits, every: timers.every })
    await log.append({ type: 'start' })
    clock.advance(DAY)
    timers.fire(5 * MINUTE)
    await log[Symbol.asyncDispose]()

    assert.equal(place.rotated().length, 1)
    assert.match(
      place.text(),
      /^\{"v":1,[^\n]*"type":"start","reason":"the log file was old[^\n]*\n$/,
    )
    assert.deepEqual(place.verify().problems, [])
  })

  for (const [what, text] of Object.entries({
    torn: '{"v":1,"stream":"b7777\n',
    'without a time': '{"v":1,"stream":"b7777","seq":1}\n',
    'of another time': '{"v":1,"stream":"b7777","seq":1,"time":"yesterday","type":"start"}\n',
    blank: '\n\n',
  })) {
    test(`is as old as its next record when its first line is ${what}`, async () => {
      using place = makeLogPlace()
      writeFileSync(place.path, text, { mode: 0o600 })
      const clock = manualClock()
      const limits = { maxBytes: 1e9, maxAgeMs: DAY }
      {
        await using log = await place.open({ clock, limits, stream: streamOf('b') })
        await log.append(issued('r1'))
      }
      clock.advance(DAY)
      await using log = await place.open({ clock, limits })
      await log.append(issued('r2'))

      assert.equal(place.rotated().length, 1)
    })
  }
})

suite('moving a log file aside', () => {
  test('is left to whoever has the lock, and tried again a second later', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    const { files, locks } = countingLocks()
    await using log = await place.open({ clock, files, limits: tiny })
    await log.append(issued('r0'))
    {
      using _held = tryLock(`${place.path}.lock`, { uid })
      for (const id of ['r1', 'r2', 'r3']) await log.append(issued(id))
      assert.equal(locks(), 1)
    }
    clock.advance(SECOND - 1)
    await log.append(issued('r4'))
    assert.deepEqual(place.rotated(), [])
    clock.advance(1)
    await log.append(issued('r5'))

    assert.equal(place.rotated().length, 1)
    assert.deepEqual(requestIds(place.verify()), ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'])
  })

  test('that fails costs no record, is told once, and is tried again a minute later', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    const told: (string | undefined)[][] = []
    let isRefused = true
    let renames = 0
    const files = diskFiles(uid)
    const rename = async (from: string, to: string) => {
      renames++
      if (isRefused) throw Object.assign(new Error('EPERM: not permitted'), { code: 'EPERM' })
      await files.rename(from, to)
    }
    await using log = await place.open({
      ...{ clock, limits: tiny, files: { ...files, rename } },
      onFault: (...text) => told.push(text),
    })
    for (const id of ['r1', 'r2', 'r3']) await log.append(issued(id))
    clock.advance(61 * SECOND)
    for (const id of ['r4', 'r5']) await log.append(issued(id))

    assert.equal(renames, 2)
    assert.deepEqual(told, [
      [
        `decision log ${place.path} goes on, but its full files cannot be moved aside: ` +
          'EPERM: not permitted',
        'look at the file and its directory, or name another with --log-file',
      ],
    ])
    const beside = [basename(place.path), `${basename(place.path)}.lock`]
    assert.deepEqual(readdirSync(dirname(place.path)), beside)
    isRefused = false
    clock.advance(61 * SECOND)
    await log.append(issued('r6'))
    assert.equal(place.rotated().length, 1)
    assert.deepEqual(requestIds(place.verify()), ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'])
  })

  for (const [what, spoil] of Object.entries({
    'a symbolic link': (path: string) => symlinkSync('elsewhere', path),
    'open to others': (path: string) => {
      writeFileSync(path, '')
      chmodSync(path, 0o644)
    },
  })) {
    test(`is not done under a lock that is ${what}`, async () => {
      using place = makeLogPlace()
      const told: string[] = []
      spoil(`${place.path}.lock`)
      await using log = await place.open({ limits: tiny, onFault: (text) => told.push(text) })
      for (const id of ['r1', 'r2']) await log.append(issued(id))

      assert.deepEqual(place.rotated(), [])
      assert.match(
        told.join(),
        /cannot be moved aside: .* is (a symbolic link|open to other users)/,
      )
      assert.deepEqual(requestIds(place.verify()), ['r1', 'r2'])
    })
  }

  test('is not done when its name would not sort after those before it', async () => {
    using place = makeLogPlace()
    writeFileSync(`${place.path}.99991231T235959999Z`, '', { mode: 0o600 })
    const told: string[] = []
    await using log = await place.open({ limits: tiny, onFault: (text) => told.push(text) })
    for (const id of ['r1', 'r2']) await log.append(issued(id))

    assert.equal(place.rotated().length, 1)
    assert.match(told.join(), /would not sort after the files before it/)
    assert.deepEqual(requestIds(place.verify()), ['r1', 'r2'])
  })

  test('waits when the lock was deleted, which may have let in another', async () => {
    using place = makeLogPlace()
    const clock = manualClock()
    const files = diskFiles(uid)
    let isDeleted = false
    const lock = (path: string) => {
      const lock = files.lock(path)
      if (!isDeleted) rmSync(path)
      isDeleted = true
      return lock
    }
    await using log = await place.open({ clock, limits: tiny, files: { ...files, lock } })
    for (const id of ['r1', 'r2']) await log.append(issued(id))
    assert.deepEqual(place.rotated(), [])
    clock.advance(SECOND)
    await log.append(issued('r3'))

    assert.equal(place.rotated().length, 1)
    assert.deepEqual(requestIds(place.verify()), ['r1', 'r2', 'r3'])
  })

  test('leaves alone what another has put at the path meanwhile', async () => {
    using place = makeLogPlace()
    const files = diskFiles(uid)
    await using other = await place.open({ stream: streamOf('b') })
    await other.append({ type: 'start' })
    let isMoved = false
    const lock = (path: string) => {
      if (!isMoved) renameSync(place.path, `${place.path}.20260101T000000000Z`)
      isMoved = true
      return files.lock(path)
    }
    const log = await place.open({ limits: tiny, files: { ...files, lock } })
    await log.append(issued('r1'))
    assert.equal(existsSync(place.path), false)
    await log.append(issued('r2'))
    await log[Symbol.asyncDispose]()

    assert.equal(place.rotated().length, 1)
    assert.deepEqual(place.verify().problems, [])
    assert.deepEqual(requestIds(place.verify()), ['r1', 'r2'])
  })

  test('goes on with a bug as a bug', async () => {
    using place = makeLogPlace()
    const files = diskFiles(uid)
    const namesBeside = async () => {
      throw new RangeError('a bug')
    }
    const options: Partial<DecisionLogOptions> = { limits: tiny, files: { ...files, namesBeside } }
    writeFileSync(place.path, '\n', { mode: 0o600 })
    await using log = await place.open(options)

    await assert.rejects(log.append(issued('r1')), RangeError)
  })
})

/** The streams that the first record of the file at the path names. */
function headsOf(place: LogPlace): string[] {
  const [line = ''] = place.text().split('\n')
  return Object.keys(JSON.parse(line).heads ?? {}).toSorted()
}

function cutStream(path: string, stream: string): void {
  const lines = readFileSync(path, 'latin1').split('\n')
  writeFileSync(path, lines.filter((line) => !line.includes(`"stream":"${stream}"`)).join('\n'))
}

function countingLocks(): { files: LogFiles; locks: () => number } {
  const files = diskFiles(uid)
  let locks = 0
  const lock = (path: string) => {
    locks++
    return files.lock(path)
  }
  return { files: { ...files, lock }, locks: () => locks }
}
