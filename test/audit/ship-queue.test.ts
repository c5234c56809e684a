import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { suite, test } from 'node:test'
import { openShipQueue } from '../../src/audit/ship-queue.ts'
import { readShipState, statePath } from '../../src/audit/ship-state.ts'
import { SentinelError } from '../../src/errors.ts'
import { FilesOfALog } from './shipped-log.ts'

const SECRET_URL = 'https://logs.example/s3cr3t-path'

/** A queue of `log`, which another process must not have. */
async function openQueue(log: FilesOfALog, target = SECRET_URL, told: string[] = []) {
  const queue = await openShipQueue({
    path: log.path,
    target,
    receiver: target.startsWith('https') ? 'logs.example' : target,
    uid: process.geteuid?.(),
    host: 'laptop.example',
    pid: 4711,
    now: Date.now,
    onReturn: (text) => told.push(text),
  })
  return queue ?? assert.fail('the queue is taken')
}

async function textsOf(queue: Awaited<ReturnType<typeof openQueue>>): Promise<string[]> {
  return (await queue.next()).lines.map(({ text }) => text)
}

suite('the queue of what is to be shipped', () => {
  test('gives the same lines until they are taken', async () => {
    using log = new FilesOfALog()
    log.append()
    await using queue = await openQueue(log)
    assert.deepEqual(await textsOf(queue), log.written)
    log.append()
    assert.deepEqual(await textsOf(queue), log.written.slice(0, 1))
    await queue.taken(0)
    assert.deepEqual(await textsOf(queue), log.written.slice(1))
  })

  test('goes on, in the next process, behind what was taken', async () => {
    using log = new FilesOfALog()
    log.append()
    {
      await using queue = await openQueue(log)
      await queue.next()
      await queue.taken(0)
      log.append()
      // Sent, and the process died before it could say so.
      await queue.next()
    }
    await using next = await openQueue(log)
    assert.deepEqual(await textsOf(next), log.written.slice(1))
  })

  test('is one process’s at a time', async () => {
    using log = new FilesOfALog()
    log.append()
    const first = await openQueue(log)
    await assert.rejects(openQueue(log), /the queue is taken/)
    await first[Symbol.asyncDispose]()
    await using _ = await openQueue(log)
  })

  test('is not where there is no log', async () => {
    using log = new FilesOfALog()
    await assert.rejects(openQueue(log), { code: 'LOG_NOT_FOUND' })
    assert.ok(!existsSync(statePath(log.path)))
  })

  test('begins anew for another target, and says so', async () => {
    using log = new FilesOfALog()
    log.append()
    const told: string[] = []
    {
      await using queue = await openQueue(log, SECRET_URL, told)
      await queue.next()
      await queue.taken(0)
    }
    await using other = await openQueue(log, 'cloudwatch:/sentinel/host', told)
    assert.deepEqual(await textsOf(other), log.written)
    assert.deepEqual(told, [
      'the log went to logs.example before: all of it is shipped to cloudwatch:/sentinel/host now',
    ])
  })

  for (const [what, text] of [
    ['is no JSON', 'x'],
    ['is empty', ''],
    ['is of a later version', '{"version":2}'],
    ['lacks fields', '{"version":1}'],
    [
      'has a position that cannot be',
      `{"version":1,"target":"","receiver":"","lines":0,"dropped":0,"shipper":{"host":"","pid":1},
        "position":{"file":"${'0'.repeat(64)}","offset":-1}}`,
    ],
  ] as const) {
    test(`begins anew where what was kept ${what}, and says so`, async () => {
      using log = new FilesOfALog()
      log.append()
      writeFileSync(statePath(log.path), text, { mode: 0o600 })
      const told: string[] = []
      await using queue = await openQueue(log, SECRET_URL, told)
      assert.deepEqual(await textsOf(queue), log.written)
      assert.match(told.join(), /ship\.json cannot be understood/)
    })
  }

  const intruders: [what: string, put: (path: string) => void][] = [
    ['a file that is open to others', (path) => writeFileSync(path, '{}', { mode: 0o666 })],
    ['a symbolic link', (path) => symlinkSync('/dev/null', path)],
    ['a pipe', (path) => execFileSync('mkfifo', ['-m', '600', path])],
    [
      'a hard link',
      (path) => {
        writeFileSync(`${path}.other`, 'kept', { mode: 0o600 })
        linkSync(`${path}.other`, path)
      },
    ],
  ]
  for (const [what, put] of intruders) {
    for (const suffix of ['', '.new']) {
      test(`is not opened where ${what} stands in for .ship.json${suffix}`, async () => {
        using log = new FilesOfALog()
        log.append()
        const before = process.umask(0)
        put(`${statePath(log.path)}${suffix}`)
        process.umask(before)
        await assert.rejects(openQueue(log), SentinelError)
      })
    }
  }

  test('keeps what doctor tells, and no secret', async () => {
    using log = new FilesOfALog()
    log.append()
    log.append()
    await using queue = await openQueue(log)
    await queue.next()
    await queue.failed(new SentinelError('SHIPPING_FAILED', 'logs.example answered 500'))
    const failed = await readShipState(log.path, process.geteuid?.())
    assert.ok(typeof failed === 'object')
    assert.partialDeepStrictEqual(failed, {
      receiver: 'logs.example',
      lines: 0,
      shipper: { host: 'laptop.example', pid: 4711 },
      lastFailure: { code: 'SHIPPING_FAILED', message: 'logs.example answered 500' },
    })
    await queue.taken(1)
    const state = await readShipState(log.path, process.geteuid?.())
    assert.ok(typeof state === 'object')
    assert.partialDeepStrictEqual(state, { lines: 1, dropped: 1 })
    assert.equal(state.lastFailure, undefined)
    assert.match(String(state.lastSuccess), /^\d{4}-.*Z$/)
    assert.doesNotMatch(readFileSync(statePath(log.path), 'utf8'), /s3cr3t/)
    assert.equal(statSync(statePath(log.path)).mode & 0o777, 0o600)
  })

  test('says that what was taken could not be kept, until it can', async () => {
    using log = new FilesOfALog()
    log.append()
    {
      await using queue = await openQueue(log)
      await queue.next()
      // What is written first, before it takes the other's place.
      const draft = `${statePath(log.path)}.new`
      mkdirSync(draft)
      await assert.rejects(queue.taken(0), { code: 'LOG_UNAVAILABLE' })
      await queue.failed(new SentinelError('LOG_UNAVAILABLE', 'no room'))
      await assert.rejects(queue.next(), { code: 'LOG_UNAVAILABLE' })
      rmdirSync(draft)
      assert.deepEqual(await textsOf(queue), [])
    }
    await using next = await openQueue(log)
    assert.deepEqual(await textsOf(next), [])
  })

  test('does not begin anew over a state that it may not read', async (t) => {
    if (process.geteuid?.() === 0) return t.skip('root may read everything')
    using log = new FilesOfALog()
    log.append()
    writeFileSync(statePath(log.path), '{}')
    chmodSync(statePath(log.path), 0o000)
    await assert.rejects(openQueue(log), { code: 'LOG_UNREADABLE' })
    return undefined
  })
})
