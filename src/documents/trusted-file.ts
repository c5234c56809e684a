import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type ErrorCode, SentinelError } from '../errors.ts'
import { decodeText } from './decode-text.ts'
import { type Position, positionsOf } from './position.ts'
import { locate } from './problem.ts'
import { assertTrustedFile, followTrusted, inShell } from './trusted-path.ts'

interface TrustedFileOptions {
  /** Who must own the file, if not root. `undefined` where there are no owners: on Windows. */
  readonly uid: number | undefined
  readonly maxBytes: number
  /** A file that others may so much as read is refused, as `invalid`. */
  readonly isSecret?: true
  /** What a file is called that holds no text, or too much: `CONFIG_INVALID` by default. */
  readonly invalid?: ErrorCode
  /** What a file is called that the system does not give: `CONFIG_INVALID` by default. */
  readonly unavailable?: ErrorCode
}

/**
 * The text of a file that nobody could have written but the user and root; `undefined` when there
 * is none. Throws `FILE_UNTRUSTED` when the file, a directory on the way to it or a link could be
 * changed by somebody else.
 */
export async function readTrustedFile(
  path: string,
  options: TrustedFileOptions,
): Promise<string | undefined> {
  const { uid, unavailable = 'CONFIG_INVALID' } = options
  try {
    const target = uid === undefined ? path : await followTrusted(path, uid)
    await using file = await openFile(target, uid)
    // What is open is what is looked at: the name may stand for something else by now.
    if (uid !== undefined) {
      const stats = await file.stat()
      assertTrustedFile(target, stats, uid)
      if (options.isSecret) assertUnreadable(target, stats, options)
    }
    return toText(await readAtMost(file, options.maxBytes + 1), path, options)
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new SentinelError(unavailable, `${path} cannot be read (${error.code})`, {
      hint: 'name another file, or get the right to read this one',
      cause: error,
    })
  }
}

/** Never waits for the other end of a pipe, and never follows a link put there just now. */
function openFile(target: string, uid: number | undefined): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  return open(target, uid === undefined ? O_RDONLY : O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
}

function assertUnreadable(
  path: string,
  { mode }: Stats,
  { invalid = 'CONFIG_INVALID' }: TrustedFileOptions,
): void {
  if ((mode & 0o077) === 0) return
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  throw new SentinelError(invalid, `${path} may be read by other users (mode ${shown})`, {
    hint: `run: chmod 600 ${inShell(path)}, and make another one if somebody has read it`,
  })
}

async function readAtMost(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes)
  let length = 0
  while (length < maxBytes) {
    const { bytesRead } = await file.read(buffer, length, maxBytes - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

function toText(bytes: Buffer, path: string, options: TrustedFileOptions): string {
  const { maxBytes, invalid = 'CONFIG_INVALID' } = options
  const refuse = (at: Position, message: string, hint: string) =>
    new SentinelError(invalid, locate({ ...at, message }, path), { hint })

  if (bytes.length > maxBytes) {
    const shown = bytes.subarray(0, maxBytes).toString()
    const message = `the document is larger than ${maxBytes} bytes`
    throw refuse(positionsOf(shown)(shown.length), message, 'make it shorter')
  }
  const { text, at } = decodeText(bytes)
  if (text === undefined) throw refuse(at, 'this is not UTF-8 text', 'save the file as UTF-8')
  return text
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
