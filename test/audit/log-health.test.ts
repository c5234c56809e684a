import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { inspectLog } from '../../src/audit/log-health.ts'
import { inspectShipping } from '../../src/audit/ship-health.ts'
import { openShipQueue } from '../../src/audit/ship-queue.ts'
import { NOON } from '../fixtures/policies.ts'
import { FilesOfALog } from './shipped-log.ts'

const uid = process.geteuid?.()
const look = (path: string) => inspectLog({ path, uid, directory: 'private' })

suite('the health of a log', () => {
  test('is told by its files', async () => {
    using log = new FilesOfALog()
    log.append()
    log.compress(log.rotate())
    log.append()
    const moved = log.rotate()
    const line = log.append()
    const { rotatedBytes, ...health } = await look(log.path)
    assert.deepEqual(health, {
      path: log.path,
      bytes: line.length + 1,
      rotated: 2,
      isTorn: false,
    })
    assert.ok(rotatedBytes > statSync(moved).size)
  })

  test('has a line that is torn', async () => {
    using log = new FilesOfALog()
    log.appendHalf()
    assert.equal((await look(log.path)).isTorn, true)
  })

  test('needs nothing, and makes nothing', async () => {
    using log = new FilesOfALog()
    const path = join(dirname(log.path), 'a/b/decisions.jsonl')
    assert.deepEqual(await look(path), { path, isTorn: false, rotated: 0, rotatedBytes: 0 })
    assert.ok(!existsSync(join(dirname(log.path), 'a')))
  })

  test('is bad where others may read it, or where it is no file', async () => {
    using log = new FilesOfALog()
    log.append()
    chmodSync(log.path, 0o644)
    await assert.rejects(look(log.path), { code: 'FILE_UNTRUSTED', message: /mode 0644/ })
    const directory = dirname(log.path)
    symlinkSync(log.path, join(directory, 'link'))
    await assert.rejects(look(join(directory, 'link')), { code: 'FILE_UNTRUSTED', message: /link/ })
    mkdirSync(join(directory, 'there'), { mode: 0o700 })
    await assert.rejects(look(join(directory, 'there')), { code: 'FILE_UNTRUSTED' })
    chmodSync(directory, 0o755)
    await assert.rejects(look(log.path), { code: 'FILE_UNTRUSTED', message: /mode 0755/ })
  })

  test('is bad where something else stands in the way of its directory', async () => {
    using log = new FilesOfALog()
    log.append()
    for (const path of ['decisions.jsonl', 'below/decisions.jsonl']) {
      await assert.rejects(look(join(log.path, path)), { code: 'LOG_UNAVAILABLE' })
    }
  })
})

suite('the health of shipping', () => {
  const options = (log: FilesOfALog, target = 'https://logs.example/s3cr3t') => ({
    ...{ path: log.path, target, receiver: URL.parse(target)?.host ?? '' },
    ...{ uid, host: 'laptop', pid: 7, now: Date.now, onReturn: () => {} },
  })

  test('knows what waits, and since when', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    const before = await inspectShipping(options(log))
    assert.partialDeepStrictEqual(before, { behind: first.length + 1, oldest: NOON + 1, lines: 0 })
    {
      await using queue = await openShipQueue(options(log))
      await queue?.next()
      await queue?.taken(0)
      const during = await inspectShipping(options(log))
      assert.partialDeepStrictEqual(during, { behind: 0, shipper: { host: 'laptop', pid: 7 } })
      assert.equal(during.oldest, undefined)
    }
    const next = [log.append(), log.append()]
    const after = await inspectShipping(options(log))
    assert.equal(after.shipper, undefined)
    assert.equal(after.behind, next.join('').length + 2)
    assert.equal(after.oldest, NOON + 2)
    assert.equal(after.lines, 1)
  })

  test('knows that it went elsewhere before', async () => {
    using log = new FilesOfALog()
    const first = log.append()
    {
      await using queue = await openShipQueue(options(log))
      await queue?.next()
      await queue?.taken(0)
    }
    const health = await inspectShipping(options(log, 'https://other.example/'))
    assert.partialDeepStrictEqual(health, {
      receiver: 'other.example',
      before: 'logs.example',
      behind: first.length + 1,
      lines: 0,
    })
  })

  test('needs no log, and makes nothing', async () => {
    using log = new FilesOfALog()
    assert.partialDeepStrictEqual(await inspectShipping(options(log)), { behind: 0 })
    assert.ok(!existsSync(`${log.path}.ship.lock`))
    writeFileSync(`${log.path}.ship.json`, 'x', { mode: 0o600 })
    assert.partialDeepStrictEqual(await inspectShipping(options(log)), { behind: 0, lines: 0 })
  })
})
