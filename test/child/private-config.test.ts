import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, suite, test } from 'node:test'
import { writePrivateConfig } from '../../src/child/private-config.ts'
import { hasCode } from '../../src/errors.ts'

const root = mkdtempSync(join(tmpdir(), 'private-config-'))
after(() => rmSync(root, { recursive: true }))

const TEXT = '[default]\nregion = eu-central-1\n'

suite('the private config', () => {
  test('holds the text given and an empty credentials file, for the owner alone', () => {
    using files = writePrivateConfig({ temporaryDirectory: place('mode', 0o700) }, TEXT)

    assert.equal(readFileSync(files.config, 'utf8'), TEXT)
    assert.equal(readFileSync(files.credentials, 'utf8'), '')
    assert.equal(modeOf(files.config), 0o600)
    assert.equal(modeOf(files.credentials), 0o600)
    assert.equal(modeOf(dirname(files.config)), 0o700)
  })

  test('gets a directory of its own each time', () => {
    const temporaryDirectory = place('fresh', 0o700)
    using one = writePrivateConfig({ temporaryDirectory }, TEXT)
    using two = writePrivateConfig({ temporaryDirectory }, TEXT)

    assert.notEqual(dirname(one.config), dirname(two.config))
  })

  test('is gone with its directory when disposed, and disposing again does nothing', () => {
    const temporaryDirectory = place('gone', 0o700)
    const listeners = process.listenerCount('exit')
    const files = writePrivateConfig({ temporaryDirectory }, TEXT)
    writeFileSync(join(dirname(files.config), 'left by the child'), '')

    files[Symbol.dispose]()
    files[Symbol.dispose]()

    assert.deepEqual(readdirSync(temporaryDirectory), [])
    assert.equal(process.listenerCount('exit'), listeners)
  })

  test('goes to the runtime directory when that is ours alone', () => {
    const runtimeDirectory = place('runtime', 0o700)
    const temporaryDirectory = place('not-used', 0o700)
    using files = writePrivateConfig({ runtimeDirectory, temporaryDirectory }, TEXT)

    assert.equal(dirname(dirname(files.config)), runtimeDirectory)
  })

  for (const [reason, runtimeDirectory] of [
    ['is open to others', place('open', 0o755)],
    ['does not exist', join(root, 'missing')],
    ['is relative', relative(process.cwd(), place('relative', 0o700))],
  ] as const) {
    test(`goes to the temporary directory when the runtime directory ${reason}`, () => {
      const temporaryDirectory = place('instead', 0o700)
      using files = writePrivateConfig({ runtimeDirectory, temporaryDirectory }, TEXT)

      assert.equal(dirname(dirname(files.config)), temporaryDirectory)
    })
  }

  test('is not written where others could replace it', () => {
    const temporaryDirectory = place('shared', 0o777)
    assert.throws(
      () => writePrivateConfig({ temporaryDirectory }, TEXT),
      (error) => hasCode(error, 'FILE_UNTRUSTED'),
    )
    assert.deepEqual(readdirSync(temporaryDirectory), [])
  })

  test('is written to a shared directory that is sticky, as /tmp is', () => {
    using files = writePrivateConfig({ temporaryDirectory: place('sticky', 0o1777) }, TEXT)

    assert.equal(readFileSync(files.config, 'utf8'), TEXT)
  })

  test('is an expected failure when there is no place for it', () => {
    assert.throws(
      () => writePrivateConfig({ temporaryDirectory: join(root, 'missing') }, TEXT),
      (error) => hasCode(error, 'PRIVATE_CONFIG_UNAVAILABLE'),
    )
  })
})

function place(name: string, mode: number): string {
  const directory = join(root, name)
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, mode)
  return directory
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777
}
