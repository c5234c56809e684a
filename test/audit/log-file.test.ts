import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { issued, makeLogPlace } from './log-fixture.ts'

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

  test("may be in a directory of the user's choice that others can enter", async () => {
    using place = makeLogPlace()
    const directory = dirname(place.path)
    chmodSync(directory, 0o755)

    await using _log = await place.open({ directory: 'chosen' })

    assert.equal(statSync(place.path).mode & 0o777, 0o600)
  })

  test("is refused in a directory of the user's choice that others can change", async () => {
    using place = makeLogPlace()
    const directory = dirname(place.path)
    chmodSync(directory, 0o775)

    await assert.rejects(place.open({ directory: 'chosen' }), {
      code: 'FILE_UNTRUSTED',
      hint: `run chmod go-w ${directory}, or name another log file`,
    })
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
    assert.equal(spawnSync('sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', place.path]).status, 0)
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
