import { constants } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { SentinelError } from '../errors.ts'
import { hasErrno } from './log-file.ts'
import type { ShipPosition } from './ship-cursor.ts'
import { assertPrivate } from './trusted-path.ts'

/** What is kept beside a log of how its shipping stands: never what is shipped. */
export interface ShipState {
  /** SHA-256, in hex, of the target in full, which may hold a secret. */
  readonly target: string
  /** What may be shown of it. */
  readonly receiver: string
  /** Up to where the receiver took everything. Absent: nothing yet. */
  readonly position?: ShipPosition | undefined
  /** Lines that it took, and that it let go, since shipping to it began. */
  readonly lines: number
  readonly dropped: number
  /** The process that shipped last, which may ship still. */
  readonly shipper: { readonly host: string; readonly pid: number }
  /** Timestamps. */
  readonly lastSuccess?: string | undefined
  readonly lastFailure?:
    | { readonly at: string; readonly code: string; readonly message: string }
    | undefined
}

/** Where the state of the log at `path` is kept. */
export function statePath(path: string): string {
  return `${path}.ship.json`
}

/**
 * Reads the state of the log at `path`: `undefined` where there is none, `unknown` for what cannot
 * be understood. Rejects with `LOG_UNREADABLE`, and with `FILE_UNTRUSTED` when somebody else could
 * have written it: what it says was shipped is shipped no more.
 */
export async function readShipState(
  path: string,
  uid: number | undefined,
): Promise<ShipState | 'unknown' | undefined> {
  const text = await readText(statePath(path), uid)
  return text === undefined ? undefined : (parse(text) ?? 'unknown')
}

/**
 * Puts `state` in place of the one before, in one step: whatever happens, one of the two is there.
 * For whoever holds the lock. Rejects with `LOG_UNAVAILABLE`, and with `FILE_UNTRUSTED` where
 * somebody else has put something in its way.
 */
export async function writeShipState(
  path: string,
  state: ShipState,
  uid: number | undefined,
): Promise<void> {
  const target = statePath(path)
  const draft = `${target}.new`
  const { O_WRONLY, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    {
      // O_NONBLOCK: opening a pipe must not wait for its other end.
      await using file = await open(draft, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
      assertPrivate(await file.stat({ bigint: true }), draft, 'file', uid)
      await file.truncate()
      await file.writeFile(`${JSON.stringify({ version: VERSION, ...state })}\n`)
      await file.datasync()
    }
    await rename(draft, target)
  } catch (cause) {
    if (!hasErrno(cause)) throw cause
    const message = `${target}, which says what was shipped, cannot be written: ${cause.message}`
    throw new SentinelError('LOG_UNAVAILABLE', message, {
      hint: 'make room, or look at its directory: what was shipped will be shipped again',
      cause,
    })
  }
}

const VERSION = 1

/** Far more than a state takes. */
const MOST = 64 * 1024

async function readText(path: string, uid: number | undefined): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    assertPrivate(await file.stat({ bigint: true }), path, 'file', uid)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (cause) {
    if (!hasErrno(cause)) throw cause
    if (cause.code === 'ENOENT') return undefined
    const message = `${path}, which says what was shipped, cannot be read: ${cause.message}`
    throw new SentinelError('LOG_UNREADABLE', message, {
      hint: 'remove it: the log is shipped again from its beginning',
      cause,
    })
  }
}

function parse(text: string): ShipState | undefined {
  const value = parseJSON(text)
  if (!isObject(value) || value.version !== VERSION) return undefined
  const { target, receiver, position, lines, dropped, shipper, lastSuccess, lastFailure } = value
  const isSound =
    typeof target === 'string' &&
    typeof receiver === 'string' &&
    (position === undefined || isPosition(position)) &&
    isCount(lines) &&
    isCount(dropped) &&
    hasFields(shipper, { host: 'string', pid: 'number' }) &&
    (lastSuccess === undefined || typeof lastSuccess === 'string') &&
    (lastFailure === undefined ||
      hasFields(lastFailure, { at: 'string', code: 'string', message: 'string' }))
  // Each field was just looked at.
  return isSound ? (value as unknown as ShipState) : undefined
}

function isPosition(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.tail)) return false
  const { file, offset, tail } = value
  const isInside = Number(tail.bytes) <= Number(offset)
  return isHash(file) && isHash(tail.sha256) && isCount(offset) && isCount(tail.bytes) && isInside
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function hasFields(value: unknown, fields: Readonly<Record<string, string>>): boolean {
  if (!isObject(value)) return false
  return Object.entries(fields).every(([name, type]) => typeof value[name] === type)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
