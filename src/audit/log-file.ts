import {
  constants,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  unlink,
} from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { type ProcessLock, tryLock } from './process-lock.ts'
import {
  assertPrivate,
  assertUnwritable,
  identityOf,
  type LogDirectory,
  untrusted,
} from './trusted-path.ts'

/** An open log file. What fails rejects with the system's own error. */
export interface LogFile {
  /** Tells this file from another one at the same path. */
  readonly identity: string

  /** Writes at the end, in one call; resolves with how many bytes the system took. */
  write(bytes: Uint8Array): Promise<number>

  /** Resolves once everything written so far survives a power cut. */
  sync(): Promise<void>

  look(): Promise<FileLook>

  /** At most `length` bytes from `position` on: fewer at the end of the file. */
  read(position: number, length: number): Promise<Buffer>

  close(): Promise<void>
}

/** How a file is at a moment. */
export interface FileLook {
  readonly size: number
  /** Some directory still lists the file. */
  readonly isLinked: boolean
  /** When it was last written to, by the local clock. */
  readonly modifiedAt: Instant
}

/** The file system, as far as the log uses it. */
export interface LogFiles {
  /** The identity of what stands at `path`, if anything does. */
  identify(path: string): Promise<string | undefined>

  /**
   * Opens `path`, or creates it. Rejects with `FILE_UNTRUSTED` when somebody else could read or
   * change it, or when it is a link or no regular file.
   */
  open(path: string): Promise<LogFile>

  /** As `open`, for what stands at `path` and is only to be read: rejects when nothing does. */
  openRotated(path: string): Promise<LogFile>

  /** Makes `path`, for its owner alone: rejects with `EEXIST` when anything stands there. */
  create(path: string): Promise<LogFile>

  /** The names in the directory of `path`. */
  namesBeside(path: string): Promise<readonly string[]>

  /** Puts `from` in the place of whatever is at `to`; resolves once that survives a power cut. */
  rename(from: string, to: string): Promise<void>

  remove(path: string): Promise<void>

  /** As {@link tryLock}. */
  lock(path: string): ProcessLock | undefined
}

/** The real file system. `uid` is the effective user; absent where files have no owners. */
export function diskFiles(
  uid: number | undefined,
  directoryKind: LogDirectory = 'private',
): LogFiles {
  const { O_APPEND, O_CREAT, O_EXCL } = constants
  return {
    async identify(path) {
      try {
        return identityOf(await lstat(path, { bigint: true }))
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) throw error
        return undefined
      }
    },

    async open(path) {
      const directory = dirname(path)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const found = await lstat(directory, { bigint: true })
      if (directoryKind === 'private') assertPrivate(found, directory, 'directory', uid)
      else assertUnwritable(found, directory, uid)

      return openPrivate(path, O_APPEND | O_CREAT, uid)
    },

    openRotated: (path) => openPrivate(path, 0, uid),

    create: (path) => openPrivate(path, O_APPEND | O_CREAT | O_EXCL, uid),

    namesBeside: (path) => readdir(dirname(path)),

    async rename(from, to) {
      await rename(from, to)
      await syncDirectory(dirname(to))
    },

    remove: unlink,

    lock: (path) => tryLock(path, { uid }),
  }
}

/** Whether `error` came from the system, with one of `codes` if any are given. */
export function hasErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error)) return false
  const { code } = error
  return (
    typeof code === 'string' && (codes.includes(code) || (!codes[0] && /^E[A-Z\d]+$/.test(code)))
  )
}

/** Whether `error` is a failure of the world, not a bug. */
export function isFault(error: unknown): error is Error {
  return error instanceof SentinelError || hasErrno(error)
}

function logFile(handle: FileHandle, identity: string): LogFile {
  return {
    identity,
    async write(bytes) {
      return (await handle.write(bytes)).bytesWritten
    },
    sync: () => handle.datasync(),
    async look() {
      const { size, nlink, mtimeMs } = await handle.stat()
      return { size, isLinked: nlink > 0, modifiedAt: mtimeMs }
    },
    async read(position, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
    close: () => handle.close(),
  }
}

async function openPrivate(path: string, flags: number, uid: number | undefined): Promise<LogFile> {
  const handle = await openRegular(path, flags)
  try {
    const stats = await handle.stat({ bigint: true })
    assertPrivate(stats, path, 'file', uid)
    // The name of a file just made is the directory's data: a power cut must not lose it.
    if (stats.size === 0n) await syncDirectory(dirname(path))
    return logFile(handle, identityOf(stats))
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function openRegular(path: string, flags: number): Promise<FileHandle> {
  const { O_RDWR, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    // Node adds O_CLOEXEC itself. O_NONBLOCK: opening a pipe must not wait for its other end.
    return await open(path, flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    if (hasErrno(error, 'ELOOP')) throw untrusted(`${path} is a symbolic link`)
    if (hasErrno(error, 'EISDIR', 'ENXIO')) throw untrusted(`${path} is not a regular file`)
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY)
  try {
    await directory.sync()
  } catch (error) {
    // Some file systems refuse to sync a directory; they keep names in order without it.
    if (!hasErrno(error, 'EINVAL', 'EPERM', 'EISDIR', 'EBADF', 'ENOTSUP')) throw error
  } finally {
    await directory.close()
  }
}
