import { type ChildProcess, spawn } from 'node:child_process'
import { SentinelError } from '../errors.ts'
import type { ChildEnd } from '../ports/child-runner.ts'
import type { FoundCommand } from './resolve-command.ts'
import type { HeldSignals } from './signals.ts'
import {
  type CommandLine,
  chooseTether,
  commandLine,
  openTether,
  type TetherKind,
} from './tether.ts'

export interface ChildOptions {
  readonly command: FoundCommand
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly signals: HeldSignals
  /** Absent: the best that the machine has. */
  readonly tether?: TetherKind
}

/**
 * Runs a command on our own terminal and files, in our own process group, and waits for its end.
 * It gets the signals that are held, and TERM when this process dies in any way. Rejects with
 * `COMMAND_NOT_FOUND` or `COMMAND_NOT_EXECUTABLE` when it does not start, and
 * `WATCHDOG_UNAVAILABLE` when it could outlive us unseen. On Windows it can.
 */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const { command, args, env, signals } = options
  const kind = options.tether ?? (await chooseTether(command))
  using tether = openTether(kind)

  const child = start(command, commandLine(kind, command, args, process.pid), env)
  if (child.pid !== undefined) tether.attach(child.pid)
  signals.passTo((signal) => child.kill(signal))
  return await endOf(child, command)
}

function start(command: FoundCommand, line: CommandLine, env: ChildOptions['env']): ChildProcess {
  settleStandardStreams()
  try {
    return spawn(line.file, line.args, { argv0: line.argv0, env, stdio: 'inherit' })
  } catch (error) {
    throw cannotStart(command, error)
  }
}

/**
 * Node makes a pipe non-blocking when it first looks at stdout or stderr, and the child shares the
 * pipe: were that to happen while it runs, its own writes would begin to fail with EAGAIN. Whereas
 * spawn makes them blocking again, for good.
 */
function settleStandardStreams(): void {
  void process.stdout
  void process.stderr
}

/**
 * Node has no name for real-time signals and shows an end by one as status 0, the same as success.
 * The kernel's own word for it is gone by then, for libuv has waited for the child.
 */
function endOf(child: ChildProcess, command: FoundCommand): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    child.once('exit', (status, signal) => {
      resolve(signal === null ? { status: status ?? 0 } : { signal })
    })
    child.on('error', (error) => {
      // Of a child that runs it only says that a signal could not be sent: to sudo, say.
      if (child.pid === undefined) reject(cannotStart(command, error))
    })
  })
}

function cannotStart({ name }: FoundCommand, error: unknown): SentinelError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return code === 'ENOENT'
    ? new SentinelError('COMMAND_NOT_FOUND', `no such command: "${name}"`, { cause: error })
    : new SentinelError('COMMAND_NOT_EXECUTABLE', `cannot run "${name}": ${code}`, {
        cause: error,
      })
}
