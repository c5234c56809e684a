/**
 * Reads a command line. cac keeps the catalogue and the help; the values are read here, because it
 * turns numerals into numbers, which takes the leading zero off an account id.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import { type Command, nameOf, type OptionSpecs } from './command.ts'

type Values = Record<string, string | boolean>

export interface CommandLine {
  /** Absent when no command was named. */
  readonly command?: Command
  readonly args: readonly (string | undefined)[]
  readonly options: Values
  readonly globals: Values
  readonly rest: readonly string[]
}

/** Parses `argv` against `commands`. Throws `USAGE`, with what is near to what was typed. */
export function readArguments(
  argv: readonly string[],
  commands: readonly Command[],
  globals: OptionSpecs,
): CommandLine {
  const end = argv.indexOf('--')
  const head = end < 0 ? argv : argv.slice(0, end)
  const specs = Object.assign({}, globals, ...commands.map(({ options }) => options)) as OptionSpecs
  const { tokens } = parseArgs({
    args: [...head],
    options: specs,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const command = findCommand(words, commands)
  const known = { ...globals, ...command?.options }
  const values: Values = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const spec = Object.hasOwn(known, name) ? known[name] : undefined
    if (!spec) throw unknownOption(rawName, known, specs, command)
    if (name in values) throw usage(`${rawName} is given twice`, command)
    values[name] = readValue(rawName, spec.type, value, inlineValue, command)
  }
  const wantsInfo = values.help === true || values.version === true
  if (!command && words.length > 0 && !wantsInfo) throw unknownCommand(words, commands)
  return {
    ...(command ? { command } : {}),
    args: command && !wantsInfo ? argumentsOf(command, words) : [],
    options: pick(values, command?.options ?? {}, wantsInfo ? undefined : command),
    globals: pick(values, globals),
    rest: restOf(argv, end, command),
  }
}

function findCommand(words: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands
    .filter((command) =>
      nameOf(command)
        .split(' ')
        .every((word, index) => words[index] === word),
    )
    .toSorted((a, b) => nameOf(b).length - nameOf(a).length)[0]
}

function readValue(
  rawName: string,
  type: 'string' | 'boolean',
  value: string | undefined,
  isInline: boolean | undefined,
  command: Command | undefined,
): string | boolean {
  if (type === 'boolean') {
    if (value === undefined) return true
    throw usage(`${rawName} takes no value`, command)
  }
  // `--policy --server` is a forgotten value; a value that begins with a dash is given with `=`.
  if (value === undefined || value === '' || (!isInline && /^-./.test(value))) {
    throw usage(`${rawName} needs a value`, command)
  }
  return value
}

function argumentsOf(command: Command, words: readonly string[]): (string | undefined)[] {
  const name = nameOf(command)
  const given = words.slice(name.split(' ').length)
  const wanted = command.usage.slice(name.length).match(/[<[][^\]>]*[\]>]/g) ?? []
  const places = wanted.filter((place) => !place.includes('--'))
  const missing = places[given.length]
  if (missing?.startsWith('<')) throw usage(`${missing} is missing`, command)
  if (places.at(-1)?.startsWith('[...')) return [...given]
  if (given.length > places.length) {
    const extra = given[places.length]
    throw new SentinelError('USAGE', `unexpected argument "${extra}"`, {
      hint: command.takesRest
        ? `put the command to run behind --: sentinel ${name} … -- ${extra} …`
        : `see: sentinel ${name} --help`,
    })
  }
  return places.map((_, index) => given[index])
}

function restOf(argv: readonly string[], end: number, command: Command | undefined): string[] {
  if (end < 0) return []
  if (command && !command.takesRest) {
    throw usage(`${nameOf(command)} takes nothing behind --`, command)
  }
  return argv.slice(end + 1)
}

/** The values of `specs` alone; with a `command`, what is required must be there. */
function pick(values: Values, specs: OptionSpecs, command?: Command): Values {
  for (const [name, { required }] of Object.entries(specs)) {
    if (command && required && values[name] === undefined) {
      throw usage(`--${name} is required`, command)
    }
  }
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(specs, name)))
}

function unknownOption(
  rawName: string,
  known: OptionSpecs,
  all: OptionSpecs,
  command: Command | undefined,
): SentinelError {
  const name = rawName.replace(/^-+/, '')
  if (Object.hasOwn(all, name) && command) {
    return usage(`${rawName} is not an option of ${nameOf(command)}`, command)
  }
  const near = nearest(name, Object.keys(known))
  return new SentinelError('USAGE', `unknown option ${rawName}`, {
    hint: near ? `did you mean --${near}?` : helpHint(command),
  })
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): SentinelError {
  const visible = commands.filter(({ isHidden }) => !isHidden).map(nameOf)
  const [first = '', second] = words
  const group = visible.filter((name) => name.startsWith(`${first} `))
  if (group.length > 0) {
    const typed = second === undefined ? first : `${first} ${second}`
    return new SentinelError('USAGE', `unknown command "${typed}"`, {
      hint: `${first} knows: ${group.map((name) => name.slice(first.length + 1)).join(', ')}`,
    })
  }
  const pairs = visible.filter((name) => name.includes(' ') && isSlipOf(name, words))
  const near = nearest(words.slice(0, 2).join(' '), pairs) ?? nearest(first, visible)
  return new SentinelError('USAGE', `unknown command "${first}"`, {
    hint: near ? `did you mean: sentinel ${near}` : helpHint(),
  })
}

/** Word by word: what stands behind a command is rarely the other half of one. */
function isSlipOf(name: string, words: readonly string[]): boolean {
  return name.split(' ').every((word, index) => nearest(words[index] ?? '', [word]) !== undefined)
}

function usage(message: string, command: Command | undefined): SentinelError {
  return new SentinelError('USAGE', message, { hint: helpHint(command) })
}

function helpHint(command?: Command): string {
  return command ? `see: sentinel ${nameOf(command)} --help` : 'see: sentinel --help'
}
