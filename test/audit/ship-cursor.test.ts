import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ShipCursor, type ShipPosition } from '../../src/audit/ship-cursor.ts'
import { LineBatch, NO_TAIL } from '../../src/audit/ship-lines.ts'
import { NOON } from '../fixtures/policies.ts'
import { random, scaled } from '../fixtures/random.ts'
import { FilesOfALog } from './shipped-log.ts'

const uid = process.geteuid?.()
/** Long after whatever was written last. */
const LATER = 60_000

function openCursor(log: FilesOfALog, position?: ShipPosition, age = LATER) {
  const returns: string[] = []
  const cursor = new ShipCursor(
    { path: log.path, uid, now: () => Date.now() + age, onReturn: (why) => returns.push(why) },
    position,
  )
  return {
    cursor,
    returns,
    /** The texts of all that is there now. */
    async all(): Promise<string[]> {
      const texts: string[] = []
      for (;;) {
        const { lines } = await cursor.read()
        if (lines.length === 0) return texts
        texts.push(...lines.map(({ text }) => text))
      }
    },
    [Symbol.asyncDispose]: () => cursor[Symbol.asyncDispose](),
  }
}

suite('ShipCursor', () => {
  test('reads every file in its order, compressed or not, then what is added', async () => {
    using log = new FilesOfALog()
    for (const isCompressed of [true, false]) {
      for (let line = 0; line < 3; line++) log.append()
      const moved = log.rotate()
      if (isCompressed) log.compress(moved)
    }
    log.append()
    await using reading = openCursor(log)

    assert.deepEqual(await reading.all(), log.written)
    const next = log.append()
    assert.deepEqual(await reading.all(), [next])
    assert.deepEqual(await reading.all(), [])
    assert.deepEqual(reading.returns, [])
  })

  test('gives each line with the time that it says, and a torn one with that before', async () => {
    using log = new FilesOfALog()
    log.append()
    log.appendHalf()
    log.append()
    await using reading = openCursor(log)
    const { lines } = await reading.cursor.read()
    assert.deepEqual(
      lines.map(({ time }) => time),
      [NOON + 1, NOON + 1, NOON + 3],
    )
  })

  test('waits with half a line until its newline is there', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    log.appendHalf()
    await using reading = openCursor(log)
    assert.deepEqual(await reading.all(), [first])
    log.appendHalf()
    assert.deepEqual(await reading.all(), log.written.slice(1))
  })

  test('waits with a file that has only half a line', async () => {
    using log = new FilesOfALog()
    log.appendHalf()
    await using reading = openCursor(log)
    assert.deepEqual(await reading.all(), [])
    log.appendHalf()
    assert.deepEqual(await reading.all(), log.written)
  })

  test('leaves a file that was moved aside when no writer can come back to it', async () => {
    using log = new FilesOfALog()
    log.append()
    let age = 0
    const options = { path: log.path, uid, now: () => Date.now() + age, onReturn: assert.fail }
    await using cursor = new ShipCursor(options)
    await cursor.read()
    log.appendHalf()
    log.rotate()
    const last = log.append()

    assert.deepEqual(await cursor.read(), { lines: [], mayMoreFollow: true })
    age = LATER
    const { lines } = await cursor.read()
    assert.deepEqual(
      lines.map(({ text }) => text),
      [...log.written.slice(1, 2), last],
    )
  })

  test('goes on in a file that was moved and compressed since', async () => {
    using log = new FilesOfALog()
    log.append()
    let position: ShipPosition | undefined
    {
      await using before = openCursor(log)
      await before.all()
      position = before.cursor.position
    }
    log.append()
    log.compress(log.rotate())
    log.append()
    await using after = openCursor(log, position)
    assert.deepEqual(await after.all(), log.written.slice(1))
    assert.deepEqual(after.returns, [])
  })

  test('begins with the oldest file when that of the position is gone, and says so once', async () => {
    using log = new FilesOfALog()
    log.append()
    log.rotate()
    log.append()
    await using reading = openCursor(log, { file: '0'.repeat(64), offset: 7, tail: NO_TAIL })
    assert.deepEqual(await reading.all(), log.written)
    assert.deepEqual(await reading.all(), [])
    assert.equal(reading.returns.length, 1)
    assert.match(reading.returns[0] ?? '', /is gone: all that is left is shipped$/)
  })

  test('begins a file again that was cut under it, and says so', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    log.append()
    await using reading = openCursor(log)
    await reading.all()
    truncateSync(log.path, first.length + 1)
    assert.deepEqual(await reading.all(), [first])
    assert.match(reading.returns.join(), /was cut/)
  })

  test('begins a file again that lost its end and has grown since, and says so', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    log.append()
    await using before = openCursor(log)
    await before.all()
    truncateSync(log.path, first.length + 1)
    for (let line = 0; line < 5; line++) log.append()
    await using after = openCursor(log, before.cursor.position)
    assert.deepEqual(await after.all(), [first, ...log.written.slice(2)])
    assert.match(after.returns.join(), /was cut/)
  })

  test('ships another log that stands in its place', async () => {
    using log = new FilesOfALog()
    log.append()
    await using reading = openCursor(log)
    await reading.all()
    unlinkSync(log.path)
    assert.deepEqual(await reading.all(), [])
    const next = log.append()
    assert.deepEqual(await reading.all(), [next])
    assert.match(reading.returns.join(), /is gone/)
  })

  test('takes the file that grows for its own, not a copy of it', async () => {
    using log = new FilesOfALog()
    log.append()
    await using before = openCursor(log)
    await before.all()
    copyFileSync(log.path, `${log.path}.20260114T090000123Z`)
    const next = log.append()
    await using after = openCursor(log, before.cursor.position)
    assert.deepEqual(await after.all(), [next])
  })

  test('passes over blank lines and empty files', async () => {
    using log = new FilesOfALog()
    writeFileSync(`${log.path}.20260113T090000123Z`, '', { mode: 0o600 })
    writeFileSync(log.path, '\n\n', { mode: 0o600 })
    log.append()
    await using reading = openCursor(log)
    assert.deepEqual(await reading.all(), log.written)
  })

  test('gives at most 500 lines and 512 KiB at once, in order', async () => {
    using log = new FilesOfALog()
    for (let line = 0; line < 700; line++) log.append(line < 100 ? 'x'.repeat(7_000) : '')
    await using reading = openCursor(log)
    const batches: string[][] = []
    for (;;) {
      const { lines } = await reading.cursor.read()
      if (lines.length === 0) break
      batches.push(lines.map(({ text }) => text))
    }
    assert.deepEqual(batches.flat(), log.written)
    for (const batch of batches) {
      assert.ok(batch.length <= 500)
      assert.ok(batch.join('\n').length < 512 * 1024)
    }
    assert.ok(batches.length < 5)
  })

  test('gives what has no end in pieces', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    writeFileSync(log.path, `${first}\n${'\0'.repeat(200_000)}\n`, { mode: 0o600 })
    log.append()
    await using reading = openCursor(log)
    const texts = await reading.all()
    assert.equal(texts.slice(1, -1).join(''), '\0'.repeat(200_000))
    assert.ok(texts.every((text) => text.length <= 64 * 1024))
    assert.equal(texts.at(-1), log.written.at(-1))
  })

  test('gives what it has before it tells that the next file cannot be read', async () => {
    using log = new FilesOfALog()
    log.append()
    log.compress(log.rotate())
    log.append()
    const broken = log.rotate()
    writeFileSync(`${broken}.gz`, 'no gzip at all', { mode: 0o600 })
    unlinkSync(broken)
    await using reading = openCursor(log)
    const { lines } = await reading.cursor.read()
    assert.equal(lines.length, 1)
    for (let again = 0; again < 2; again++) {
      await assert.rejects(reading.cursor.read(), { code: 'LOG_UNREADABLE' })
    }
  })

  test('reads nothing that others could have written, nor through links', async () => {
    using log = new FilesOfALog()
    log.append()
    const moved = log.rotate()
    chmodSync(moved, 0o666)
    await using open = openCursor(log)
    await assert.rejects(open.all(), { code: 'FILE_UNTRUSTED' })
    unlinkSync(moved)
    symlinkSync('/dev/null', log.path)
    await using linked = openCursor(log)
    await assert.rejects(linked.all(), { code: 'FILE_UNTRUSTED' })
  })

  test('knows how much is left', async () => {
    using log = new FilesOfALog()
    const bytes = () => log.written.reduce((sum, line) => sum + line.length + 1, 0)
    for (let line = 0; line < 10; line++) log.append()
    log.compress(log.rotate())
    const [all, first] = [bytes(), log.written[0] ?? '']
    log.append()
    const live = bytes() - all
    await using reading = openCursor(log)
    assert.equal(await reading.cursor.left(), all + live)
    await reading.cursor.read(new LineBatch(1))
    assert.equal(await reading.cursor.left(), all + live - first.length - 1)
    await reading.all()
    assert.equal(await reading.cursor.left(), 0)
  })

  test('skips nothing, and repeats only what was not kept as read, whatever happens', async () => {
    for (let seed = 1; seed <= scaled(40); seed++) await live(seed)
  })
})

/** A log's life of 60 steps under a reader that is killed now and then. */
async function live(seed: number): Promise<void> {
  const chance = random(seed)
  const pick = (count: number) => Math.floor(chance() * count)
  using log = new FilesOfALog()
  const moved: string[] = []
  let saved: { position: ShipPosition | undefined; count: number } = {
    position: undefined,
    count: 0,
  }
  let reading = openCursor(log)
  let count = 0

  const read = async () => {
    const { lines } = await reading.cursor.read(new LineBatch(1 + pick(8)))
    const texts = lines.map(({ text }) => text)
    assert.deepEqual(texts, log.written.slice(count, count + texts.length), `seed ${seed}`)
    count += texts.length
    return texts.length
  }
  const changes = [
    () => void log.append('x'.repeat(pick(300))),
    () => void log.append(),
    () => log.appendHalf(),
    () => log.prepareRotation(),
    () => void (log.hasLive && moved.push(log.rotate())),
    () => log.compress(moved[pick(moved.length)] ?? ''),
  ]
  const change = () => changes[pick(changes.length)]?.()
  const actions = [
    change,
    change,
    change,
    read,
    async () => {
      const pending = read()
      for (let turn = pick(12); turn > 0; turn--) await setImmediate()
      change()
      change()
      await pending
    },
    () => {
      saved = { position: reading.cursor.position, count }
    },
    async () => {
      await reading.cursor[Symbol.asyncDispose]()
      reading = openCursor(log, saved.position)
      count = saved.count
    },
  ]
  for (let step = 0; step < 100; step++) await actions[pick(actions.length)]?.()
  log.append()
  while ((await read()) > 0);
  await reading.cursor[Symbol.asyncDispose]()
  assert.equal(count, log.written.length, `seed ${seed}`)
  assert.deepEqual(reading.returns, [], `seed ${seed}`)
}
