import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { SentinelError } from '../errors.ts'

/** As many as Linux follows. */
const LINKS_MAX = 40

const STICKY = 0o1000
const WRITABLE_BY_OTHERS = 0o022

/**
 * Follows `path` to what it stands for, one name at a time, and answers the path without links.
 * Throws `FILE_UNTRUSTED` when anybody but root and the user `uid` could lead it elsewhere: by a
 * directory they may write to, or a link that is theirs. Hence nobody can between now and the
 * moment when the answer is opened. Rejects with the system's own error when there is nothing.
 */
export async function followTrusted(path: string, uid: number): Promise<string> {
  const names = isAbsolute(path)
    ? path.split('/')
    : [...resolve('.').split('/'), ...path.split('/')]
  let current = '/'
  let links = 0
  assertTrustedDirectory(current, await lstat(current), uid)

  while (names.length > 0) {
    const next = join(current, names.shift()!)
    if (next === current) continue
    const stats = await lstat(next)
    if (stats.isSymbolicLink()) {
      assertOwner(next, stats, uid)
      links += 1
      if (links > LINKS_MAX) throw untrusted(`${next} is a link that leads to itself`, 'remove it')
      const target = await readlink(next)
      names.unshift(...target.split('/'))
      if (isAbsolute(target)) current = '/'
      continue
    }
    if (stats.isDirectory()) assertTrustedDirectory(next, stats, uid)
    current = next
  }
  return current
}

/** Throws `FILE_UNTRUSTED` unless `stats` are those of a file that only `uid` or root writes. */
export function assertTrustedFile(path: string, stats: Stats, uid: number): void {
  if (!stats.isFile()) throw untrusted(`${path} is not a regular file`, 'name a regular file')
  assertOwner(path, stats, uid)
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) throw writable(path)
}

function assertTrustedDirectory(path: string, stats: Stats, uid: number): void {
  assertOwner(path, stats, uid)
  // In /tmp everybody may add a name, and nobody may touch the names of others.
  const isSticky = (stats.mode & STICKY) !== 0 && stats.uid === 0
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0 && !isSticky) throw writable(path)
}

function assertOwner(path: string, stats: Stats, uid: number): void {
  if (stats.uid === uid || stats.uid === 0) return
  const option = stats.isSymbolicLink() ? '-h ' : ''
  throw untrusted(
    `${path} belongs to another user (uid ${stats.uid})`,
    `run: chown ${option}${uid} ${inShell(path)}`,
  )
}

function writable(path: string): SentinelError {
  return untrusted(`${path} may be changed by other users`, `run: chmod go-w ${inShell(path)}`)
}

function untrusted(message: string, hint: string): SentinelError {
  return new SentinelError('FILE_UNTRUSTED', message, { hint })
}

/** `path` as a shell takes it for one word. */
export function inShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
