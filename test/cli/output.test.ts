import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { columns, complain, createOutput, fit, printable, widthOf } from '../../src/cli/output.ts'

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

  test('escapes in JSON what a terminal would act on, and programs read the same', () => {
    const data = { by: 'eve\\\u009b2J\u202e\u2028\u007f\n', '\u009b': 1 }
    const stdout = sink()
    createOutput({ stdout, form: JSON_FLAG }).print('', data)
    const written = stdout.written.join('')
    assert.match(written, /^[\n\x20-\x7e]+$/)
    assert.deepEqual(JSON.parse(written), data)
  })

  test('keeps a complaint to one line, so that what it quotes cannot add another', () => {
    const stderr = sink()
    complain(stderr, 'error', 'revoked by eve\nhint: run this')
    complain(stderr, 'bug', 'TypeError: x\n    at y')
    assert.deepEqual(stderr.written, [
      'error: revoked by eve\\nhint: run this\n',
      'bug: TypeError: x\n    at y\n',
    ])
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

suite('fit', () => {
  const cases: [text: string, width: number, shown: string][] = [
    ['prod', 4, 'prod'],
    ['prod', 3, 'pr…'],
    ['prod', 1, '…'],
    ['prod', 0, ''],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['🔑🔑', 3, '🔑…'],
  ]
  for (const [text, width, shown] of cases) {
    test(`shows ${text} in ${width} columns as "${shown}"`, () => {
      assert.equal(fit(text, width), shown)
      assert.ok(widthOf(shown.replace('…', '.')) <= width)
    })
  }
})

suite('a long result', () => {
  const form = TEXT

  test('takes the progress away before anything else is written', async () => {
    const written: string[] = []
    const one = (name: string) => ({
      ...sink(),
      write: (text: string) => void written.push(`${name}${text}`),
    })
    const window = () => ({ columns: 12, rows: 5 })
    const out = createOutput({ stdout: one('out:'), stderr: { ...one('err:'), window }, form })
    out.progress('looked at 1000')
    await out.stream('row')
    await out.stream('row')
    out.progress('')
    assert.deepEqual(written, ['err:\rlooked at …\u001b[K', 'err:\r\u001b[K', 'out:row', 'out:row'])
  })

  test('shows no progress where stderr is no terminal', () => {
    const stderr = sink()
    createOutput({ stdout: sink(), stderr, form }).progress('looked at 1000')
    assert.deepEqual(stderr.written, [])
  })

  test('says whether anybody still reads, once more can be taken', async () => {
    const gone = { ...sink(), ready: async () => false }
    assert.equal(await createOutput({ stdout: gone, form }).stream('row'), false)
    assert.equal(await createOutput({ stdout: sink(), form }).stream('row'), true)
  })

  test('knows the window of a terminal, and that there is none elsewhere', () => {
    const window = () => ({ columns: 80, rows: 24 })
    const terminal = createOutput({ stdout: { ...sink(), window }, form })
    assert.deepEqual(terminal.window(), { columns: 80, rows: 24 })
    assert.equal(createOutput({ stdout: sink(), form }).window(), undefined)
  })
})
