import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { diskFiles } from '../../src/audit/log-file.ts'
import { hasCode } from '../../src/errors.ts'
import { type Fault, type FaultyFiles, faultyFiles } from './faulty-files.ts'
import { issued, type LogPlace, makeLogPlace, requestIds } from './log-fixture.ts'

const FAULTS: readonly Fault[] = [
  'ENOSPC',
  'EIO',
  'EINTR',
  'half',
  'no newline',
  'written, then EIO',
  'lost at sync',
]

suite('a fault of the file system (I2)', () => {
  for (const fault of FAULTS) {
    test(`costs no acknowledged record, whichever call it strikes: ${fault}`, async () => {
      for (let struck = 1; ; struck++) {
        using place = makeLogPlace()
        const files = faultyFiles(fault, (call) => call === struck)
        const { acknowledged, rejected } = await run(place, files)

        const { problems, streams } = place.verify()
        const onChain = requestIds(place.verify())
        const about = `call ${struck}\n${place.text()}`
        assert.deepEqual(problems, [], about)
        // In order, once each, and nothing else: what was rejected cannot be taken for issued.
        assert.deepEqual(onChain, acknowledged, about)
        assert.equal(acknowledged.at(-1), 'last', about)
        assert.equal([...streams.values()].flat().filter(isNote).length, 2, about)
        if (rejected.length > 0) assert.match(place.text(), /"type":"recovered"/, about)
        if (files.calls < struck) break
      }
    })
  }

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

/** A run with two notes and some appends, one by one and together, the last of them at the end. */
async function run(place: LogPlace, files: FaultyFiles) {
  const log = await place.open({ files }).catch((error: unknown) => {
    assert.ok(hasCode(error, 'LOG_UNAVAILABLE'), String(error))
    return place.open({ files })
  })
  const acknowledged: string[] = []
  const rejected: string[] = []
  const append = async (id: string) => {
    try {
      await log.append(issued(id))
      acknowledged.push(id)
    } catch (error) {
      assert.ok(hasCode(error, 'LOG_UNAVAILABLE'), String(error))
      rejected.push(id)
    }
  }

  log.note({ type: 'start' })
  await append('first')
  await Promise.all(['a', 'b', 'c'].map(append))
  await Promise.all(['d', 'e'].map(append))
  await append('one more')
  await append('last')
  if (!acknowledged.includes('last')) await append('last')
  log.note({ type: 'stop' })
  await log[Symbol.asyncDispose]()
  return { acknowledged, rejected }
}

function isNote({ type, reason }: { readonly type: string; readonly reason?: unknown }): boolean {
  return (type === 'start' && reason === undefined) || type === 'stop'
}
