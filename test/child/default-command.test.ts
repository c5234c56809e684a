import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { defaultCommand } from '../../src/child/default-command.ts'

suite('the default command', () => {
  test("is the user's shell", () => {
    assert.equal(defaultCommand({ SHELL: '/bin/zsh' }, 'linux'), '/bin/zsh')
  })

  test('is /bin/sh when no shell is named', () => {
    assert.equal(defaultCommand({}, 'darwin'), '/bin/sh')
    assert.equal(defaultCommand({ SHELL: '' }, 'linux'), '/bin/sh')
  })

  test('is the command processor on Windows', () => {
    assert.equal(defaultCommand({ ComSpec: 'C:\\cmd.exe', SHELL: '/x' }, 'win32'), 'C:\\cmd.exe')
    assert.equal(defaultCommand({}, 'win32'), 'cmd.exe')
  })
})
