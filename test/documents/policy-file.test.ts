import assert from 'node:assert/strict'
import { chmodSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { suite, test } from 'node:test'
import { openPolicyFile } from '../../src/documents/policy-file.ts'
import { SAMPLE } from './documents.ts'

const uid = process.getuid?.()
const { signal } = new AbortController()

suite('openPolicyFile', () => {
  test('reads the file again at each fetch', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    const source = openPolicyFile(path, { uid })

    writeFileSync(path, SAMPLE)
    assert.deepEqual(await source.fetch(signal), { text: SAMPLE })
    writeFileSync(path, '# changed')
    assert.deepEqual(await source.fetch(signal), { text: '# changed' })
  })

  test('refers to the file by its absolute path', () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    assert.equal(openPolicyFile(relative('.', path), { uid }).reference, `file:${path}`)
  })

  test('rejects when there is no file', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    await assert.rejects(openPolicyFile(path, { uid }).fetch(signal), {
      code: 'POLICY_NOT_FOUND',
      message: `there is no policy at ${path}`,
    })
  })

  test('rejects a file that others may write', { skip: uid === undefined }, async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, SAMPLE)
    chmodSync(path, 0o666)
    await assert.rejects(openPolicyFile(path, { uid }).fetch(signal), { code: 'FILE_UNTRUSTED' })
  })

  test('rejects a file over 64 KiB, and one that is no text', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    const source = openPolicyFile(path, { uid })

    writeFileSync(path, 'x'.repeat(65_537))
    await assert.rejects(source.fetch(signal), {
      code: 'POLICY_INVALID',
      message: `${path}:1:65537: the document is larger than 65536 bytes`,
    })
    writeFileSync(path, Buffer.from([0xff, 0xfe]))
    await assert.rejects(source.fetch(signal), { code: 'POLICY_INVALID' })
  })

  test('rejects when the caller waits no longer', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'policy-'))
    const path = join(root.path, 'policy.yaml')
    writeFileSync(path, SAMPLE)
    await assert.rejects(openPolicyFile(path, { uid }).fetch(AbortSignal.abort()), {
      code: 'POLICY_UNAVAILABLE',
      message: `${path} could not be read in time`,
    })
  })
})
