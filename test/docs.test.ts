import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { type Command, nameOf, type OptionSpecs } from '../src/cli/command.ts'
import { GLOBAL_OPTIONS } from '../src/cli/global-options.ts'
import { readArguments } from '../src/cli/read-arguments.ts'
import { COMMANDS } from '../src/cli/run.ts'
import { ERRORS } from '../src/errors.ts'

// After a wanted change: npm run docs

const asWritten = { serializers: [String] }

suite('docs', () => {
  test('errors.md lists every error code', (t) => {
    const rows = Object.entries(ERRORS).map(
      ([code, { exit, status, when }]) => `| \`${code}\` | ${exit} | ${status} | ${when} |`,
    )
    const text = `# Errors

Made from \`src/errors.ts\`. An exit status says what kind of failure it was: 1 a check answered no, 2 usage, 3 refused, 4 state, 5 configuration, 6 a dependency, 70 a bug, 130 interrupted. \`exec\` ends as its command did; 126 and 127 are as in a shell. The HTTP status is what the SDK of a child sees.

| code | exit | HTTP | when |
| --- | --- | --- | --- |
${rows.join('\n')}
`
    t.assert.fileSnapshot(text, 'docs/errors.md', asWritten)
  })

  test('commands.md lists every command and option', (t) => {
    const visible = COMMANDS.filter(({ isHidden }) => !isHidden)
    const text = `# Commands

Made from \`src/cli/\`. Results go to stdout, everything else to stderr.

## Every command

${table(GLOBAL_OPTIONS)}

${visible.map(section).join('\n\n')}
`
    t.assert.fileSnapshot(text, 'docs/commands.md', asWritten)
  })

  test('every command line that a document shows can be read', () => {
    const documents = [
      'README.md',
      'SECURITY.md',
      'docs/policy.md',
      'docs/sessions.md',
      'docs/approvals.md',
      'docs/notifications.md',
      'docs/decision-log.md',
      'docs/auditing.md',
    ]
    const lines = documents.flatMap((path) =>
      [
        ...readFileSync(path, 'utf8').matchAll(/^ *(?:\$ |credential_process = )?sentinel (.*)$/gm),
      ].map(([, line = '']) => line.replace(/ +[#>] .*/, '').trim()),
    )
    assert.ok(lines.length > 5)
    for (const line of lines) {
      const { command } = readArguments(words(line), COMMANDS, GLOBAL_OPTIONS)
      assert.ok(command, line)
    }
  })

  test('decision-log.md names every type of record, and every field', () => {
    const text = readFileSync('docs/decision-log.md', 'utf8')
    const source = readFileSync('src/domain/log-record.ts', 'utf8')
    const body = source.slice(source.indexOf('export interface LogRecord'))
    const [types = ''] = /readonly type:[\s\S]*?\n {2}(?=readonly)/.exec(body) ?? []
    const names = [
      ...[...types.matchAll(/'([\w.]+)'/g)],
      ...[...body.matchAll(/^ {2}readonly (\w+)/gm)],
    ].map(([, name = '']) => name)
    assert.ok(names.length > 50, `${names.length} names`)
    for (const name of names) assert.ok(text.includes(`\`${name}\``), `${name} is not told`)
  })

  test('every file that a document points to exists', () => {
    for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md']) {
      for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)) {
        assert.ok(readFileSync(target), `${path} points to ${target}`)
      }
    }
  })
})

/** As the shell splits a line that has no quotes but these. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain)
}

function section(command: Command): string {
  const { usage, summary, examples, options, statuses = {} } = command
  const code = [`sentinel ${usage}`, ...examples.map((example) => `$ sentinel ${example}`)]
  return [
    `## ${nameOf(command)}`,
    `${summary}.`,
    code.map((line) => `    ${line}`).join('\n'),
    ...(Object.keys(options).length > 0 ? [table(options)] : []),
    ...(Object.keys(statuses).length > 0 ? [exits(statuses)] : []),
  ].join('\n\n')
}

function exits(statuses: NonNullable<Command['statuses']>): string {
  const parts = Object.entries(statuses).map(([status, what]) => `${status} ${what}`)
  return `Exit status: ${parts.join(' · ')}.`
}

function table(options: OptionSpecs): string {
  const rows = Object.entries(options).map(([name, { short, value, summary, type }]) => {
    const flag = `${short ? `-${short}, ` : ''}--${name}${type === 'string' ? ` ${value}` : ''}`
    return `| \`${flag.replaceAll('|', '\\|')}\` | ${summary} |`
  })
  return ['| option | what it does |', '| --- | --- |', ...rows].join('\n')
}
