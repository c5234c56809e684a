import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SentinelError } from '../errors.ts'
import { type OpenedFile, unreadable } from './archive-files.ts'
import { hasErrno } from './log-file.ts'

/** Lines of a file. Its bytes are good only until the next chunk is asked for. */
export interface Chunk {
  readonly bytes: Buffer
  /** The number of its first line, from 1. */
  readonly firstLine: number
}

/** A line without its newline. Its bytes are good as long as its chunk's are. */
export interface Line {
  readonly bytes: Buffer
  /** Counted from 1, blank lines too. */
  readonly number: number
}

export interface ReadingOptions {
  readonly signal: AbortSignal
  /** Is told of bytes of the file as they are read, as they are on the disk. */
  readonly onBytes?: ((count: number) => void) | undefined
}

const CHUNK = 1024 * 1024

/** A writer's lines are under 8 KiB; what a disk lost of them may be one line of zero bytes. */
const LINE_MAX = 16 * 1024 * 1024

/** Ends a line. */
export const NEWLINE = 0x0a

/**
 * Reads a file from its beginning up to where it ended when it was opened; in the last one of a
 * log, up to the last newline, as a line may be being written. Rejects with `LOG_UNREADABLE`, and
 * with `INTERRUPTED` when the signal aborts.
 */
export async function* readChunks(
  file: OpenedFile,
  options: ReadingOptions,
): AsyncGenerator<Chunk> {
  let rest = Buffer.alloc(0)
  let firstLine = 1
  for await (const piece of file.isCompressed ? inflated(file, options) : plain(file, options)) {
    throwIfAborted(options.signal)
    const end = piece.lastIndexOf(NEWLINE) + 1
    const bytes =
      rest.length > 0 ? Buffer.concat([rest, piece.subarray(0, end)]) : piece.subarray(0, end)
    if (end > 0) {
      yield { bytes, firstLine }
      firstLine += countLines(bytes)
      rest = Buffer.from(piece.subarray(end))
    } else {
      rest = Buffer.concat([rest, piece])
    }
    if (rest.length > LINE_MAX) throw unreadable(file.path, `line ${firstLine} has no end`)
  }
  if (rest.length > 0 && !file.isLast) yield { bytes: rest, firstLine }
}

/**
 * What stands at `position` in a file that may still grow: up to its end, or one longest line.
 */
export async function readPiece(file: OpenedFile, position: number): Promise<Buffer> {
  for (let length = CHUNK / 4; ; length *= 4) {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await file.handle
      .read(buffer, 0, length, position)
      .catch(translate(file.path))
    const piece = buffer.subarray(0, bytesRead)
    if (bytesRead < length || piece.includes(NEWLINE)) return piece
    if (length >= LINE_MAX) throw unreadable(file.path, 'a line has no end')
  }
}

/** The lines of a chunk that are not blank. */
export function* linesOf({ bytes, firstLine }: Chunk): Generator<Line> {
  let number = firstLine
  for (let start = 0; start < bytes.length; number++) {
    // To look for the end of a blank line takes longer than to read one.
    if (bytes[start] === NEWLINE) {
      start++
      continue
    }
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline
    yield { bytes: bytes.subarray(start, end), number }
    start = end + 1
  }
}

/** How many newlines `bytes` hold. */
export function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    count++
    while (bytes[at + 1] === NEWLINE) {
      at++
      count++
    }
  }
  return count
}

/** Throws `INTERRUPTED` when `signal` has aborted. */
function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new SentinelError('INTERRUPTED', 'reading the decision log was interrupted')
}

async function* plain(
  { handle, path, bytes: size }: OpenedFile,
  { onBytes }: ReadingOptions,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size))
  for (let position = 0; position < size; ) {
    const length = Math.min(buffer.length, size - position)
    const { bytesRead } = await handle.read(buffer, 0, length, position).catch(translate(path))
    if (bytesRead === 0) break
    position += bytesRead
    onBytes?.(bytesRead)
    yield buffer.subarray(0, bytesRead)
  }
}

async function* inflated(
  { handle, path, bytes: size }: OpenedFile,
  { onBytes }: ReadingOptions,
): AsyncGenerator<Buffer> {
  const packed = handle.createReadStream({
    start: 0,
    end: size - 1,
    highWaterMark: CHUNK / 4,
    autoClose: false,
  })
  packed.on('data', ({ length }) => onBytes?.(length))
  const unpacked = createGunzip({ chunkSize: CHUNK })
  // What fails here destroys what is read below, with the same error.
  pipeline(packed, unpacked, () => {})
  try {
    for await (const piece of unpacked) yield piece
  } catch (error) {
    translate(path)(error)
  }
}

function translate(path: string): (error: unknown) => never {
  return (error) => {
    if (isOfZlib(error)) throw unreadable(path, `it is damaged (${error.message})`, error)
    throw hasErrno(error) ? unreadable(path, error.message, error) : error
  }
}

function isOfZlib(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^Z_/.test(String(error.code))
}
