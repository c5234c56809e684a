import type { BigIntStats } from 'node:fs'
import { SentinelError } from '../errors.ts'

/**
 * Who may know of the directory a log is in: `private`, nobody else, for one of our own making;
 * `chosen`, anybody, as long as nobody else can change what is in it.
 */
export type LogDirectory = 'private' | 'chosen'

/**
 * Throws `FILE_UNTRUSTED` unless what `stats` tell of is a regular file, or a directory, which
 * `uid` (or root) owns and nobody else may read or change, and which has no other name.
 */
export function assertPrivate(
  stats: BigIntStats,
  path: string,
  kind: 'file' | 'directory',
  uid: number | undefined,
): void {
  if (stats.isSymbolicLink()) throw untrusted(`${path} is a symbolic link`)
  if (kind === 'file' && !stats.isFile()) throw untrusted(`${path} is not a regular file`)
  if (kind === 'file' && stats.nlink > 1n) {
    throw untrusted(`${path} is known by another name as well (a hard link)`)
  }
  if (uid === undefined) return
  if (stats.uid !== BigInt(uid) && stats.uid !== 0n) {
    throw untrusted(`${path} belongs to another user (uid ${stats.uid})`)
  }
  if ((stats.mode & 0o077n) !== 0n) {
    const mode = (stats.mode & 0o777n).toString(8).padStart(4, '0')
    throw new SentinelError('FILE_UNTRUSTED', `${path} is open to other users (mode ${mode})`, {
      hint: `run chmod ${kind === 'file' ? '600' : '700'} ${path}, or name another log file`,
    })
  }
}

/**
 * Throws `FILE_UNTRUSTED` when others can change what is in a directory. In a sticky one of root's,
 * such as /tmp, names can be made by others, but not taken.
 */
export function assertUnwritable(stats: BigIntStats, path: string, uid: number | undefined): void {
  if (!stats.isDirectory()) throw untrusted(`${path} is not a directory`)
  if (uid === undefined || ((stats.mode & 0o1000n) !== 0n && stats.uid === 0n)) return
  if (stats.uid !== BigInt(uid) && stats.uid !== 0n) {
    throw untrusted(`${path} belongs to another user (uid ${stats.uid})`)
  }
  if ((stats.mode & 0o022n) === 0n) return
  throw new SentinelError('FILE_UNTRUSTED', `${path} can be changed by other users`, {
    hint: `run chmod go-w ${path}, or name another log file`,
  })
}

/** A refusal of a path of the log that is not as it has to be. */
export function untrusted(message: string): SentinelError {
  return new SentinelError('FILE_UNTRUSTED', message, {
    hint: 'name a log file of your own in a private directory',
  })
}

/** Tells a file from another one at the same path. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}
