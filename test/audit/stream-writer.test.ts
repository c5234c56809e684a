import assert from 'node:assert/strict'
import {
  appendFileSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { suite, test } from 'node:test'
import { issued, makeLogPlace, requestIds, streamOf } from './log-fixture.ts'
import { manualTimers } from './manual-timers.ts'
import { verifyLog } from './verify-log.ts'
import { onRead, onWrite } from './wrapped-files.ts'

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
    const timers = manualTimers()
    const log = await place.open({ every: timers.every })
    await log.append({ type: 'start' })
    timers.fire(300_000)
    await using other = await place.open({ stream: streamOf('b') })
    await other.append(issued('r1'))
    timers.fire(300_000)
    assert.deepEqual(timers.intervals(), [300_000])
    await log[Symbol.asyncDispose]()

    assert.deepEqual(timers.intervals(), [])
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
