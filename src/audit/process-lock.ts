/**
 * A lock between processes, which the kernel takes back when its holder dies: SQLite's lock on an
 * empty file, as Node has no `flock`. Nothing is ever written to the file, and none is made beside
 * it.
 *
 * @module
 */
import { type BigIntStats, closeSync, constants, lstatSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { SentinelError } from '../errors.ts'
import { assertPrivate, identityOf } from './trusted-path.ts'

/** A lock that is held until it is disposed of, or the process ends. */
export interface ProcessLock extends Disposable {
  /**
   * Whether the file that is locked still stands at its path: who deletes it lets in others, and
   * what the lock protects must not come to harm by that.
   */
  isInPlace(): boolean
}

interface LockOptions {
  /** The effective user; absent where files have no owners (Windows). */
  readonly uid: number | undefined
}

/**
 * Takes the lock at `path`, whose directory nobody else may change, without ever waiting for it:
 * `undefined` when it is held, by another process or by this one. Makes the file if need be. Throws
 * `FILE_UNTRUSTED` when somebody else could read or change it, or when it is a link or no regular
 * file, and `LOG_UNAVAILABLE` when it cannot be made or locked.
 */
export function tryLock(path: string, { uid }: LockOptions): ProcessLock | undefined {
  const identity = claim(path, uid)
  const database = begin(path)
  const isInPlace = () => identityAt(path) === identity
  const free = () => database?.close()
  // What was locked may be another file than the one that was looked at.
  if (database && isInPlace()) return { isInPlace, [Symbol.dispose]: free }
  free()
  return undefined
}

/** Makes the file where there is none, and tells the identity of what is there. */
function claim(path: string, uid: number | undefined): string {
  try {
    const stats = lookAt(path) ?? create(path)
    assertPrivate(stats, path, 'file', uid)
    return identityOf(stats)
  } catch (error) {
    throw error instanceof SentinelError ? error : unavailable(path, 'cannot be made', error)
  }
}

// A file that exists is never opened here: closing any descriptor of a file takes away all the
// POSIX locks that this process has on it, SQLite's too.
function create(path: string): BigIntStats {
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW = 0 } = constants
  try {
    closeSync(openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600))
  } catch (error) {
    // Another process was first: its file is looked at like any other.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return lstatSync(path, { bigint: true })
}

function begin(path: string): DatabaseSync | undefined {
  const url = pathToFileURL(path)
  // A file that is gone by now is not to be made by SQLite: it would be open to others.
  url.searchParams.set('mode', 'rw')
  let database: DatabaseSync | undefined
  try {
    // SQLite waits for a lock with the event loop stopped: so not at all.
    database = new DatabaseSync(url, { timeout: 0 })
    // Beginning to write makes a first page, which a journal in memory lets nobody see.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE')
    return database
  } catch (error) {
    database?.close()
    if (resultOf(error) === SQLITE_BUSY) return undefined
    throw unavailable(path, 'cannot be locked', error)
  }
}

const SQLITE_BUSY = 5

/** SQLite's primary result code: the low byte of what it reports. */
function resultOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

function identityAt(path: string): string | undefined {
  const stats = lookAt(path)
  return stats && identityOf(stats)
}

function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

function unavailable(path: string, what: string, cause: unknown): SentinelError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new SentinelError('LOG_UNAVAILABLE', `lock file ${path} ${what}${why}`, {
    hint: 'see to who may write there, or remove it while no sentinel runs: another is made',
    cause,
  })
}
