import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, suite, test } from 'node:test'
import { resolveCommand } from '../../src/child/resolve-command.ts'
import { hasCode, type SentinelError } from '../../src/errors.ts'

const root = mkdtempSync(join(tmpdir(), 'resolve-command-'))
after(() => rmSync(root, { recursive: true }))

const first = join(root, 'first')
const second = join(root, 'second')
for (const directory of [first, second, join(first, 'folder')]) mkdirSync(directory)
place(first, 'plain', 0o644)
place(first, 'twice', 0o644)
place(second, 'twice', 0o755)
place(second, 'tool', 0o755)
const PATH = `${first}:${second}`

suite('a command', () => {
  test('without a slash is found along PATH', () => {
    assert.deepEqual(resolveCommand('tool', { PATH }), { name: 'tool', path: join(second, 'tool') })
  })

  test('is the first that can be executed, not the first of its name', () => {
    assert.equal(resolveCommand('twice', { PATH }).path, join(second, 'twice'))
  })

  test('with a slash is taken as a path, whatever PATH says', () => {
    const path = join(second, 'tool')
    assert.deepEqual(resolveCommand(path, { PATH: '' }), { name: path, path })
  })

  test('is found through a relative part of PATH', () => {
    const part = relative(process.cwd(), second)
    assert.equal(resolveCommand('tool', { PATH: part }).path, `${part}/tool`)
  })

  test('is found in the current directory through an empty part of PATH', () => {
    const elsewhere = process.cwd()
    process.chdir(second)
    try {
      assert.equal(resolveCommand('tool', { PATH: `${first}:` }).path, './tool')
    } finally {
      process.chdir(elsewhere)
    }
  })

  test('is found in the usual places without any PATH', () => {
    assert.match(resolveCommand('sh', {}).path, /^\/(usr\/)?bin\/sh$/)
  })

  for (const name of ['nowhere', '', 'folder']) {
    test(`that PATH does not have is status 127: "${name}"`, () => {
      assert.equal(refusal(name).code, 'COMMAND_NOT_FOUND')
      assert.equal(refusal(name).exitCode, 127)
    })
  }

  test('that is a path to nothing is status 127', () => {
    assert.equal(refusal(join(first, 'nowhere')).exitCode, 127)
    assert.equal(refusal(join(first, 'plain', 'below-a-file')).exitCode, 127)
  })

  test('without the permission is status 126, by name and by path', () => {
    for (const name of ['plain', join(first, 'plain')]) {
      const error = refusal(name)
      assert.equal(error.code, 'COMMAND_NOT_EXECUTABLE')
      assert.equal(error.exitCode, 126)
      assert.equal(error.hint, `make it so with chmod +x ${join(first, 'plain')}`)
    }
  })

  test('that is a directory is status 126', () => {
    const error = refusal(join(first, 'folder'))
    assert.equal(error.exitCode, 126)
    assert.match(error.message, /is a directory$/)
  })

  test('quoted as one word with its arguments gets a hint', () => {
    assert.match(refusal('terraform apply').hint ?? '', /separate words/)
  })

  test('behind a variable gets a hint', () => {
    assert.match(refusal('TF_LOG=debug').hint ?? '', /^put env before/)
  })
})

function place(directory: string, name: string, mode: number): void {
  writeFileSync(join(directory, name), '#!/bin/sh\n')
  chmodSync(join(directory, name), mode)
}

function refusal(name: string): SentinelError {
  try {
    resolveCommand(name, { PATH })
  } catch (error) {
    if (hasCode(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE')) return error
    throw error
  }
  throw new assert.AssertionError({ message: `"${name}" was found` })
}
