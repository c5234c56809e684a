/**
 * The files of a log as shipping reads them: in their order, from any place on, compressed or not,
 * while others write, rotate and compress them.
 *
 * @module
 */
import { constants, type FileHandle, lstat, open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Instant } from '../domain/time.ts'
import { hasErrno } from './log-file.ts'
import { readRotatedName } from './rotated-name.ts'
import { assertPrivate, identityOf, untrusted } from './trusted-path.ts'

/** A file of a log. */
export interface LogPart {
  readonly path: string
  readonly isCompressed: boolean
  /** Whether it is the one that is written to. */
  readonly isLive: boolean
}

/** Reads the text of one file, a piece at a time. */
export interface PartReader extends AsyncDisposable {
  /** The next piece; empty where the file ends now. */
  read(): Promise<Buffer>

  /** How the file itself is now. */
  look(): Promise<PartLook>
}

interface PartLook {
  /** On the disk. */
  readonly size: number
  readonly identity: string
  /** When it was written to, or moved, by the local clock. */
  readonly changedAt: Instant
}

const PIECE = 64 * 1024

/** The files of the log at `path`, oldest first. */
export async function listParts(path: string): Promise<readonly LogPart[]> {
  const log = basename(path)
  const names = new Set(await namesIn(dirname(path)))
  const rotated = [...names].flatMap((name) => {
    const read = readRotatedName(name, log)
    // What is just being compressed stands there twice: the whole one counts.
    if (!read || (read.isCompressed && names.has(name.slice(0, -'.gz'.length)))) return []
    return [{ ...read, path: join(dirname(path), name), isLive: false }]
  })
  const live = names.has(log) ? [{ path, isCompressed: false, isLive: true }] : []
  return [...rotated.sort((one, other) => one.at - other.at), ...live]
}

/**
 * Opens a file of a log, `offset` bytes into its text; `undefined` when it is not there any more.
 * Rejects with `FILE_UNTRUSTED` when somebody else could have written it.
 */
export async function openPart(
  { path, isCompressed }: LogPart,
  offset: number,
  uid: number | undefined,
): Promise<PartReader | undefined> {
  const handle = await openToRead(path)
  if (!handle) return undefined
  try {
    assertPrivate(await handle.stat({ bigint: true }), path, 'file', uid)
  } catch (error) {
    await handle.close()
    throw error
  }
  return isCompressed ? readCompressed(handle, offset) : readPlain(handle, offset)
}

/** The identity of what stands at `path`, as {@link PartReader.look} tells it. */
export async function identityAt(path: string): Promise<string | undefined> {
  try {
    return identityOf(await lstat(path, { bigint: true }))
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    return undefined
  }
}

/** How many bytes of text a file holds, without reading it; 0 when it is not there any more. */
export async function textSize({ path, isCompressed }: LogPart): Promise<number> {
  await using handle = await openToRead(path)
  if (!handle) return 0
  const { size } = await handle.stat()
  if (!isCompressed) return size
  // gzip ends with the length of what was compressed; what is shorter is no gzip.
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, Math.max(size - 4, 0))
  return bytesRead === 4 ? buffer.readUInt32LE() : 0
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    return []
  }
}

async function openToRead(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  try {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    if (hasErrno(error, 'ELOOP')) throw untrusted(`${path} is a symbolic link`)
    throw error
  }
}

function readPlain(handle: FileHandle, offset: number): PartReader {
  let position = offset
  return {
    async read() {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(PIECE), 0, PIECE, position)
      position += bytesRead
      return buffer.subarray(0, bytesRead)
    },
    look: () => lookAt(handle),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

function readCompressed(handle: FileHandle, offset: number): PartReader {
  const packed = handle.createReadStream({ autoClose: false, start: 0 })
  const text = createGunzip({ chunkSize: PIECE })
  // Destroying the one end with an error is how the other hears of it.
  packed.on('error', (error) => text.destroy(error)).pipe(text)
  const pieces: AsyncIterator<Buffer> = text[Symbol.asyncIterator]()
  let skipped = 0
  return {
    async read() {
      for (;;) {
        const { done, value } = await pieces.next()
        if (done) return Buffer.alloc(0)
        const start = Math.min(offset - skipped, value.length)
        skipped += start
        if (start < value.length) return value.subarray(start)
      }
    },
    look: () => lookAt(handle),
    async [Symbol.asyncDispose]() {
      text.destroy()
      packed.destroy()
      await handle.close()
    },
  }
}

async function lookAt(handle: FileHandle): Promise<PartLook> {
  const stats = await handle.stat({ bigint: true })
  return {
    size: Number(stats.size),
    identity: identityOf(stats),
    changedAt: Math.max(Number(stats.ctimeMs), Number(stats.mtimeMs)),
  }
}
