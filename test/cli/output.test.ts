import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { columns, complain, createOutput, printable } from '../../src/cli/output.ts'

function sink(hasColor = false) {
  const written: string[] = []
  return { written, hasColor, write: (text: string) => void written.push(text) }
}

const TEXT = { value: 'text', origin: 'default' } as const
const JSON_FLAG = { value: 'json', origin: '--output' } as const

suite('printable', () => {
  const cases: [what: string, text: string, shown: string][] = [
    ['leaves words, newlines and tabs alone', 'a\tb\nc é 日本', 'a\tb\nc é 日本'],
    ['escapes what moves a cursor', '\u001b[2Jx', '\\u001b[2Jx'],
    ['escapes carriage returns, which overwrite a line', 'a\rb', 'a\\u000db'],
    ['escapes C1 controls', '\u009b1m', '\\u009b1m'],
    ['escapes what turns text around', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
    ['escapes line separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ]
  for (const [what, text, shown] of cases) {
    test(what, () => assert.equal(printable(text), shown))
  }
})

suite('output', () => {
  test('prints text for people and data for programs', () => {
    const [people, programs] = [sink(), sink()]
    createOutput({ stdout: people, form: TEXT }).print('two \u001b[1mrules', { rules: 2 })
    createOutput({ stdout: programs, form: JSON_FLAG }).print('two rules', { rules: 2 })
    assert.deepEqual(people.written, ['two \\u001b[1mrules\n'])
    assert.deepEqual(JSON.parse(programs.written.join('')), { rules: 2 })
  })

  test('prints what a program will read as it is', () => {
    const stdout = sink()
    createOutput({ stdout, form: JSON_FLAG }).printRaw('AWS_REGION=eu-central-1\n')
    assert.deepEqual(stdout.written, ['AWS_REGION=eu-central-1\n'])
  })

  test('colours the label of a complaint, and only where colours are wanted', () => {
    const [plain, colored] = [sink(), sink(true)]
    complain(plain, 'error', 'no such \u001b[2Jprofile')
    complain(colored, 'hint', 'look again')
    assert.deepEqual(plain.written, ['error: no such \\u001b[2Jprofile\n'])
    assert.deepEqual(colored.written, ['\u001b[36mhint:\u001b[39m look again\n'])
  })

  test('aligns columns and leaves no blanks at the end of a line', () => {
    const table = columns([
      ['setting', 'value', 'from'],
      ['region', '-', ''],
    ])
    assert.equal(table, 'setting  value  from\nregion   -')
  })
})
