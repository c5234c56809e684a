import { constants, type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
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

  /** `isLinked`: some directory still lists the file. */
  look(): Promise<{ readonly size: number; readonly isLinked: boolean }>

  /** At most `length` bytes from `position` on: fewer at the end of the file. */
  read(position: number, length: number): Promise<Buffer>

  close(): Promise<void>
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
}

/** The real file system. `uid` is the effective user; absent where files have no owners. */
export function diskFiles(
  uid: number | undefined,
  directoryKind: LogDirectory = 'private',
): LogFiles {
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

      const handle = await openRegular(path)
      try {
        const stats = await handle.stat({ bigint: true })
        assertPrivate(stats, path, 'file', uid)
        // The name of a file just made is the directory's data: a power cut must not lose it.
        if (stats.size === 0n) await syncDirectory(directory)
        return logFile(handle, identityOf(stats))
      } catch (error) {
        await handle.close()
        throw error
      }
    },
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

function logFile(handle: FileHandle, identity: string): LogFile {
  return {
    identity,
    async write(bytes) {
      return (await handle.write(bytes)).bytesWritten
    },
    sync: () => handle.datasync(),
    async look() {
      const { size, nlink } = await handle.stat()
      return { size, isLinked: nlink > 0 }
    },
    async read(position, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
    close: () => handle.close(),
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    // Node adds O_CLOEXEC itself. O_NONBLOCK: opening a pipe must not wait for its other end.
    return await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
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
