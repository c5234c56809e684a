import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tryLock } from '../../src/audit/process-lock.ts'

const HOLDER = fileURLToPath(new URL('lock-holder.ts', import.meta.url))
const uid = process.getuid?.()

suite('a lock between processes', () => {
  test('is held by one at a time, and free once it is disposed of', () => {
    using place = makePlace()
    {
      using lock = tryLock(place.path, { uid })
      assert.ok(lock)
      assert.equal(tryLock(place.path, { uid }), undefined)
      // The one that was refused has taken nothing away from the one that holds it.
      assert.equal(tryLock(place.path, { uid }), undefined)
    }
    using again = tryLock(place.path, { uid })
    assert.ok(again)
  })

  test('is freed by the kernel when its holder is killed', async () => {
    using place = makePlace()
    const holder = startHolder(place.path)
    assert.equal(await holder.answer, 'held\n')
    assert.equal(tryLock(place.path, { uid }), undefined)

    holder.process.kill('SIGKILL')
    await once(holder.process, 'close')

    using lock = tryLock(place.path, { uid })
    assert.ok(lock)
    assert.equal(await startHolder(place.path).answer, 'refused\n')
  })

  test('keeps out others though one in this process was refused meanwhile', async () => {
    using place = makePlace()
    using lock = tryLock(place.path, { uid })
    assert.ok(lock)
    assert.equal(tryLock(place.path, { uid }), undefined)

    assert.equal(await startHolder(place.path).answer, 'refused\n')
  })

  test('is an empty file of its owner alone, and leaves no other', () => {
    using place = makePlace()
    const names = () => readdirSync(dirname(place.path))
    {
      using _lock = tryLock(place.path, { uid })
      assert.deepEqual(names(), [basename(place.path)])
    }
    assert.deepEqual(names(), [basename(place.path)])
    const { size, mode } = statSync(place.path)
    assert.deepEqual([size, mode & 0o777], [0, 0o600])
  })

  test('may have any name', () => {
    using place = makePlace()
    const path = join(dirname(place.path), 'a b?c#d%e\u{1f512}.lock')
    using _lock = tryLock(path, { uid })
    assert.deepEqual(readdirSync(dirname(path)), [basename(path)])
    assert.equal(tryLock(path, { uid }), undefined)
  })

  test('says when its file was deleted or replaced, which lets in another', () => {
    using place = makePlace()
    using lock = tryLock(place.path, { uid })
    assert.equal(lock?.isInPlace(), true)
    rmSync(place.path)
    assert.equal(lock?.isInPlace(), false)

    using another = tryLock(place.path, { uid })
    assert.equal(another?.isInPlace(), true)
    assert.equal(lock?.isInPlace(), false)
    renameSync(place.path, `${place.path}.old`)
    assert.equal(another?.isInPlace(), false)
  })
})

suite('a lock file is refused', () => {
  test('when it is a link, even one that leads nowhere', () => {
    using place = makePlace()
    const target = join(dirname(place.path), 'target')
    symlinkSync(target, place.path)
    const refusal = { code: 'FILE_UNTRUSTED', message: /symbolic link/ }
    assert.throws(() => tryLock(place.path, { uid }), refusal)
    assert.throws(() => statSync(target), { code: 'ENOENT' })
    writeFileSync(target, '', { mode: 0o600 })
    assert.throws(() => tryLock(place.path, { uid }), refusal)
  })

  test('when it has a second name, or is no regular file', () => {
    using place = makePlace()
    writeFileSync(place.path, '', { mode: 0o600 })
    linkSync(place.path, `${place.path}.too`)
    assert.throws(() => tryLock(place.path, { uid }), { code: 'FILE_UNTRUSTED', message: /hard/ })
    rmSync(place.path)
    mkdirSync(place.path, { mode: 0o700 })
    assert.throws(() => tryLock(place.path, { uid }), { code: 'FILE_UNTRUSTED' })
  })

  test('when it is open to others', () => {
    using place = makePlace()
    writeFileSync(place.path, '')
    chmodSync(place.path, 0o620)
    assert.throws(() => tryLock(place.path, { uid }), {
      code: 'FILE_UNTRUSTED',
      hint: `run chmod 600 ${place.path}, or name another log file`,
    })
  })

  test("when it is somebody else's", () => {
    using place = makePlace()
    writeFileSync(place.path, '', { mode: 0o600 })
    if (uid === 0) chownSync(place.path, 12_345, 12_345)
    assert.throws(() => tryLock(place.path, { uid: uid === 0 ? 0 : uid! + 1 }), {
      code: 'FILE_UNTRUSTED',
      message: /belongs to another user/,
    })
  })

  test('when it holds something else, which stays as it is', () => {
    using place = makePlace()
    writeFileSync(place.path, 'something else '.repeat(100), { mode: 0o600 })
    assert.throws(() => tryLock(place.path, { uid }), {
      code: 'LOG_UNAVAILABLE',
      message: `lock file ${place.path} cannot be locked: file is not a database`,
    })
    assert.equal(statSync(place.path).size, 1500)
  })

  test('when it cannot be made', () => {
    using place = makePlace()
    assert.throws(() => tryLock(join(place.path, 'nowhere'), { uid }), {
      code: 'LOG_UNAVAILABLE',
      message: /cannot be made: ENOENT/,
    })
  })
})

function makePlace() {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-lock-'))
  return { path: join(directory.path, 'x.lock'), [Symbol.dispose]: () => directory.remove() }
}

function startHolder(path: string) {
  const child = spawn(process.execPath, [HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const answer = once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text))
  return { process: child, answer }
}
