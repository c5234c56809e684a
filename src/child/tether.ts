/**
 * How a child learns that we died by SIGKILL or a crash, when no code of ours runs any more:
 *
 *   death signal   Linux with util-linux and coreutils: the kernel itself sends TERM   ~10 ms
 *   watchdog       elsewhere: a shell waits for the end of a pipe, then sends TERM     ~20 ms
 *
 * Both reach the child alone, not what it has started. Nothing reaches a set-user-ID command such
 * as sudo: the kernel clears the death signal for those, and refuses to let us signal them.
 *
 * @module
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { SentinelError } from '../errors.ts'
import type { FoundCommand } from './resolve-command.ts'

export type TetherKind = 'death signal' | 'watchdog' | 'none'

/** What is to be spawned so that a command runs. */
export interface CommandLine {
  readonly file: string
  readonly args: readonly string[]
  readonly argv0: string
}

/** The tie between us and a child. Disposed when the child has ended: it is then left alone. */
export interface Tether extends Disposable {
  attach(pid: number): void
}

/** The best way that this machine has for `command`. Looks once a process. */
export async function chooseTether({ name }: FoundCommand): Promise<TetherKind> {
  // There would be job objects on Windows, but Node cannot make them.
  if (process.platform === 'win32') return 'none'
  // `env` would take a name with "=" for a variable.
  if (process.platform !== 'linux' || name.includes('=')) return 'watchdog'
  deathSignalWorks ??= tryDeathSignal()
  return (await deathSignalWorks) ? 'death signal' : 'watchdog'
}

/** The command line that runs `command` under `kind`, for a child of process `parent`. */
export function commandLine(
  kind: TetherKind,
  { name, path }: FoundCommand,
  args: readonly string[],
  parent: number,
): CommandLine {
  if (kind !== 'death signal') return { file: path, args, argv0: name }
  return { file: SETPRIV, args: [...underDeathSignal(parent), name, ...args], argv0: SETPRIV }
}

/** Throws `WATCHDOG_UNAVAILABLE` when `kind` cannot be had. */
export function openTether(kind: TetherKind): Tether {
  return kind === 'watchdog' ? openWatchdog() : { attach() {}, [Symbol.dispose]() {} }
}

// By full name: a PATH may lead to another program, and BusyBox knows no --pdeathsig.
const SETPRIV = '/usr/bin/setpriv'
const ENV = '/usr/bin/env'

/**
 * The kernel does not send the signal for a parent that died before it was asked to. So `env`,
 * after that, goes to the parent's own working directory, where we are already: a dead parent has
 * none, since the kernel takes it away before it looks whom to tell. Then `env` fails, and no
 * command runs.
 */
function underDeathSignal(parent: number): string[] {
  return ['--pdeathsig', 'TERM', '--', ENV, '-C', `/proc/${parent}/cwd`, '--']
}

let deathSignalWorks: Promise<boolean> | undefined

async function tryDeathSignal(): Promise<boolean> {
  if (!isOwnProc()) return false
  // The same way as for a command, which must arrive as the very process that asked: a dump of its
  // state then names the signal.
  const args = [...underDeathSignal(process.pid), SETPRIV, '--dump']
  return await new Promise((resolve) => {
    execFile(SETPRIV, args, { env: {}, timeout: 1000 }, (error, stdout) => {
      resolve(error === null && /^Parent death signal: TERM$/m.test(stdout))
    })
  })
}

/** In a container /proc may be of an outer namespace, where our number is somebody else's. */
function isOwnProc(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid)
  } catch {
    return false
  }
}

/**
 * First line: the child. Second line: the child has ended. The end of the pipe before that means
 * that we have, in whatever way.
 */
const WATCHDOG = `trap '' HUP INT QUIT TERM
read -r child || exit
read -r ended || kill -TERM "$child"`

function openWatchdog(): Tether {
  // In a session of its own, where neither Ctrl-C nor a closing terminal finds it; in a directory
  // and with files that keep nothing of the user's busy.
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // A watchdog that somebody killed breaks the pipe; the child can do without it.
  watchdog.stdin.on('error', () => {})
  watchdog.on('error', () => {})
  assertStarted(watchdog)
  watchdog.unref()
  let child: number | undefined
  return {
    // Written at once, in the same turn as the child's start: an empty pipe takes a line without
    // waiting. A death in the few milliseconds between the two goes unseen. A program in front of
    // the command could wait for this line, but macOS takes DYLD_* from whatever its own programs
    // start, and shells add to the environment.
    attach(pid) {
      child = pid
      watchdog.stdin.write(`${pid}\n`)
    },
    [Symbol.dispose]() {
      watchdog.stdin.end(child === undefined ? '' : 'ended\n')
    },
  }
}

function assertStarted({ pid }: ChildProcess): void {
  if (pid !== undefined) return
  throw new SentinelError(
    'WATCHDOG_UNAVAILABLE',
    'nothing here could stop the command if sentinel died: neither setpriv nor /bin/sh runs',
    { hint: 'install util-linux, or a shell at /bin/sh' },
  )
}
