import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nameOf } from '../../src/cli/command.ts'
import { GLOBAL_OPTIONS } from '../../src/cli/global-options.ts'
import { readArguments } from '../../src/cli/read-arguments.ts'
import { COMMANDS, run, type Terminal } from '../../src/cli/run.ts'
import { ERRORS } from '../../src/errors.ts'

function terminal() {
  const texts = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') => ({
    hasColor: false,
    write(text: string) {
      texts[name] += text
    },
  })
  const version = 'sentinel 1.2.3 (commit abc, node v26)'
  return { texts, terminal: { stdout: sink('stdout'), stderr: sink('stderr'), version } }
}

async function runHere(...argv: string[]) {
  const { texts, terminal: here } = terminal()
  const never = () => assert.fail('nothing is composed for this')
  const end = await run(argv, here satisfies Terminal, never)
  return { end, ...texts }
}

suite('the catalogue of commands', () => {
  for (const command of COMMANDS.filter(({ isHidden }) => !isHidden)) {
    const name = nameOf(command)

    test(`${name} prints its help, with examples`, async () => {
      const { end, stdout, stderr } = await runHere(...name.split(' '), '--help')
      assert.deepEqual(end, { status: 0 })
      assert.equal(stderr, '')
      assert.ok(stdout.includes(`$ sentinel ${command.usage}`), stdout)
      for (const example of command.examples) assert.ok(stdout.includes(`$ sentinel ${example}`))
      assert.ok(command.examples.length > 0)
      assert.ok(stdout.startsWith(`${command.summary}\n`), stdout)
      for (const what of Object.values(command.statuses ?? {})) assert.ok(stdout.includes(what))
    })

    test(`${name} has examples that can be read`, () => {
      for (const example of command.examples) {
        const line = readArguments(example.split(' '), COMMANDS, GLOBAL_OPTIONS)
        assert.equal(line.command, command)
      }
    })
  }

  test('says what each exit status means', async () => {
    const { stdout } = await runHere('--help')
    const told = stdout.slice(stdout.indexOf('\nExit status:\n'))
    for (const status of [0, 1, 130, ...Object.values(ERRORS).map(({ exit }) => exit)]) {
      assert.match(told, new RegExp(`^ {2}${status} +\\S`, 'm'))
    }
  })

  test('says once, not for every command, how to get at the help of one', async () => {
    const { stdout } = await runHere('--help')
    assert.deepEqual(stdout.match(/^.* --help$/gm), ['  $ sentinel COMMAND --help'])
  })

  test('gives one option the same form in every command', () => {
    const forms = new Map<string, string>()
    for (const { options } of COMMANDS) {
      for (const [name, { type, short }] of Object.entries({
        ...GLOBAL_OPTIONS,
        ...options,
      } as Record<string, { type: string; short?: string }>)) {
        const form = `${type} ${short ?? ''}`
        assert.equal(forms.get(name) ?? form, form, `--${name}`)
        forms.set(name, form)
      }
    }
  })

  test('prints the version, and help without a command', async () => {
    assert.equal((await runHere('--version')).stdout, 'sentinel 1.2.3 (commit abc, node v26)\n')
    const { stdout, end } = await runHere()
    assert.deepEqual(end, { status: 0 })
    for (const command of COMMANDS) {
      assert.equal(stdout.includes(`  ${nameOf(command)}`), !command.isHidden, nameOf(command))
    }
  })

  test('explains a mistake in two lines, and exits with 2', async () => {
    const { end, stdout, stderr } = await runHere('exec', '--sever')
    assert.deepEqual(end, { status: 2 })
    assert.equal(stdout, '')
    assert.equal(stderr, 'error: unknown option --sever\nhint: did you mean --server?\n')
  })

  test('calls anything unexpected a bug, with its stack, and exits with 70', async () => {
    const { texts, terminal: here } = terminal()
    const end = await run(['whoami'], here, async () => {
      throw new TypeError('undefined is not a function')
    })
    assert.deepEqual(end, { status: 70 })
    assert.match(texts.stderr, /^bug: TypeError: undefined is not a function\n {4}at /)
    assert.match(texts.stderr, /hint: this is a bug in Sentinel/)
  })
})
