import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { DecisionLogOptions } from '../../src/audit/file-decision-log.ts'
import { diskFiles } from '../../src/audit/log-file.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { type Fault, faultyFiles } from './faulty-files.ts'
import {
  issued,
  type LogPlace,
  makeLogPlace,
  manualClock,
  readWholeLog,
  requestIds,
} from './log-fixture.ts'

const FAULTS: readonly Fault[] = [
  'ENOSPC',
  'EIO',
  'EINTR',
  'half',
  'no newline',
  'written, then EIO',
  'lost at sync',
]

suite('a fault of the file system (I2)', { concurrency: 4 }, () => {
  for (const fault of FAULTS) {
    test(`costs no acknowledged record, whichever call it strikes: ${fault}`, () =>
      strikeEachCall(fault, undefined))
  }

  for (const fault of ['ENOSPC', 'half', 'written, then EIO', 'lost at sync'] as const) {
    test(`costs none either while the log moves from file to file: ${fault}`, () =>
      strikeEachCall(fault, { maxBytes: 600, maxAgeMs: 1e12 }))
  }

  test('costs no acknowledged record when others come again and again', async () => {
    for (let seed = 1; seed <= scaled(60); seed++) {
      using place = makeLogPlace()
      const next = random(seed)
      const fault = pick(next, FAULTS)
      let isOver = false
      const files = faultyFiles(fault, () => !isOver && next() < 0.05)
      const limits = { maxBytes: 1 + next() * 3000, maxAgeMs: 1e12 }
      const { acknowledged, rejected } = await run(place, { files, limits }, () => {
        isOver = true
      })
      assertSound(place, acknowledged, rejected, `seed ${seed}, ${fault}`)
    }
  })

  test('is over with the first append after it, and the log says what it cost', async () => {
    using place = makeLogPlace()
    let isFull = false
    const log = await place.open({ files: faultyFiles('ENOSPC', () => isFull) })
    log.note({ type: 'start' })
    await log.append(issued('before'))
    isFull = true
    for (let count = 1; count <= 5; count++) {
      await assert.rejects(log.append(issued(`full${count}`)), {
        code: 'LOG_UNAVAILABLE',
        hint: 'make room on its file system: the next request tries again',
      })
      log.note({ type: 'served', count })
    }
    isFull = false
    await log.append(issued('after'))
    await log[Symbol.asyncDispose]()

    const { streams, problems } = place.verify()
    assert.deepEqual(problems, [])
    assert.deepEqual(requestIds(place.verify()), ['before', 'after'])
    const records = streams.get(log.stream)!
    const [recovered, ...more] = records.filter(({ type }) => type === 'recovered')
    assert.deepEqual(more, [])
    assert.equal(recovered?.count, 5)
    assert.match(String(recovered?.reason), /ENOSPC/)
    const notes = records.filter(({ type }) => type === 'served').map(({ count }) => count)
    assert.deepEqual(notes, [1, 2, 3, 4, 5])
  })

  test('that takes a part of the bytes refuses the record, and is not hidden by a retry', async () => {
    using place = makeLogPlace()
    const files = diskFiles(process.getuid?.())
    const open = async (path: string) => {
      const file = await files.open(path)
      return { ...file, write: (bytes: Uint8Array) => file.write(bytes.subarray(0, 10)) }
    }
    await using log = await place.open({ files: { ...files, open } })

    await assert.rejects(log.append(issued('r1')), {
      code: 'LOG_UNAVAILABLE',
      message: /short write: 10 of \d+ bytes/,
    })
  })

  test('that lasts to the end is told by the close, when it cost a note', async () => {
    using place = makeLogPlace()
    let isFull = false
    const log = await place.open({ files: faultyFiles('ENOSPC', () => isFull) })
    await log.append(issued('r1'))
    isFull = true
    log.note({ type: 'stop' })

    await assert.rejects(async () => log[Symbol.asyncDispose](), { code: 'LOG_UNAVAILABLE' })
    assert.deepEqual(requestIds(place.verify()), ['r1'])
  })

  test('is reported as such, and a bug as a bug', async () => {
    using place = makeLogPlace()
    const files = faultyFiles('EIO', () => false)
    let isBroken = false
    await using log = await place.open({
      files: {
        ...files,
        identify: async (path) => {
          if (isBroken) throw new RangeError('a bug')
          return files.identify(path)
        },
      },
    })
    isBroken = true

    await assert.rejects(log.append(issued('r1')), RangeError)
    isBroken = false
    await log.append(issued('r2'))
    assert.deepEqual(requestIds(place.verify()), ['r2'])
  })
})

async function strikeEachCall(fault: Fault, limits: DecisionLogOptions['limits']): Promise<void> {
  for (let struck = 1; ; struck++) {
    using place = makeLogPlace()
    const files = faultyFiles(fault, (call) => call === struck)
    const { acknowledged, rejected } = await run(place, { files, limits })
    assertSound(place, acknowledged, rejected, `call ${struck}`)
    if (limits) assert.ok(place.rotated().length > 0)
    if (files.calls < struck) break
  }
}

/**
 * A run with two notes and some appends, one by one and together, the last of them at the end, when
 * `beforeLast` was called. The clock moves on, so that what failed is tried again.
 */
async function run(
  place: LogPlace,
  options: Partial<DecisionLogOptions>,
  beforeLast: () => void = () => {},
) {
  const clock = manualClock()
  const open = () => place.open({ ...options, clock })
  let log = await open().catch(assertUnavailable)
  for (let attempt = 1; !log && attempt < 20; attempt++) log = await open().catch(assertUnavailable)
  assert.ok(log)
  const acknowledged: string[] = []
  const rejected: string[] = []
  const append = async (id: string) => {
    clock.advance(2 * MINUTE)
    try {
      await log.append(issued(id))
      acknowledged.push(id)
    } catch (error) {
      assertUnavailable(error)
      rejected.push(id)
    }
  }

  log.note({ type: 'start' })
  await append('first')
  await Promise.all(['a', 'b', 'c'].map(append))
  await Promise.all(['d', 'e'].map(append))
  await append('one more')
  beforeLast()
  await append('last')
  if (!acknowledged.includes('last')) await append('last')
  log.note({ type: 'stop' })
  await log[Symbol.asyncDispose]()
  return { acknowledged, rejected }
}

function assertUnavailable(error: unknown): undefined {
  assert.ok(hasCode(error, 'LOG_UNAVAILABLE'), String(error))
}

function assertSound(
  place: LogPlace,
  acknowledged: readonly string[],
  rejected: readonly string[],
  when: string,
): void {
  const { problems, streams } = place.verify()
  const text = readWholeLog(place.path)
  const about = `${when}\n${text}`
  assert.deepEqual(problems, [], about)
  // In order, once each, and nothing else: what was rejected cannot be taken for issued.
  assert.deepEqual(requestIds(place.verify()), acknowledged, about)
  assert.equal(acknowledged.at(-1), 'last', about)
  assert.equal([...streams.values()].flat().filter(isNote).length, 2, about)
  if (rejected.length > 0) assert.match(text, /"type":"recovered"/, about)
}

function isNote({ type, reason }: { readonly type: string; readonly reason?: unknown }): boolean {
  return (type === 'start' && reason === undefined) || type === 'stop'
}
