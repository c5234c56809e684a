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
  /** Aborts when the child is to be ended from our side. */
  readonly stop?: AbortSignal | undefined
  /** Aborts when this process has crashed: nobody will see the child's end. */
  readonly crash?: AbortSignal
  /** From TERM to KILL, for a child that is to end. */
  readonly killAfterMs?: number | undefined
  /** Absent: the best that the machine has. */
  readonly tether?: TetherKind
}

const KILL_AFTER = 10_000

/**
 * Runs a command on our own terminal and files, in our own process group, and waits for its end.
 * It gets the signals that are held, and TERM when this process dies in any way. A signal or a
 * `stop` that came first is the end, and nothing is started. Rejects with `COMMAND_NOT_FOUND` or
 * `COMMAND_NOT_EXECUTABLE` when it does not start, `WATCHDOG_UNAVAILABLE` when it could outlive us
 * unseen (on Windows it can), and with the error of a crash.
 */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const { command, args, env, signals, crash } = options
  const kind = options.tether ?? (await chooseTether(command))
  // From here to the start nothing is waited for: what comes meanwhile is the child's.
  const early = endBeforeStart(options)
  if (early !== undefined) return early
  using tether = openTether(kind)

  const child = start(command, commandLine(kind, command, args, process.pid), env)
  if (child.pid !== undefined) tether.attach(child.pid)
  using _passing = signals.passTo((signal) => child.kill(signal))
  using _ending = endWhenAsked(child, options)
  return await endOf(child, command, crash)
}

function endBeforeStart({ signals, stop, crash }: ChildOptions): ChildEnd | undefined {
  crash?.throwIfAborted()
  if (signals.ending.aborted) return { signal: signals.ending.reason }
  return stop?.aborted ? { signal: 'SIGTERM' } : undefined
}

/** Sends TERM once one of the signals aborts, and KILL when that has not been enough. */
function endWhenAsked(
  child: ChildProcess,
  { stop, crash, killAfterMs = KILL_AFTER }: ChildOptions,
): Disposable {
  const signal = AbortSignal.any([stop, crash].filter((reason) => reason !== undefined))
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    child.kill('SIGTERM')
    timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  }
  signal.addEventListener('abort', end, { once: true })
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', end)
      clearTimeout(timer)
    },
  }
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
function endOf(
  child: ChildProcess,
  command: FoundCommand,
  crash: AbortSignal | undefined,
): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    crash?.addEventListener('abort', () => reject(crash.reason), { once: true })
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
