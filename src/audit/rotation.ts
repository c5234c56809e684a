/**
 * Moving a log file aside when it has become large or old. Names of the log's files change only
 * under the lock `PATH.lock`, which is held for moments and never waited for.
 *
 * Writers need no lock. One that has looked at the path before the file was moved writes its lines
 * to the moved file, where they are as safe, and goes on in the new one with the next.
 *
 * @module
 */
import { basename, dirname, join } from 'node:path'
import { elapsed, type Instant, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import { isFault, type LogFile, type LogFiles } from './log-file.ts'
import { logTime } from './log-time.ts'
import type { ProcessLock } from './process-lock.ts'
import { readRotatedName, rotatedName } from './rotated-name.ts'

/** From when on a log file is moved aside. */
export interface RotationLimits {
  readonly maxBytes: number
  /** Since its first record. */
  readonly maxAgeMs: number
}

interface RotationOptions {
  readonly path: string
  readonly files: LogFiles
  readonly limits: RotationLimits
  readonly clock: Clock
  /** Is told why a file could not be moved: the log goes on in it. */
  readonly onFault: (error: Error) => void
}

/** Where the lock stands under which names of the files of the log at `path` change. */
export function namesLockOf(path: string): string {
  return `${path}.lock`
}

/** How long nothing is tried after the lock was held, and after a fault. */
const PAUSE_WHEN_HELD = SECOND
const PAUSE_AFTER_FAULT = MINUTE

/** More than the longest line: a first line that is whole is in it. */
const FIRST_LOOK = 16 * 1024

/** Moves the file of one log aside when it is time. Not for concurrent calls. */
export class Rotation {
  readonly #options: RotationOptions
  #pause: { readonly since: Moment; readonly ms: number } | undefined
  /** The file that was looked at, and when its first record was made. */
  #looked: { readonly identity: string; readonly begun: Instant | undefined } | undefined

  constructor(options: RotationOptions) {
    this.#options = options
  }

  /**
   * Moves `file`, which stood at the path a moment ago, aside if it is due, and resolves with why:
   * the path is then free. Resolves with nothing when the file stays, which is no reason not to
   * write to it: it is not due, somebody else is about it, or there was a fault.
   */
  async moveAside(file: LogFile, size: number): Promise<string | undefined> {
    const { path, files, clock, onFault } = this.#options
    if (this.#pause && elapsed(this.#pause.since, clock.now()) < this.#pause.ms) return undefined
    this.#pause = undefined
    try {
      const why = await this.#whyDue(file, size)
      if (why === undefined) return undefined
      using lock = files.lock(namesLockOf(path))
      if (lock && (await this.#move(file, lock))) return why
      this.#wait(PAUSE_WHEN_HELD)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#wait(PAUSE_AFTER_FAULT)
      onFault(error)
    }
    return undefined
  }

  #wait(ms: number): void {
    this.#pause = { since: this.#options.clock.now(), ms }
  }

  async #whyDue(file: LogFile, size: number): Promise<string | undefined> {
    if (size === 0) return undefined
    const { limits, clock } = this.#options
    if (size >= limits.maxBytes) return 'the log file was full'
    if (this.#looked?.identity !== file.identity) {
      this.#looked = { identity: file.identity, begun: await readBeginning(file) }
    }
    const { begun } = this.#looked
    const isOld = begun !== undefined && logTime(clock) - begun >= limits.maxAgeMs
    return isOld ? 'the log file was old' : undefined
  }

  /** Whether it was `file` that was moved, by nobody else. */
  async #move(file: LogFile, lock: ProcessLock): Promise<boolean> {
    const { path, files, clock } = this.#options
    const names = await rotatedNames(path, files)
    const newest = names.at(-1)?.at ?? Number.NEGATIVE_INFINITY
    const target = rotatedName(path, Math.max(logTime(clock), newest + 1))
    if (!readRotatedName(target, path)) throw outOfTime(target)
    // A rename overwrites. This name is ours even if somebody deleted the lock's file.
    const placeholder = await files.create(target)
    try {
      await placeholder.close()
      const isOurs = (await files.identify(path)) === file.identity && lock.isInPlace()
      if (isOurs) await files.rename(path, target)
      return isOurs
    } finally {
      // Not if the file was moved, though its directory could not be synced.
      if ((await files.identify(target)) === placeholder.identity) await files.remove(target)
    }
  }
}

/** After the year 9999, or because somebody has put a file there that claims to be of then. */
function outOfTime(target: string): SentinelError {
  return new SentinelError(
    'LOG_UNAVAILABLE',
    `${target} would not sort after the files before it`,
    {
      hint: 'set the clock, and move away files of the log that are named for the future',
    },
  )
}

/** The files of the log at `path` that were moved aside, in their order. */
export async function rotatedNames(path: string, files: LogFiles) {
  const log = basename(path)
  const names = await files.namesBeside(path)
  return names
    .flatMap((name) => {
      const read = readRotatedName(name, log)
      return read ? [{ ...read, path: join(dirname(path), name) }] : []
    })
    .toSorted((one, other) => one.at - other.at)
}

/** Gives `look` the file that was moved aside last, unless there is none or it is compressed. */
export async function lookAtNewestRotated(
  path: string,
  files: LogFiles,
  look: (file: LogFile) => Promise<void>,
): Promise<void> {
  const newest = (await rotatedNames(path, files)).at(-1)
  if (!newest || newest.isCompressed) return
  const file = await files.openRotated(newest.path)
  try {
    await look(file)
  } finally {
    await file.close()
  }
}

/** When the first record of `file` was made, as far as it begins with one. */
async function readBeginning(file: LogFile): Promise<Instant | undefined> {
  const text = (await file.read(0, FIRST_LOOK)).toString('latin1')
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.map(readTime).find((time) => time !== undefined)
}

function readTime(line: string): Instant | undefined {
  const [, text = ''] =
    /^\{"v":\d+,"stream":"[a-z2-7]+","seq":\d+,"time":"([^"]*)"/.exec(line) ?? []
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
