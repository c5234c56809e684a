import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempDisposableSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { readTrustedFile } from '../../src/documents/trusted-file.ts'
import { hasCode } from '../../src/errors.ts'

const uid = process.getuid?.()
const read = (path: string, maxBytes = 100) => readTrustedFile(path, { uid, maxBytes })

/** The message and hint of the refusal of `path`, with `root` for the test's own directory. */
async function refusal(path: string, root: string, reading = read(path)): Promise<string> {
  const error = await reading.then(
    () => assert.fail(`${path} was read`),
    (error: unknown) => error,
  )
  assert.ok(hasCode(error, 'FILE_UNTRUSTED'), String(error))
  return `${error.message} | ${error.hint}`.replaceAll(root, 'ROOT')
}

suite('readTrustedFile', { skip: uid === undefined && 'there are no owners here' }, () => {
  test('reads a file of the user', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, 'ä: 1\n', { mode: 0o644 })
    assert.equal(await read(path), 'ä: 1\n')
  })

  test('answers undefined when there is nothing', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    writeFileSync(join(root.path, 'file'), '')
    symlinkSync('nowhere', join(root.path, 'link'))
    for (const name of ['missing', 'missing/policy.yaml', 'file/policy.yaml', 'link']) {
      assert.equal(await read(join(root.path, name)), undefined, name)
    }
  })

  for (const mode of [0o640, 0o604, 0o611]) {
    test(`refuses a secret of mode ${mode.toString(8)}, under the code that is asked for`, async () => {
      using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
      const path = join(root.path, 'key.pem')
      writeFileSync(path, 'a')
      chmodSync(path, mode)
      await assert.rejects(
        readTrustedFile(path, { uid, maxBytes: 100, isSecret: true, invalid: 'KEY_INVALID' }),
        {
          code: 'KEY_INVALID',
          message: `${path} may be read by other users (mode 0${mode.toString(8)})`,
          hint: `run: chmod 600 ${path}, and make another one if somebody has read it`,
        },
      )
      assert.equal(await read(path), 'a')
      chmodSync(path, 0o600)
      assert.equal(await readTrustedFile(path, { uid, maxBytes: 100, isSecret: true }), 'a')
    })
  }

  for (const [who, mode] of [
    ['a group', 0o664],
    ['everybody', 0o646],
  ] as const) {
    test(`refuses a file that ${who} may write`, async () => {
      using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
      const path = join(root.path, 'policy.yaml')
      writeFileSync(path, 'a: 1')
      chmodSync(path, mode)
      assert.equal(
        await refusal(path, root.path),
        'ROOT/policy.yaml may be changed by other users | run: chmod go-w ROOT/policy.yaml',
      )
    })

    test(`refuses a file in a directory that ${who} may write`, async () => {
      using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
      const path = join(root.path, 'open', 'deeper', 'policy.yaml')
      mkdirSync(join(root.path, 'open', 'deeper'), { recursive: true })
      writeFileSync(path, 'a: 1')
      chmodSync(join(root.path, 'open'), mode | 0o111)
      assert.equal(
        await refusal(path, root.path),
        'ROOT/open may be changed by other users | run: chmod go-w ROOT/open',
      )
    })
  }

  test('refuses a file of another user', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, 'a: 1')
    const other = uid === 0 ? 0 : 4242
    if (uid === 0) chownSync(path, 4242, -1)
    const reading = readTrustedFile(path, { uid: other, maxBytes: 100 })
    const owner = uid === 0 ? 4242 : uid
    assert.match(
      await refusal(path, root.path, reading),
      new RegExp(`belongs to another user \\(uid ${owner}\\) \\| run: chown ${other} `),
    )
  })

  test('trusts what belongs to root', { skip: uid !== 0 && 'only root can try' }, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, 'a: 1')
    assert.equal(await readTrustedFile(path, { uid: 4242, maxBytes: 100 }), 'a: 1')
  })

  test('refuses a link of another user in a sticky directory', {
    skip: uid !== 0 && 'only root can try',
  }, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    writeFileSync(join(root.path, 'policy.yaml'), 'a: 1')
    execFileSync('ln', ['-s', 'policy.yaml', join(root.path, 'link')])
    execFileSync('chown', ['-h', '4242', join(root.path, 'link')])
    chmodSync(root.path, 0o1777)
    assert.equal(
      await refusal(join(root.path, 'link'), root.path),
      'ROOT/link belongs to another user (uid 4242) | run: chown -h 0 ROOT/link',
    )
  })

  test('follows links to a target that passes too', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    mkdirSync(join(root.path, 'a', 'b'), { recursive: true })
    mkdirSync(join(root.path, 'c'))
    writeFileSync(join(root.path, 'c', 'policy.yaml'), 'a: 1')
    symlinkSync('../../c', join(root.path, 'a', 'b', 'relative'))
    symlinkSync(join(root.path, 'a', 'b'), join(root.path, 'absolute'))
    assert.equal(await read(join(root.path, 'absolute', 'relative', 'policy.yaml')), 'a: 1')
    // The parent of a linked directory is that of its target.
    assert.equal(await read(`${root.path}/absolute/../../c/policy.yaml`), 'a: 1')
  })

  test('refuses a link to a target that does not pass', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    mkdirSync(join(root.path, 'open'))
    writeFileSync(join(root.path, 'open', 'policy.yaml'), 'a: 1')
    chmodSync(join(root.path, 'open'), 0o777)
    symlinkSync('open/policy.yaml', join(root.path, 'link'))
    assert.match(await refusal(join(root.path, 'link'), root.path), /^ROOT\/open may be changed/)
  })

  test('refuses a link in a directory that others may write, whatever it leads to', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    mkdirSync(join(root.path, 'open'))
    writeFileSync(join(root.path, 'policy.yaml'), 'a: 1')
    symlinkSync('../policy.yaml', join(root.path, 'open', 'link'))
    chmodSync(join(root.path, 'open'), 0o777)
    assert.match(await refusal(join(root.path, 'open', 'link'), root.path), /^ROOT\/open may be/)
  })

  test('refuses links that lead to each other', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    symlinkSync('b', join(root.path, 'a'))
    symlinkSync('a', join(root.path, 'b'))
    assert.match(await refusal(join(root.path, 'a'), root.path), /is a link that leads to itself/)
  })

  test('refuses what is no regular file, without waiting for it', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    mkdirSync(join(root.path, 'directory'))
    execFileSync('mkfifo', [join(root.path, 'pipe')])
    for (const name of ['directory', 'pipe']) {
      assert.match(
        await refusal(join(root.path, name), root.path),
        new RegExp(`^ROOT/${name} is not a regular file`),
      )
    }
  })

  test('quotes a path in the command to run', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, "it's mine.yaml")
    writeFileSync(path, 'a: 1')
    chmodSync(path, 0o666)
    assert.match(await refusal(path, root.path), /run: chmod go-w 'ROOT\/it'\\''s mine.yaml'$/)
  })

  test('reads a file of exactly the limit, and says where a longer one crosses it', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, 'a: 1\nb: 2\n')
    assert.equal(await read(path, 10), 'a: 1\nb: 2\n')
    await assert.rejects(read(path, 7), {
      code: 'CONFIG_INVALID',
      message: `${path}:2:3: the document is larger than 7 bytes`,
    })
  })

  test('says where text is not UTF-8', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, Buffer.concat([Buffer.from('a: \ufffd\nb: é'), Buffer.from([0xe9, 0x0a])]))
    await assert.rejects(read(path), {
      code: 'CONFIG_INVALID',
      message: `${path}:2:5: this is not UTF-8 text`,
      hint: 'save the file as UTF-8',
    })
  })

  test('looks at no owners where there are none', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'trusted-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, 'a: 1')
    chmodSync(path, 0o666)
    assert.equal(await readTrustedFile(path, { uid: undefined, maxBytes: 100 }), 'a: 1')
  })
})
