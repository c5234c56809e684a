/**
 * Compressing the files of a log that were moved aside, by one process at a time: it holds
 * `PATH.compress.lock` for as long as that takes, and `PATH.lock`, under which names change, only
 * for the moment in which the copy takes the original's place. Any of this may be interrupted: the
 * original goes last.
 *
 * @module
 */
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { HOUR, type Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { compressInto, readBeginning, readCompressed } from './compressed-copy.ts'
import { type FileLook, isFault, type LogFile, type LogFiles } from './log-file.ts'
import type { ProcessLock } from './process-lock.ts'
import { readRotatedName } from './rotated-name.ts'
import { namesLockOf, rotatedNames } from './rotation.ts'

interface CompressOptions {
  readonly path: string
  readonly files: LogFiles
  /** Tells our temporary files from those of others: a stream's name. */
  readonly stream: string
  /** The local clock, by which files are dated. */
  readonly now: () => Instant
  readonly signal: AbortSignal
}

/** A file on its way, and the lock that this happens under. */
interface Work {
  readonly options: CompressOptions
  readonly lock: ProcessLock
  readonly path: string
  readonly source: LogFile
}

/** A copy, and how large the file was of which it is one. */
interface Copied {
  readonly path: string
  readonly size: number
}

/** How long a file must not have been written to: a writer that was stopped may still come back. */
const REST = 24 * HOUR

/**
 * Compresses the files of the log at `path` that were moved aside and have been at rest for a day,
 * unless another process is about it. Rejects with the first fault once all were tried, and when
 * `signal` aborts.
 */
export async function compressRotated(options: CompressOptions): Promise<void> {
  const { path, files, signal } = options
  using lock = files.lock(`${path}.compress.lock`)
  if (!lock) return
  await removeLeftovers(path, files)
  let fault: Error | undefined
  for (const rotated of await rotatedNames(path, files)) {
    if (rotated.isCompressed) continue
    signal.throwIfAborted()
    try {
      await compress(options, lock, rotated.path)
    } catch (error) {
      if (signal.aborted || !isFault(error)) throw error
      fault ??= error
    }
  }
  if (fault) throw fault
}

async function compress(options: CompressOptions, lock: ProcessLock, path: string): Promise<void> {
  const { files, now, signal } = options
  const source = await files.openRotated(path)
  try {
    const before = await source.look()
    if (now() - before.modifiedAt < REST) return
    await assertReplaceable(options, path, source)
    const work = { options, lock, path, source }
    let size = await copy(work, signal, (copied) => takePlace(work, before, copied))
    // What a writer added before the original's name was gone, it took for safe: it is not left
    // behind, even at the end. What came after that, it has seen to be lost, and writes anew.
    while (size !== undefined && (await source.look()).size !== size) {
      size = await copy(work, undefined, async (copied) => {
        await files.rename(copied.path, `${path}.gz`)
        return true
      })
    }
  } finally {
    await source.close()
  }
}

/**
 * Throws when the copy would take the place of something else than what a process that was killed
 * had copied of `source`.
 */
async function assertReplaceable(
  { files, signal }: CompressOptions,
  path: string,
  source: LogFile,
): Promise<void> {
  const target = `${path}.gz`
  if ((await files.identify(target)) === undefined) return
  const earlier = await files.openRotated(target)
  try {
    const held = await readBack(earlier, path, signal)
    const copied = await readBeginning(source, held.size, signal)
    if (held.size === copied.size && held.sha256 === copied.sha256) return
  } finally {
    await earlier.close()
  }
  throw new SentinelError('LOG_UNAVAILABLE', `${target} holds something else than ${path}`, {
    hint: 'move one of them elsewhere: no file of a log is overwritten',
  })
}

/**
 * Makes a compressed copy of the file as it is now, which is durable and reads back as the file
 * does, and gives its path to `place`: unless that keeps it, it is removed. Resolves with the size
 * of what was copied if it was kept.
 */
async function copy(
  { options: { files, stream }, path, source }: Work,
  signal: AbortSignal | undefined,
  place: (copied: Copied) => Promise<boolean>,
): Promise<number | undefined> {
  const temporary = `${path}.gz.${stream}.tmp`
  const compressed = await files.create(temporary)
  try {
    const written = await compressInto(compressed, source, signal)
    await compressed.sync()
    const read = await readBack(compressed, path, signal)
    if (read.size !== written.size || read.sha256 !== written.sha256) throw damaged(path)
    const { size } = written
    return (await place({ path: temporary, size })) ? size : undefined
  } finally {
    await compressed.close()
    if ((await files.identify(temporary)) === compressed.identity) await files.remove(temporary)
  }
}

async function readBack(compressed: LogFile, path: string, signal: AbortSignal | undefined) {
  try {
    return await readCompressed(compressed, signal)
  } catch (error) {
    throw signal?.aborted || isFault(error) ? error : damaged(path, error)
  }
}

/** Puts the copy in the original's place, unless somebody has been at either. */
async function takePlace(work: Work, before: FileLook, copied: Copied): Promise<boolean> {
  const { options, lock, path, source } = work
  const { files } = options
  using names = await lockNames(options)
  const { size, modifiedAt } = await source.look()
  const isUnchanged =
    size === before.size &&
    size === copied.size &&
    modifiedAt === before.modifiedAt &&
    (await files.identify(path)) === source.identity
  if (!isUnchanged || !lock.isInPlace() || !names?.isInPlace()) return false
  await files.rename(copied.path, `${path}.gz`)
  await files.remove(path)
  return true
}

/** A rotation holds the lock for some milliseconds. Nothing is lost if it is never free. */
async function lockNames({ path, files, signal }: CompressOptions) {
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
    const lock = files.lock(namesLockOf(path))
    if (lock) return lock
    await setTimeout(LOCK_ATTEMPTS_APART, undefined, { signal })
  }
  return undefined
}

const LOCK_ATTEMPTS = 20
const LOCK_ATTEMPTS_APART = 50

/** Removes what killed processes left: whoever holds the lock has not begun yet. */
async function removeLeftovers(path: string, files: LogFiles): Promise<void> {
  for (const name of await files.namesBeside(path)) {
    const [, compressed = ''] = TEMPORARY.exec(name) ?? []
    const isLeftover = readRotatedName(compressed, basename(path))?.isCompressed
    if (isLeftover) await files.remove(join(dirname(path), name))
  }
}

const TEMPORARY = /^(.+)\.[a-z2-7]{20}\.tmp$/

function damaged(path: string, cause?: unknown): SentinelError {
  const message = `the compressed copy of ${path} does not read back as it was written`
  return new SentinelError('LOG_UNAVAILABLE', message, {
    hint: 'look at the disk and its file system: the original stays',
    cause,
  })
}
