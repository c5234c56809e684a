/**
 * Which files make up a log, and opening them to read: also other people's, copies that an auditor
 * was sent. Only a log that is written to has to be in safe hands.
 *
 * @module
 */
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { SentinelError } from '../errors.ts'
import type { LogFileInfo } from '../ports/log-archive.ts'
import { hasErrno } from './log-file.ts'
import { readRotatedName } from './rotated-name.ts'
import { identityOf } from './trusted-path.ts'

/** A file of a log, open for reading as long as it is not disposed of. */
export interface OpenedFile extends LogFileInfo, AsyncDisposable {
  readonly handle: FileHandle
  /** Tells it from another file at the same path. */
  readonly identity: string
  /** Of those of its log: its last line may not be finished yet. */
  readonly isLast: boolean
}

/** The files of a log: those of one that is written at `live`, or those that somebody named. */
export type LogFileSelection = { readonly live: string } | { readonly named: readonly string[] }

/** What Sentinel keeps beside a log, and is none. */
const BESIDES = /^\.(lock|compress\.lock|ship\.json|ship\.lock|\w+\.gz\.\w+\.tmp)$/

/**
 * Rejects with `LOG_NOT_FOUND` where there is no file, with `LOG_UNREADABLE` as {@link openFile}.
 */
export async function listFiles(selection: LogFileSelection): Promise<readonly LogFileInfo[]> {
  const files: LogFileInfo[] = []
  for await (const { path, bytes, isCompressed } of openInOrder(selection)) {
    files.push({ path, bytes, isCompressed })
  }
  if (files.length > 0) return files
  const where = 'live' in selection ? selection.live : selection.named.join(', ')
  throw notFound(where)
}

/**
 * Opens one file after the other, the oldest first, and closes each before the next. Those of a
 * log that is being written are what was there at one moment, whatever is rotated meanwhile.
 */
export async function* openInOrder(selection: LogFileSelection): AsyncGenerator<OpenedFile> {
  if ('named' in selection) {
    const paths = arranged(selection.named)
    for (const [index, path] of paths.entries()) {
      await using file = await openFile(path)
      yield { ...file, isLast: index === paths.length - 1 }
    }
    return
  }
  // Before the names are listed: a file that is rotated later is not missed, nor read twice.
  await using live = await openIfThere(selection.live)
  const rotated = await rotatedFiles(selection.live)
  for (const [index, path] of rotated.entries()) {
    await using file = await openRotated(path)
    if (!file) continue
    if (live && file.identity === live.identity) {
      // Moved there meanwhile. Where it still stands as well, a link hides what comes after it.
      if ((await identityAt(selection.live)) !== live.identity) break
      throw unreadable(path, 'it is the file that is written to, under another name')
    }
    yield { ...file, isLast: !live && index === rotated.length - 1 }
  }
  if (live) yield { ...live, isLast: true }
}

/** Where the log is written that the files are of. */
export function logOf(selection: LogFileSelection): string {
  return 'live' in selection ? selection.live : (arranged(selection.named).at(-1) ?? '')
}

/** The rotated files of the log at `path`, oldest first. */
async function rotatedFiles(path: string): Promise<readonly string[]> {
  const log = basename(path)
  const names = await namesIn(dirname(path))
  return inOrder(
    names.filter((name) => readRotatedName(name, log) !== undefined),
    log,
  ).map(
    // As it was named: `./decisions.jsonl` has siblings in `./`.
    (name) => path.slice(0, path.length - log.length) + name,
  )
}

/**
 * Opens a file of a log to read. Rejects with `LOG_NOT_FOUND`, or with `LOG_UNREADABLE` for what is
 * no regular file or may not be read.
 */
async function openFile(path: string): Promise<OpenedFile> {
  const file = await openIfThere(path)
  if (!file) throw notFound(path)
  return file
}

/** The identity of what stands at `path`, if anything does. */
export async function identityAt(path: string): Promise<string | undefined> {
  return ifThere(path, async () => identityOf(await stat(path, { bigint: true })))
}

/** Says in the words of the port why a file of a log could not be read. */
export function unreadable(path: string, why: string, cause?: unknown): SentinelError {
  const isForbidden = hasErrno(cause, 'EACCES', 'EPERM')
  return new SentinelError('LOG_UNREADABLE', `${path} cannot be read: ${why}`, {
    hint: isForbidden
      ? 'ask whoever owns it for the right to read it'
      : 'name the files of one decision log, as they were written',
    cause,
  })
}

/**
 * The files that somebody named, who may have used a pattern of a shell: it puts the live file
 * before those that are older, and takes along what stands beside the log.
 */
function arranged(paths: readonly string[]): readonly string[] {
  const shortest = paths.toSorted((a, b) => a.length - b.length)[0] ?? ''
  const log = shortest.replace(/\.[^./]+Z(\.gz)?$/, '')
  const isOfLog = (path: string) => path === log || readRotatedName(path, log) !== undefined
  const isBeside = (path: string) => path.startsWith(log) && BESIDES.test(path.slice(log.length))
  if (!paths.every((path) => isOfLog(path) || isBeside(path))) return paths
  return inOrder(paths.filter(isOfLog), log)
}

/**
 * Names of files of `log`, oldest first. One that is being compressed has two: the first counts.
 */
function inOrder(names: readonly string[], log: string): readonly string[] {
  const timeOf = (name: string) => readRotatedName(name, log)?.at ?? Number.POSITIVE_INFINITY
  return names
    .filter((name) => !(name.endsWith('.gz') && names.includes(name.slice(0, -'.gz'.length))))
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))
}

/** A file may be compressed between the listing of its name and its opening. */
async function openRotated(path: string): Promise<OpenedFile | undefined> {
  return (await openIfThere(path)) ?? (await openIfThere(`${path}.gz`))
}

/** As {@link openFile}; `undefined` where there is nothing. */
export async function openIfThere(path: string): Promise<OpenedFile | undefined> {
  const { O_RDONLY, O_NONBLOCK = 0 } = constants
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  const handle = await ifThere(path, () => open(path, O_RDONLY | O_NONBLOCK))
  if (!handle) return undefined
  try {
    return await describe(handle, path)
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function describe(handle: FileHandle, path: string): Promise<OpenedFile> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile()) throw unreadable(path, 'it is not a regular file')
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  return {
    path,
    bytes: Number(stats.size),
    // No line of a log begins so, and a copy may be called anything.
    isCompressed: bytesRead === 2 && buffer.readUInt16BE() === GZIP,
    handle,
    identity: identityOf(stats),
    isLast: true,
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

const GZIP = 0x1f8b

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await ifThere(directory, () => readdir(directory))) ?? []
}

async function ifThere<Result>(
  path: string,
  look: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await look()
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (!hasErrno(error)) throw error
    throw unreadable(path, error.message, error)
  }
}

function notFound(where: string): SentinelError {
  return new SentinelError('LOG_NOT_FOUND', `there is no decision log at ${where}`, {
    hint: 'name it with --log-file; one is written by the first sentinel exec',
  })
}
