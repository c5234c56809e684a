import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { random, scaled } from '../fixtures/random.ts'
import { type LogPlace, makeLogPlace, requestIds, streamOf } from './log-fixture.ts'

const WRITER = fileURLToPath(new URL('writer-process.ts', import.meta.url))

suite('several processes on one log', () => {
  test('corrupt no line: 8 writers of 500 records each (LOG-3)', async () => {
    using place = makeLogPlace()
    await runEightWriters(place, scaled(500))
    assert.deepEqual(place.rotated(), [])
  })

  test('corrupt no line either while the log moves from file to file', async () => {
    using place = makeLogPlace()
    const maxBytes = 64 * 1024
    await runEightWriters(place, scaled(250), maxBytes)

    assert.ok(place.rotated().length > 2, String(place.rotated().length))
    for (const path of place.rotated()) {
      assert.ok(statSync(path).size >= maxBytes, `${path} was not full`)
    }
  })

  for (const [where, maxBytes] of Object.entries({
    'on one file': undefined,
    'while the log moves from file to file': 16 * 1024,
  })) {
    test(`keep every record when one is killed at any moment (LOG-1), ${where}`, () =>
      killWriters(maxBytes))
  }

  test('find the torn line that a killed one left, wherever it was torn', async () => {
    using place = makeLogPlace()
    {
      await using log = await place.open({ stream: streamOf('b') })
      await log.append({ type: 'start' })
      await log.append({ type: 'refused', reason: 'the line that is torn' })
    }
    const text = place.text()
    const lastLine = text.slice(text.indexOf('\n') + 1)
    const lengths = [1, 2, 20, 50, 100, 150, lastLine.length - 2, lastLine.length - 1]
    for (const length of lengths) {
      writeFileSync(place.path, text.slice(0, text.length - lastLine.length + length))
      {
        await using log = await place.open({ stream: streamOf('c') })
        await log.append({ type: 'start' })
      }

      const { problems, unreadable, streams } = place.verify()
      assert.deepEqual(problems, [], `torn after ${length}`)
      // Without its newline only, the line is whole again once that is there.
      assert.equal(
        unreadable.length,
        length === lastLine.length - 1 ? 0 : 1,
        `torn after ${length}`,
      )
      assert.deepEqual(
        streams.get(streamOf('c'))?.map(({ type }) => type),
        ['recovered', 'start'],
      )
    }
  })
})

async function runEightWriters(place: LogPlace, count: number, maxBytes?: number): Promise<void> {
  const streams = [...'abcdefgh'].map(streamOf)
  const writers = streams.map((stream) => startWriter(place.path, stream, count, maxBytes))
  const statuses = await Promise.all(writers.map(({ closed }) => closed))

  const verification = place.verify()

  assert.deepEqual(
    statuses,
    streams.map(() => ({ status: 0, signal: null })),
  )
  assert.deepEqual(verification.problems, [])
  assert.deepEqual(verification.unreadable, [])
  assert.deepEqual(verification.annulled, [])
  assert.deepEqual([...verification.streams.keys()].toSorted(), streams)
  for (const records of verification.streams.values()) {
    assert.deepEqual([records[0]?.type, records.at(-1)?.type], ['start', 'stop'])
  }
  const acknowledged = writers.flatMap((writer) => writer.acknowledged())
  assert.equal(acknowledged.length, 8 * count)
  assert.deepEqual(requestIds(verification).toSorted(), acknowledged.toSorted())
}

async function killWriters(maxBytes: number | undefined): Promise<void> {
  const seed = 20_260_115
  const next = random(seed)
  using place = makeLogPlace()
  await using witness = await place.open({ stream: streamOf('zz') })
  const acknowledged: string[] = []
  for (let kill = 0; kill < scaled(10); kill++) {
    const stream = streamOf(`k${toLetters(kill)}`)
    const writer = startWriter(place.path, stream, 1_000_000, maxBytes)
    await writer.isUnderWay
    await setTimeout(next() * 100)
    writer.kill()
    assert.deepEqual(await writer.closed, { status: null, signal: 'SIGKILL' })
    acknowledged.push(...writer.acknowledged())

    await witness.append({ type: 'witness' })
    await witness.append({ type: 'served', count: kill })

    const { problems, unreadable, streams } = place.verify()
    const known = new Set(requestIds(place.verify()))
    const about = `seed ${seed}, kill ${kill}`
    assert.deepEqual(problems, [], about)
    assert.ok(unreadable.length <= kill + 1, `${about}: more than one torn line a kill`)
    assert.deepEqual(
      acknowledged.filter((id) => !known.has(id)),
      [],
      about,
    )
    assert.equal(streams.get(witness.stream)?.at(-1)?.count, kill, about)
  }
  assert.ok(acknowledged.length > 0)
  assert.equal(place.rotated().length > 0, maxBytes !== undefined)
}

function startWriter(path: string, stream: string, count: number, maxBytes?: number) {
  const child = spawn(
    process.execPath,
    [WRITER, path, stream, String(count), ...(maxBytes ? [String(maxBytes)] : [])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    printed += text
  })
  return {
    acknowledged: () => printed.split('\n').filter((id) => id !== ''),
    closed: once(child, 'close').then(([status, signal]) => ({ status, signal })),
    isUnderWay: once(child.stdout, 'data'),
    kill: () => child.kill('SIGKILL'),
  }
}

/** `number` in letters of base32. */
function toLetters(number: number): string {
  return number
    .toString(26)
    .replace(/./g, (digit) => 'abcdefghijklmnopqrstuvwxyz'[Number.parseInt(digit, 26)] ?? '')
}
