import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import type { Every } from '../../src/audit/file-decision-log.ts'
import { diskFiles, type LogFiles } from '../../src/audit/log-file.ts'
import { Secret } from '../../src/domain/secret.ts'
import { SentinelError } from '../../src/errors.ts'
import { issued, makeLogPlace, requestIds, STILL_CLOCK, streamOf } from './log-fixture.ts'
import { verifyLog } from './verify-log.ts'

suite('the decision log', () => {
  test('chains records from the name of the stream on, in the order they came', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    log.note({ type: 'start', version: '0.1.0' })
    const ids = Array.from({ length: 200 }, (_, index) => `r${index}`)
    await Promise.all(ids.map((id) => log.append(issued(id))))
    log.note({ type: 'stop', exit_status: 0 })
    await log[Symbol.asyncDispose]()

    const verification = place.verify()

    assert.deepEqual(verification.problems, [])
    assert.deepEqual(requestIds(verification), ids)
    const records = verification.streams.get(log.stream) ?? []
    assert.deepEqual(
      records.map(({ seq }) => seq),
      records.map((_, index) => index + 1),
    )
    assert.deepEqual([records[0]?.type, records.at(-1)?.type], ['start', 'stop'])
  })

  test('writes a line as docs/decision-log.md shows it', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    await log.append({ type: 'start', version: '0.1.0' })
    await log[Symbol.asyncDispose]()

    assert.equal(
      place.text(),
      '{"v":1,"stream":"a7777777777777777777","seq":1,"time":"2026-01-14T09:00:00.000Z",' +
        '"type":"start","version":"0.1.0","host":"host.example","pid":4711,' +
        '"prev":"44bd37b608cc685975a0434eaab284691d63f5bf9ab0f630273ca43b591e48fe"}\n',
    )
  })

  test('resolves an append only when the disk has it, and a batch by one write and one sync', async () => {
    using place = makeLogPlace()
    const calls: string[] = []
    const syncing = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const beforeSync = () => {
      syncing.resolve()
      return gate.promise
    }
    const log = await place.open({ files: spying(calls, beforeSync) })
    let isResolved = false
    const appends = Promise.all(['r1', 'r2', 'r3'].map((id) => log.append(issued(id)))).then(() => {
      isResolved = true
    })
    await Promise.race([syncing.promise, appends])

    assert.equal(isResolved, false)
    gate.resolve()
    await appends
    assert.deepEqual(calls, ['write', 'sync'])
    await log[Symbol.asyncDispose]()
  })

  test('loses no note at a clean close', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    for (let count = 1; count <= 300; count++) log.note({ type: 'served', count })
    await log[Symbol.asyncDispose]()

    const records = place.verify().streams.get(log.stream) ?? []
    assert.equal(records.length, 300)
  })

  test('refuses appends once it is closed', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    await log[Symbol.asyncDispose]()

    await assert.rejects(log.append(issued('late')), { code: 'LOG_UNAVAILABLE' })
    log.note(issued('late'))
    assert.equal(place.text(), '')
  })

  test('takes no secret, neither in an append nor in a note', async () => {
    using place = makeLogPlace()
    await using log = await place.open()
    const record = { type: 'issued', reason: new Secret('canary') as unknown as string } as const

    await assert.rejects(log.append(record), TypeError)
    assert.throws(() => log.note(record), TypeError)
  })

  test('mirrors the lines of the file', async () => {
    using place = makeLogPlace()
    const mirrored: string[] = []
    const log = await place.open({ mirror: (line) => mirrored.push(line) })
    await log.append(issued('r1'))
    log.note({ type: 'stop' })
    await log[Symbol.asyncDispose]()

    assert.equal(mirrored.map((line) => `${line}\n`).join(''), place.text())
  })

  test('records local time while the clock is too far off to tell AWS time', async () => {
    using place = makeLogPlace()
    const aws = () => {
      throw new SentinelError('CLOCK_SKEWED', 'the clock is 6 min off')
    }
    await using log = await place.open({ clock: { ...STILL_CLOCK, aws } })

    await log.append(issued('r1'))

    assert.match(place.text(), /"time":"2026-01-14T09:00:00.000Z"/)
  })

  test('bounds how many records wait', async () => {
    using place = makeLogPlace()
    const gate = Promise.withResolvers<void>()
    const log = await place.open({ files: spying([], () => gate.promise) })
    const appends = Array.from({ length: 10_001 }, (_, index) => log.append(issued(`r${index}`)))

    log.note({ type: 'served' })
    await assert.rejects(appends.at(-1)!, { code: 'LOG_UNAVAILABLE', message: /too many/ })
    gate.resolve()
    await Promise.all(appends.slice(0, -1))
    await log.append(issued('after'))
    await log[Symbol.asyncDispose]()
    const [recovered] = place
      .verify()
      .streams.get(log.stream)!
      .filter(({ type }) => type === 'recovered')
    assert.equal(recovered?.count, 1)
  })
})

suite('the place of the log', () => {
  test('is made private', async () => {
    using place = makeLogPlace()
    const path = join(dirname(place.path), 'state', 'sentinel', 'decisions.jsonl')
    await using _log = await place.open({ path })

    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
    assert.equal(statSync(dirname(dirname(path))).mode & 0o777, 0o700)
  })

  for (const mode of [0o640, 0o602, 0o610]) {
    test(`is refused, not repaired, when the file has mode ${mode.toString(8)}`, async () => {
      using place = makeLogPlace()
      writeFileSync(place.path, '')
      chmodSync(place.path, mode)

      await assert.rejects(place.open(), {
        code: 'FILE_UNTRUSTED',
        hint: `run chmod 600 ${place.path}, or name another log file`,
      })
      assert.equal(statSync(place.path).mode & 0o777, mode)
    })
  }

  test('is refused when others may enter the directory', async () => {
    using place = makeLogPlace()
    const directory = dirname(place.path)
    chmodSync(directory, 0o755)

    await assert.rejects(place.open(), {
      code: 'FILE_UNTRUSTED',
      hint: `run chmod 700 ${directory}, or name another log file`,
    })
    assert.deepEqual(readdirSync(directory), [])
  })

  test('is refused when the file is a symbolic link, even one that leads nowhere', async () => {
    using place = makeLogPlace()
    const target = join(dirname(place.path), 'target')
    symlinkSync(target, place.path)

    await assert.rejects(place.open(), { code: 'FILE_UNTRUSTED', message: /symbolic link/ })
    assert.throws(() => statSync(target), { code: 'ENOENT' })
  })

  test('is refused when the directory is a symbolic link', async () => {
    using place = makeLogPlace()
    const real = join(dirname(place.path), 'real')
    const alias = join(dirname(place.path), 'alias')
    mkdirSync(real, { mode: 0o700 })
    symlinkSync(real, alias)

    await assert.rejects(place.open({ path: join(alias, 'decisions.jsonl') }), {
      code: 'FILE_UNTRUSTED',
      message: /symbolic link/,
    })
  })

  test('is refused when the file has a second name', async () => {
    using place = makeLogPlace()
    writeFileSync(place.path, '', { mode: 0o600 })
    linkSync(place.path, `${place.path}.too`)

    await assert.rejects(place.open(), { code: 'FILE_UNTRUSTED', message: /hard link/ })
  })

  test('is refused when it is no regular file, without waiting for a pipe', async () => {
    using place = makeLogPlace()
    mkdirSync(place.path, { mode: 0o700 })
    await assert.rejects(place.open(), { code: 'FILE_UNTRUSTED', message: /not a regular file/ })

    rmSync(place.path, { recursive: true })
    assert.equal(spawnSync('mkfifo', ['-m', '600', place.path]).status, 0)
    await assert.rejects(place.open(), { code: 'FILE_UNTRUSTED', message: /not a regular file/ })
  })

  test('is refused when it belongs to another user', async () => {
    using place = makeLogPlace()
    writeFileSync(place.path, '', { mode: 0o600 })
    const isRoot = process.getuid!() === 0
    if (isRoot) chownSync(place.path, 12_345, 12_345)

    await assert.rejects(place.open(isRoot ? {} : { uid: process.getuid!() + 1 }), {
      code: 'FILE_UNTRUSTED',
      message: /belongs to another user/,
    })
  })

  test('is a dependency that did not answer when it cannot be made', async () => {
    using place = makeLogPlace()
    writeFileSync(place.path, '')

    await assert.rejects(place.open({ path: join(place.path, 'decisions.jsonl') }), {
      code: 'LOG_UNAVAILABLE',
    })
  })

  test('is not inherited by a child', { skip: process.platform !== 'linux' }, async () => {
    using place = makeLogPlace()
    await using log = await place.open()
    await log.append(issued('r1'))
    const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })

    assert.ok(stdout.includes('->'), stdout)
    assert.ok(!stdout.includes('decisions.jsonl'), stdout)
  })
})

suite('a log file that changes under its writer', () => {
  test('is left when it was moved: the stream goes on in the new file, anchored', async () => {
    using place = makeLogPlace()
    const moved = `${place.path}.1`
    const log = await place.open()
    await log.append(issued('r1'))
    renameSync(place.path, moved)
    await log.append(issued('r2'))
    await log[Symbol.asyncDispose]()

    const [anchor] = verifyLog(readFileSync(moved, 'latin1') + place.text())
      .streams.get(log.stream)!
      .slice(1)
    assert.equal(anchor?.type, 'start')
    assert.equal(anchor?.seq, 2)
    assert.match(String(anchor?.reason), /moved or deleted/)
    const whole = verifyLog(readFileSync(moved, 'latin1') + place.text())
    assert.deepEqual(whole.problems, [])
    assert.deepEqual(requestIds(whole), ['r1', 'r2'])
  })

  test('is made anew when it was deleted, and what is missing shows', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    await log.append(issued('r1'))
    rmSync(place.path)
    await log.append(issued('r2'))
    await log[Symbol.asyncDispose]()

    assert.match(place.text(), /"seq":2,.*"type":"start".*\n.*"seq":3,.*"request_id":"r2"/)
    assert.notDeepEqual(place.verify().problems, [])
  })

  test('is not written to in vain when it is deleted in the middle of a write', async () => {
    using place = makeLogPlace()
    let deletions = 0
    const files = onWrite((write) => {
      if (deletions++ === 0) rmSync(place.path)
      return write()
    })
    const log = await place.open({ files })
    await log.append(issued('r1'))
    await log[Symbol.asyncDispose]()

    assert.deepEqual(requestIds(place.verify()), ['r1'])
  })

  test('is refused like any other when something untrusted takes its place', async () => {
    using place = makeLogPlace()
    await using log = await place.open()
    await log.append(issued('r1'))
    renameSync(place.path, `${place.path}.1`)
    symlinkSync(`${place.path}.1`, place.path)

    await assert.rejects(log.append(issued('r2')), {
      code: 'LOG_UNAVAILABLE',
      message: /symbolic link/,
    })
    rmSync(place.path)
    await log.append(issued('r3'))
    assert.deepEqual(
      requestIds(verifyLog(readFileSync(`${place.path}.1`, 'latin1') + place.text())),
      ['r1', 'r3'],
    )
  })

  test('says so when it was cut', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    await log.append(issued('r1'))
    truncateSync(place.path)
    await log.append(issued('r2'))
    await log[Symbol.asyncDispose]()

    assert.match(place.text(), /^{"v":1,.*"seq":2,.*"type":"start","reason":"the log file was cut/)
  })
})

suite('a torn last line', () => {
  test('is closed when the log is opened, kept, and told of', async () => {
    using place = makeLogPlace()
    writeFileSync(place.path, '{"v":1,"stream":"b7777', { mode: 0o600 })
    const log = await place.open()
    assert.match(place.text(), /^{"v":1,"stream":"b7777\n{.*"type":"recovered".*}\n$/)
    await log.append(issued('r1'))
    await log[Symbol.asyncDispose]()

    const verification = place.verify()
    assert.deepEqual(verification.problems, [])
    assert.deepEqual(verification.unreadable, ['{"v":1,"stream":"b7777'])
    assert.deepEqual(requestIds(verification), ['r1'])
  })

  test('of another writer, left while this one is open, is closed before the next record', async () => {
    using place = makeLogPlace()
    await using log = await place.open()
    await log.append(issued('r1'))
    appendFileSync(place.path, '{"v":1,"stream":"b7777')
    await log.append(issued('r2'))

    const verification = place.verify()
    assert.deepEqual(verification.unreadable, ['{"v":1,"stream":"b7777'])
    assert.deepEqual(requestIds(verification), ['r1', 'r2'])
  })

  test('that another writer is still writing is left to it', async () => {
    using place = makeLogPlace()
    await using other = await place.open({ stream: streamOf('b') })
    await other.append(issued('r1'))
    const whole = place.text()
    writeFileSync(place.path, whole.slice(0, 40), { mode: 0o600 })
    let looks = 0
    const files = onRead(() => {
      if (looks++ === 0) setImmediate(() => appendFileSync(place.path, whole.slice(40)))
    })
    await using log = await place.open({ files })
    await log.append(issued('r2'))

    const verification = place.verify()
    assert.deepEqual(verification.unreadable, [])
    assert.deepEqual(requestIds(verification), ['r1', 'r2'])
    assert.ok(!place.text().includes('recovered'))
  })

  test('that runs into a record, in the moment between look and write, costs no record', async () => {
    using place = makeLogPlace()
    let tears = 0
    const files = onWrite((write) => {
      if (tears++ === 0) appendFileSync(place.path, '{"v":1,"stream":"b7777')
      return write()
    })
    const log = await place.open({ files })
    await Promise.all(['r1', 'r2', 'r3'].map((id) => log.append(issued(id))))
    await log[Symbol.asyncDispose]()

    const verification = place.verify()
    assert.deepEqual(verification.problems, [])
    assert.deepEqual(requestIds(verification), ['r1', 'r2', 'r3'])
    assert.equal(verification.unreadable.length, 1)
    assert.deepEqual(
      verification.annulled.map(({ request_id }) => request_id),
      ['r2', 'r3'],
    )
  })

  test('that comes before every write costs no record either', async () => {
    using place = makeLogPlace()
    const files = onWrite((write) => {
      appendFileSync(place.path, '{')
      return write()
    })
    await using log = await place.open({ files })
    await log.append(issued('r1'))

    // The second attempt began with a newline: it stands alone whatever came before.
    assert.deepEqual(requestIds(place.verify()), ['r1'])
  })
})

suite('the heads of other streams', () => {
  test('stand in start and stop, for the streams that have grown since', async () => {
    using place = makeLogPlace()
    const first = await place.open({ stream: streamOf('b') })
    await first.append({ type: 'start' })
    const second = await place.open({ stream: streamOf('c') })
    await second.append({ type: 'start' })
    await first.append({ type: 'stop' })
    await second.append({ type: 'stop' })
    for (const log of [first, second]) await log[Symbol.asyncDispose]()

    const verification = place.verify()

    assert.deepEqual(verification.problems, [])
    const named = [...verification.streams.values()]
      .flat()
      .map(({ stream, type, heads }) => [
        stream[0],
        type,
        Object.entries(heads ?? {}).map(
          ([other, head]) => `${other[0]} ${String(head).split(':')[0]}`,
        ),
      ])
    assert.deepEqual(named, [
      ['b', 'start', []],
      ['b', 'stop', ['c 1']],
      ['c', 'start', ['b 1']],
      ['c', 'stop', ['b 2']],
    ])
  })

  test('show that a whole stream was cut out', async () => {
    using place = makeLogPlace()
    for (const stream of [streamOf('b'), streamOf('c')]) {
      await using log = await place.open({ stream })
      await log.append({ type: 'start' })
    }
    const withoutFirst = place
      .text()
      .split('\n')
      .filter((line) => !line.includes(`"stream":"${streamOf('b')}"`))
      .join('\n')

    assert.match(verifyLog(withoutFirst).problems.join(), /no line 1:[0-9a-f]{64} of b7/)
  })

  test('are witnessed every five minutes, when there is something to witness', async () => {
    using place = makeLogPlace()
    const timer = manualTimer()
    const log = await place.open({ every: timer.every })
    await log.append({ type: 'start' })
    timer.fire()
    await using other = await place.open({ stream: streamOf('b') })
    await other.append(issued('r1'))
    timer.fire()
    await log[Symbol.asyncDispose]()

    assert.deepEqual(timer.intervals, [300_000])
    assert.equal(timer.isDisposed(), true)
    const { streams, problems } = place.verify()
    assert.deepEqual(problems, [])
    const witnesses = streams.get(log.stream)!.filter(({ type }) => type === 'witness')
    assert.deepEqual(
      witnesses.map(({ heads }) => Object.keys(heads!)),
      [[streamOf('b')]],
    )
  })

  test('are read from the end of a large file only, and named 32 at a time', async () => {
    using place = makeLogPlace()
    const junk = `${'x'.repeat(1023)}\n`.repeat(8 * 1024)
    writeFileSync(place.path, junk, { mode: 0o600 })
    const letters = 'abcdefghijklmnopqrstuvwxyz234567abcdefgh'
    for (const [index, letter] of [...letters].entries()) {
      await using log = await place.open({ stream: streamOf(`${letter}${index < 32 ? 'a' : 'b'}`) })
      await log.append(issued(`r${index}`))
    }
    let bytesRead = 0
    const files = onRead((length) => {
      bytesRead += length
    })
    const log = await place.open({ stream: streamOf('zz'), files })
    await log.append({ type: 'start' })
    await log.append({ type: 'stop' })
    await log[Symbol.asyncDispose]()

    const { streams } = verifyLog(place.text().slice(junk.length))
    const named = streams.get(log.stream)!.map(({ heads }) => Object.keys(heads!).length)
    assert.deepEqual(named, [32, 8])
    assert.ok(bytesRead < 128 * 1024, String(bytesRead))
  })
})

/** The real file system, which notes writes and syncs in `calls` and syncs after `beforeSync`. */
function spying(calls: string[], beforeSync: () => Promise<void>): LogFiles {
  return wrapping((file) => ({
    ...file,
    write: (bytes) => {
      calls.push('write')
      return file.write(bytes)
    },
    sync: async () => {
      calls.push('sync')
      await beforeSync()
      await file.sync()
    },
  }))
}

function onWrite(around: (write: () => Promise<number>) => Promise<number>): LogFiles {
  return wrapping((file) => ({ ...file, write: (bytes) => around(() => file.write(bytes)) }))
}

function onRead(note: (length: number) => void): LogFiles {
  return wrapping((file) => ({
    ...file,
    read: (position, length) => {
      note(length)
      return file.read(position, length)
    },
  }))
}

function wrapping(wrap: (file: Awaited<ReturnType<LogFiles['open']>>) => typeof file): LogFiles {
  const files = diskFiles(process.getuid?.())
  return { ...files, open: async (path) => wrap(await files.open(path)) }
}

function manualTimer() {
  const intervals: number[] = []
  let run: (() => void) | undefined
  let isDisposed = false
  const every: Every = (intervalMs, given) => {
    intervals.push(intervalMs)
    run = given
    return {
      [Symbol.dispose]: () => {
        isDisposed = true
      },
    }
  }
  return { every, intervals, fire: () => run?.(), isDisposed: () => isDisposed }
}
