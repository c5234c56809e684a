import {
  type BigIntStats,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { SentinelError } from '../../errors.ts'

/**
 * Makes `path`, and its directory, where there is none; resolves to what tells the file from
 * another one of that name. Both are for `uid` alone: SQLite keeps more files beside its own, which
 * it finds by name. Throws `FILE_UNTRUSTED` when somebody else could read or change either, and the
 * system's own error when it gives nothing.
 */
export function claimPrivateFile(path: string, uid: number | undefined): string {
  const directory = dirname(path)
  if (!lookAt(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 })
  assertPrivate(directory, 'directory', uid)
  if (!lookAt(path)) create(path)
  return identityOf(assertPrivate(path, 'file', uid))
}

/** The identity of what stands at `path` now, if anything does. */
export function identify(path: string): string | undefined {
  const stats = lookAt(path)
  return stats && identityOf(stats)
}

// All of this is synchronous on purpose, and a file that exists is never opened here: closing any
// descriptor of a file takes away the POSIX locks that this process has on it, SQLite's too.
function create(path: string): void {
  const { O_CREAT, O_EXCL, O_RDWR } = constants
  try {
    closeSync(openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600))
  } catch (error) {
    // Another process was first: its file is looked at like any other.
    if (codeOf(error) !== 'EEXIST') throw error
    return
  }
  syncDirectory(dirname(path))
}

function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

function assertPrivate(
  path: string,
  kind: 'file' | 'directory',
  uid: number | undefined,
): BigIntStats {
  const stats = lstatSync(path, { bigint: true })
  if (stats.isSymbolicLink()) throw untrusted(`${path} is a symbolic link`)
  if (kind === 'directory' && !stats.isDirectory()) throw untrusted(`${path} is not a directory`)
  if (kind === 'file' && !stats.isFile()) throw untrusted(`${path} is not a regular file`)
  if (kind === 'file' && stats.nlink > 1n) {
    throw untrusted(`${path} is known by another name as well (a hard link)`)
  }
  if (uid === undefined) return stats
  if (stats.uid !== BigInt(uid))
    throw untrusted(`${path} belongs to another user (uid ${stats.uid})`)
  if ((stats.mode & 0o077n) !== 0n) {
    const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0')
    throw new SentinelError('FILE_UNTRUSTED', `${path} is open to other users (mode ${mode})`, {
      hint: `run chmod ${kind === 'file' ? '600' : '700'} ${path}, or name a file elsewhere`,
    })
  }
  return stats
}

function untrusted(message: string): SentinelError {
  return new SentinelError('FILE_UNTRUSTED', message, {
    hint: 'name a file of your own in a directory that is closed to others',
  })
}

/** The name of a file just made is the directory's data: a power cut must not lose it. */
function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, constants.O_RDONLY)
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    // Some systems have no such call; they keep names in order without it.
    const refusals = ['EINVAL', 'EPERM', 'EISDIR', 'EBADF', 'ENOTSUP']
    if (!refusals.includes(codeOf(error) ?? '')) throw error
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
