import { constants } from 'node:fs'
import { access, type FileHandle, lstat, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SentinelError } from '../errors.ts'
import type { LogHealth } from '../ports/log-health.ts'
import { hasErrno } from './log-file.ts'
import { listParts } from './ship-files.ts'
import { assertPrivate, assertUnwritable, type LogDirectory, untrusted } from './trusted-path.ts'

interface HealthOptions {
  readonly path: string
  readonly uid: number | undefined
  readonly directory: LogDirectory
}

/**
 * Looks at the log at `path` without writing to it, nor making anything. Rejects as opening it
 * would: with `LOG_UNAVAILABLE` when nothing could be written, or with `FILE_UNTRUSTED`.
 */
export async function inspectLog(options: HealthOptions): Promise<LogHealth> {
  const { path } = options
  try {
    await assertDirectory(options)
    const parts = await listParts(path)
    const rotated = parts.filter(({ isLive }) => !isLive)
    const sizes = await Promise.all(rotated.map(async (part) => (await lstat(part.path)).size))
    const rotatedBytes = sizes.reduce((sum, size) => sum + size, 0)
    const live = await inspectLive(options)
    return { path, ...live, rotated: rotated.length, rotatedBytes }
  } catch (error) {
    if (error instanceof SentinelError || !hasErrno(error)) throw error
    throw new SentinelError(
      'LOG_UNAVAILABLE',
      `decision log ${path} cannot be written: ${error.message}`,
      { hint: 'look at the file and its directory, or name another with --log-file', cause: error },
    )
  }
}

/** A directory that is not there yet is made in the first that is. */
async function assertDirectory({ path, uid, directory: kind }: HealthOptions): Promise<void> {
  const directory = dirname(path)
  try {
    const stats = await lstat(directory, { bigint: true })
    if (kind === 'private') assertPrivate(stats, directory, 'directory', uid)
    else assertUnwritable(stats, directory, uid)
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!hasErrno(error, 'ENOENT') || directory === dirname(directory)) throw error
    let above = dirname(directory)
    while (!(await isThere(above))) above = dirname(above)
    await access(above, constants.W_OK | constants.X_OK)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    return false
  }
}

async function inspectLive({ path, uid }: HealthOptions) {
  await using file = await openToAppend(path)
  if (!file) return { isTorn: false }
  assertPrivate(await file.stat({ bigint: true }), path, 'file', uid)
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(size - 1, 0))
  return { bytes: size, isTorn: bytesRead === 1 && buffer.toString() !== '\n' }
}

async function openToAppend(path: string): Promise<FileHandle | undefined> {
  const { O_RDWR, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    return await open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    if (hasErrno(error, 'ELOOP')) throw untrusted(`${path} is a symbolic link`)
    if (hasErrno(error, 'EISDIR', 'ENXIO')) throw untrusted(`${path} is not a regular file`)
    throw error
  }
}
