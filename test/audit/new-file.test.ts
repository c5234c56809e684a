import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempDisposableSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { writeNewFile } from '../../src/audit/new-file.ts'

suite('writeNewFile', () => {
  test('writes for the owner alone', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'new-file-'))
    const path = join(directory.path, 'statement.json')
    await writeNewFile(path, 'signed\n')
    assert.equal(readFileSync(path, 'utf8'), 'signed\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('leaves alone what is there, and follows no link', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'new-file-'))
    const [path, link, target] = ['a', 'link', 'target'].map((name) => join(directory.path, name))
    writeFileSync(path!, 'before')
    symlinkSync(target!, link!)
    for (const there of [path!, link!]) {
      await assert.rejects(writeNewFile(there, 'x'), {
        code: 'FILE_NOT_WRITTEN',
        message: `nothing was written: ${there} is there already`,
      })
    }
    assert.equal(readFileSync(path!, 'utf8'), 'before')
    assert.ok(!existsSync(target!))
  })

  test('says why the system does not allow it', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'new-file-'))
    const path = join(directory.path, 'nowhere', 'x')
    await assert.rejects(writeNewFile(path, 'x'), { code: 'FILE_NOT_WRITTEN', message: /ENOENT/ })
  })
})
