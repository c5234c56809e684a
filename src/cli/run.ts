import { type CAC, cac } from 'cac'
import type { Deps } from '../deps.ts'
import { SentinelError } from '../errors.ts'
import { aliasOf } from './alias.ts'
import { type Command, type End, nameOf, type OptionSpecs } from './command.ts'
import approve from './commands/approve.ts'
import auditCloudtrail from './commands/audit-cloudtrail.ts'
import auditProve from './commands/audit-prove.ts'
import auditReplay from './commands/audit-replay.ts'
import auditShip from './commands/audit-ship.ts'
import auditShow from './commands/audit-show.ts'
import auditSign from './commands/audit-sign.ts'
import auditStats from './commands/audit-stats.ts'
import auditVerify from './commands/audit-verify.ts'
import breakGlass from './commands/break-glass.ts'
import breakGlassClose from './commands/break-glass-close.ts'
import breakGlassList from './commands/break-glass-list.ts'
import breakGlassReview from './commands/break-glass-review.ts'
import breakGlassShow from './commands/break-glass-show.ts'
import cancel from './commands/cancel.ts'
import configShow from './commands/config-show.ts'
import credentials from './commands/credentials.ts'
import demo from './commands/demo.ts'
import demoClient from './commands/demo-client.ts'
import deny from './commands/deny.ts'
import doctor from './commands/doctor.ts'
import exec from './commands/exec.ts'
import exportCredentials from './commands/export.ts'
import initTables from './commands/init-tables.ts'
import notifyFlush from './commands/notify-flush.ts'
import policyExplain from './commands/policy-explain.ts'
import policySchema from './commands/policy-schema.ts'
import policyValidate from './commands/policy-validate.ts'
import request from './commands/request.ts'
import requestRevoke from './commands/request-revoke.ts'
import requestShow from './commands/request-show.ts'
import requests from './commands/requests.ts'
import sessionList from './commands/session-list.ts'
import sessionRevoke from './commands/session-revoke.ts'
import sessionShow from './commands/session-show.ts'
import sessionUnlock from './commands/session-unlock.ts'
import sessionWatch from './commands/session-watch.ts'
import whoami from './commands/whoami.ts'
import why from './commands/why.ts'
import { GLOBAL_OPTIONS, type GlobalOptions } from './global-options.ts'
import { complain, type Sink } from './output.ts'
import { type CommandLine, readArguments } from './read-arguments.ts'

export const COMMANDS: readonly Command[] = [
  exec,
  credentials,
  exportCredentials,
  whoami,
  configShow,
  policyValidate,
  policySchema,
  policyExplain,
  why,
  sessionList,
  sessionShow,
  sessionRevoke,
  sessionUnlock,
  sessionWatch,
  aliasOf(sessionList, 'server-sessions'),
  aliasOf(sessionShow, 'server-session'),
  aliasOf(sessionRevoke, 'server-revoke'),
  request,
  requests,
  requestShow,
  requestRevoke,
  approve,
  deny,
  cancel,
  breakGlass,
  breakGlassList,
  breakGlassShow,
  breakGlassClose,
  breakGlassReview,
  notifyFlush,
  auditShow,
  auditStats,
  auditVerify,
  auditReplay,
  auditSign,
  auditProve,
  auditCloudtrail,
  auditShip,
  initTables,
  doctor,
  demo,
  demoClient,
]

/** What a status says that a command ends with; `exec` ends as its command does. */
const STATUSES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'a check answered no',
  2: 'the command line is wrong',
  3: 'refused: by policy, a lock, a revocation, a quota',
  4: 'not found, there already, or in a state that does not allow it',
  5: 'something is configured wrong',
  6: 'what was needed did not answer: AWS, a store, the log, credentials that ended',
  70: 'a bug of Sentinel',
  126: 'the command of exec cannot be run',
  127: 'there is no such command for exec',
  130: 'interrupted',
}

/** The process as the command line sees it. */
export interface Terminal {
  readonly stdout: Sink
  readonly stderr: Sink
  /** What `--version` prints. */
  readonly version: string
  /** Aborts with an error that nobody caught, which was told when it came. */
  readonly crash?: AbortSignal
}

/** Runs the command that `argv` names and resolves to how the process is to end. Never rejects. */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  compose: (globals: GlobalOptions) => Promise<Deps>,
): Promise<End> {
  try {
    const line = readArguments(argv, COMMANDS, GLOBAL_OPTIONS)
    const globals = line.globals as GlobalOptions
    if (globals.version) return print(terminal, terminal.version)
    if (globals.help || !line.command) return help(terminal, line)
    return (await dispatch(line, globals, compose)) ?? { status: 0 }
  } catch (error) {
    if (terminal.crash?.aborted && error === terminal.crash.reason) return { status: 70 }
    return { status: explain(error, terminal.stderr) }
  }
}

/** Lets cac find the command and run it, on values that are already read. */
async function dispatch(
  { command, args, options, rest }: CommandLine,
  globals: GlobalOptions,
  compose: (globals: GlobalOptions) => Promise<Deps>,
): Promise<End | undefined> {
  const cli = catalogue((chosen) => async () => {
    await using deps = await compose(globals)
    return await chosen.run({ args, options: options as never, rest }, deps)
  })
  const name = command ? nameOf(command) : ''
  const required = args.filter((arg) => arg !== undefined)
  cli.parse(['node', 'sentinel', name, ...required], { run: false })
  return (await cli.runMatchedCommand()) as End | undefined
}

function help(terminal: Terminal, { command }: CommandLine): End {
  const cli = catalogue(() => () => {})
  const visible = new Set(COMMANDS.filter(({ isHidden }) => !isHidden).map(nameOf))
  cli.commands = cli.commands.filter(({ name }) => visible.has(name))
  let text = ''
  const info = console.info
  // cac prints help with console.info and offers no other way to its text.
  console.info = (line: string) => {
    text += line
  }
  try {
    cli.parse(['node', 'sentinel', ...(command ? [nameOf(command)] : []), '--help'], { run: false })
  } finally {
    console.info = info
  }
  // To cac, `--no-color` is a `--color` that is on by default.
  const told = text.replaceAll(/ +(?:\(default: true\))?$/gm, '').trim()
  // It tells what a command is for in the list of all, and not in the help of one.
  const lead = command ? told.replace(/^sentinel\n/, `${command.summary}\n`) : told
  return print(terminal, [lead, ...describeStatuses(command)].join('\n'))
}

function describeStatuses(command: Command | undefined): readonly string[] {
  const statuses = command ? command.statuses : STATUSES
  if (!statuses) return []
  const lines = Object.entries(statuses).map(([status, what]) => `  ${status.padEnd(3)}  ${what}`)
  return ['', 'Exit status:', ...lines, ...(command ? ['  Others: sentinel --help'] : [])]
}

function catalogue(actionOf: (command: Command) => () => unknown): CAC {
  const cli = cac('sentinel')
  for (const command of COMMANDS) {
    const registered = cli
      .command(command.usage.replace(' [-- command...]', ''), command.summary)
      .usage(command.usage)
      .action(actionOf(command))
    addOptions((flags, summary) => registered.option(flags, summary), command.options)
    for (const example of command.examples) registered.example(`  $ sentinel ${example}`)
  }
  addOptions((flags, summary) => cli.option(flags, summary), GLOBAL_OPTIONS)
  // cac would name every command a second time.
  const body = '  $ sentinel COMMAND --help'
  return cli.help((sections) =>
    sections.map((section) =>
      section.title?.startsWith('For more info') ? { ...section, body } : section,
    ),
  )
}

function addOptions(add: (flags: string, summary: string) => unknown, specs: OptionSpecs): void {
  for (const [name, { type, short, value = 'VALUE', summary }] of Object.entries(specs)) {
    // cac adds --help itself.
    if (name === 'help') continue
    const flags = `${short ? `-${short}, ` : ''}--${name}${type === 'string' ? ` <${value}>` : ''}`
    add(flags, summary)
  }
}

function print({ stdout }: Terminal, text: string): End {
  stdout.write(`${text}\n`)
  return { status: 0 }
}

/** Tells the user what went wrong, on stderr. Returns the exit status. */
function explain(error: unknown, stderr: Sink): number {
  if (error instanceof SentinelError) {
    complain(stderr, 'error', error.message)
    if (error.hint) complain(stderr, 'hint', error.hint)
    return error.exitCode
  }
  reportBug(error, stderr)
  return 70
}

/** Tells of an error that nobody expected, on stderr, with its stack. */
export function reportBug(error: unknown, stderr: Sink): void {
  complain(stderr, 'bug', error instanceof Error ? (error.stack ?? error.message) : String(error))
  complain(stderr, 'hint', 'this is a bug in Sentinel: please report the lines above')
}
