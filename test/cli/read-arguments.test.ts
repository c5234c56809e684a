import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { defineCommand, nameOf } from '../../src/cli/command.ts'
import { GLOBAL_OPTIONS } from '../../src/cli/global-options.ts'
import { readArguments } from '../../src/cli/read-arguments.ts'

const run = async () => undefined

const COMMANDS = [
  defineCommand({
    usage: 'exec [profile] [-- command...]',
    summary: '',
    examples: [],
    takesRest: true,
    options: {
      server: { type: 'boolean', short: 's', summary: '' },
      duration: { type: 'string', short: 'd', summary: '' },
    },
    run,
  }),
  defineCommand({
    usage: 'policy explain <profile>',
    summary: '',
    examples: [],
    options: { user: { type: 'string', summary: '', required: true } },
    run,
  }),
  defineCommand({ usage: 'breakglass [profile]', summary: '', examples: [], options: {}, run }),
  defineCommand({ usage: 'breakglass show <id>', summary: '', examples: [], options: {}, run }),
  defineCommand({ usage: 'audit [...files]', summary: '', examples: [], options: {}, run }),
  defineCommand({
    usage: 'secret-one',
    summary: '',
    examples: [],
    options: {},
    isHidden: true,
    run,
  }),
]

const read = (...argv: string[]) => readArguments(argv, COMMANDS, GLOBAL_OPTIONS)

suite('readArguments', () => {
  test('reads a command, its argument, its options and what stands behind --', () => {
    const line = read('exec', 'prod', '-s', '--duration', '30m', '--', 'terraform', '--version')
    assert.equal(line.command && nameOf(line.command), 'exec')
    assert.deepEqual(line.args, ['prod'])
    assert.deepEqual({ ...line.options }, { server: true, duration: '30m' })
    assert.deepEqual(line.rest, ['terraform', '--version'])
    assert.deepEqual(line.globals, {})
  })

  test('takes any number of arguments where the usage says so, none too', () => {
    assert.deepEqual(read('audit', 'a', '--quiet', 'b', 'c').args, ['a', 'b', 'c'])
    assert.deepEqual(read('audit').args, [])
  })

  test('takes global options on either side of the command', () => {
    const line = read('--output', 'json', 'policy', 'explain', 'prod', '--user=iam:bob', '--quiet')
    assert.equal(line.command && nameOf(line.command), 'policy explain')
    assert.deepEqual(line.globals, { output: 'json', quiet: true })
    assert.deepEqual(line.options, { user: 'iam:bob' })
  })

  test('keeps values that look like numbers as they were typed', () => {
    assert.deepEqual(read('exec', '012345678901', '--duration=007').args, ['012345678901'])
    assert.deepEqual(read('exec', '--duration=007').options, { duration: '007' })
  })

  test('takes a value that begins with a dash behind an equals sign', () => {
    assert.deepEqual(read('exec', '--duration=-1').options, { duration: '-1' })
  })

  test('leaves an optional argument undefined', () => {
    assert.deepEqual(read('exec').args, [undefined])
  })

  test('names no command when there is none, and asks for nothing under --help', () => {
    assert.equal(read().command, undefined)
    assert.equal(read('--help').globals.help, true)
    assert.equal(read('policy', 'explain', '--help').globals.help, true)
    assert.equal(read('polcy', '--help').command, undefined)
  })

  const refusals: [what: string, argv: string[], message: RegExp, hint: RegExp][] = [
    ['an unknown command', ['exce'], /unknown command "exce"/, /sentinel exec/],
    ['a group mistyped', ['polcy', 'explain'], /command "polcy"/, /sentinel policy explain$/],
    ['a command mistyped', ['breakglas', 'prod'], /command "breakglas"/, /sentinel breakglass$/],
    ['half of a command', ['policy'], /unknown command "policy"/, /policy knows: explain/],
    ['a command of no known group', ['frobnicate'], /unknown command/, /sentinel --help/],
    ['a wrong word in a group', ['policy', 'explian'], /"policy explian"/, /explain/],
    ['a hidden command mistyped, without naming it', ['secret-on'], /unknown/, /sentinel --help/],
    ['an unknown option', ['exec', '--sever'], /unknown option --sever/, /did you mean --server/],
    ['an unknown short option', ['exec', '-x'], /unknown option -x/, /exec --help/],
    [
      'an option of another command',
      ['exec', '--user', 'x'],
      /not an option of exec/,
      /exec --help/,
    ],
    ['a value that is missing', ['exec', '--duration'], /--duration needs a value/, /exec --help/],
    ['an empty value', ['exec', '--duration='], /--duration needs a value/, /exec --help/],
    [
      'an option in place of a value',
      ['exec', '-d', '--server'],
      /-d needs a value/,
      /exec --help/,
    ],
    ['a value for a flag', ['exec', '--server=yes'], /--server takes no value/, /exec --help/],
    ['an option given twice', ['exec', '-d', '1h', '-d', '2h'], /-d is given twice/, /exec --help/],
    ['a command that lacks its --', ['exec', 'prod', 'ls'], /unexpected argument "ls"/, /-- ls/],
    ['one argument too many', ['policy', 'explain', 'a', 'b', '--user=x'], /"b"/, /explain --help/],
    ['a missing argument', ['policy', 'explain', '--user', 'x'], /<profile> is missing/, /--help/],
    ['a missing required option', ['policy', 'explain', 'a'], /--user is required/, /--help/],
    [
      'something behind -- where nothing may be',
      ['policy', 'explain', 'a', '--user=x', '--', 'ls'],
      /nothing behind --/,
      /--help/,
    ],
    ['a name from the prototype', ['exec', '--constructor'], /unknown option/, /exec --help/],
  ]
  for (const [what, argv, message, hint] of refusals) {
    test(`refuses ${what}`, () => {
      assert.throws(() => read(...argv), { code: 'USAGE', message, hint })
    })
  }
})
