import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { suite, test } from 'node:test'
import type { StreamHead } from '../../src/domain/log-head.ts'
import { Secret } from '../../src/domain/secret.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { hasCode, SentinelError } from '../../src/errors.ts'
import type { DecisionLog } from '../../src/ports/decision-log.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { faultyFiles } from './faulty-files.ts'
import {
  issued,
  makeLogPlace,
  manualClock,
  readWholeLog,
  requestIds,
  STILL_CLOCK,
} from './log-fixture.ts'
import { onWrite, spying } from './wrapped-files.ts'

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

suite('the head of a stream', () => {
  test('is its last durable line, and there is none before the first', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    assert.equal(log.head(), undefined)
    await log.append({ type: 'start' })
    await log.append(issued('r1'))

    assert.deepEqual(log.head(), headOf(place.text(), log.stream))
    assert.equal(log.head()?.seq, 2)
    await log[Symbol.asyncDispose]()
  })

  test('is not that of a line which waits for the disk', async () => {
    using place = makeLogPlace()
    const syncing = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const beforeSync = () => {
      syncing.resolve()
      return gate.promise
    }
    await using log = await place.open({ files: spying([], beforeSync) })
    const append = log.append(issued('r1'))
    await syncing.promise

    assert.notEqual(place.text(), '')
    assert.equal(log.head(), undefined)
    gate.resolve()
    await append
    assert.equal(log.head()?.seq, 1)
  })

  test('stays when a write fails, and goes on from there with the next', async () => {
    using place = makeLogPlace()
    let isBroken = false
    const files = onWrite(async (write) => {
      const taken = await write()
      if (isBroken) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      return taken
    })
    await using log = await place.open({ files })
    await log.append(issued('r1'))
    const before = log.head()
    isBroken = true
    await assert.rejects(log.append(issued('r2')), { code: 'LOG_UNAVAILABLE' })
    assert.deepEqual(log.head(), before)
    isBroken = false
    await log.append(issued('r3'))

    assert.deepEqual(log.head(), headOf(place.text(), log.stream))
    assert.equal(log.head()?.seq, 3)
  })

  test('is on the chain and never goes back, whatever fails and wherever the log goes', async () => {
    for (let seed = 1; seed <= scaled(20); seed++) {
      using place = makeLogPlace()
      const next = random(seed)
      const clock = manualClock()
      let isOver = false
      const files = faultyFiles(pick(next, ['ENOSPC', 'half', 'written, then EIO']), () => {
        return !isOver && next() < 0.1
      })
      const limits = { maxBytes: 1500, maxAgeMs: 1e12 }
      const log = await open(() => place.open({ clock, files, limits }))
      const heads: StreamHead[] = []
      for (let count = 1; count <= 20; count++) {
        clock.advance(MINUTE)
        isOver = count === 20
        await log.append(issued(`r${count}`)).catch(() => {})
        const head = log.head()
        if (head) heads.push(head)
      }
      await log[Symbol.asyncDispose]()

      const about = `seed ${seed}`
      assert.deepEqual(
        heads.map(({ seq }) => seq),
        heads.map(({ seq }) => seq).toSorted((one, other) => one - other),
        about,
      )
      const lines = readWholeLog(place.path).split('\n')
      const hashes = new Set(lines.map((line) => hash('sha256', line)))
      assert.ok(
        heads.every(({ hash }) => hashes.has(hash)),
        about,
      )
      const onChain = place.verify().streams.get(log.stream) ?? []
      // What was a head is never annulled: the next line follows it.
      for (const { seq, hash } of heads) {
        const follower = onChain[seq]
        assert.ok(follower === undefined || follower.prev === hash, `${about}, line ${seq}`)
      }
    }
  })

  test('may be asked for when the log is closed', async () => {
    using place = makeLogPlace()
    const log = await place.open()
    await log.append({ type: 'start' })
    log.note({ type: 'stop' })
    await log[Symbol.asyncDispose]()

    assert.deepEqual(log.head(), headOf(place.text(), log.stream))
    assert.equal(log.head()?.seq, 2)
  })
})

/** Of the last line of `text`. */
function headOf(text: string, stream: string): StreamHead {
  const line = text.split('\n').at(-2) ?? ''
  return { stream, seq: JSON.parse(line).seq, hash: hash('sha256', line) }
}

/** A log that may need more than one attempt to be opened. */
async function open(attempt: () => Promise<DecisionLog>): Promise<DecisionLog> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      assert.ok(hasCode(error, 'LOG_UNAVAILABLE'), String(error))
    }
  }
}
