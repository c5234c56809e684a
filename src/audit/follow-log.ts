/**
 * Reading on in a log as it is written, from one file into the next when it is rotated.
 *
 * @module
 */
import { setTimeout } from 'node:timers/promises'
import { identityAt, type OpenedFile, openIfThere, openInOrder } from './archive-files.ts'
import { type Chunk, countLines, NEWLINE, readChunks, readPiece } from './read-lines.ts'

/** Whole lines, and the file they stand in. */
interface FollowedChunk extends Chunk {
  readonly path: string
}

interface FollowOptions {
  readonly signal: AbortSignal
  /** Called once, when all that stood there at the beginning has been given. */
  readonly onCaughtUp?: (() => void) | undefined
}

/** In milliseconds. Nobody notices, and no file system does. */
const LOOK_EVERY = 200

/** The lines of the log at `path`, and those that are written later, until the signal aborts. */
export async function* followLog(
  path: string,
  { signal, onCaughtUp }: FollowOptions,
): AsyncGenerator<FollowedChunk> {
  let last: string | undefined
  let tellCaughtUp = onCaughtUp
  const wait = async () => {
    tellCaughtUp?.()
    tellCaughtUp = undefined
    await setTimeout(LOOK_EVERY, undefined, { signal }).catch(() => undefined)
  }
  while (!signal.aborted) {
    for await (const file of openAfter(path, last)) {
      const isWritten = async () => (await identityAt(path)) === file.identity
      for await (const chunk of readOn(file, { signal, isWritten, wait })) {
        yield { ...chunk, path: file.path }
      }
      if (signal.aborted) return
      last = file.identity
    }
    await wait()
  }
}

/** The files after the one that was read last; when that is gone, the one that is written now. */
async function* openAfter(path: string, last: string | undefined): AsyncGenerator<OpenedFile> {
  let isAfter = last === undefined
  for await (const file of openInOrder({ live: path })) {
    if (isAfter) yield file
    else isAfter = file.identity === last
  }
  if (isAfter) return
  await using live = await openIfThere(path)
  if (live) yield live
}

interface ReadOnOptions {
  readonly signal: AbortSignal
  /** Whether the file still is the one that is written to. */
  readonly isWritten: () => Promise<boolean>
  readonly wait: () => Promise<void>
}

/** Reads a file to its end, which comes when it is written no more. */
async function* readOn(
  file: OpenedFile,
  { signal, isWritten, wait }: ReadOnOptions,
): AsyncGenerator<Chunk> {
  if (file.isCompressed) {
    yield* readChunks(file, { signal })
    return
  }
  let position = 0
  let firstLine = 1
  let wasWritten = false
  for (let isLast = false; !signal.aborted; ) {
    const piece = await readPiece(file, position)
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      const bytes = piece.subarray(0, end)
      yield { bytes, firstLine }
      firstLine += countLines(bytes)
      position += end
      continue
    }
    if (isLast) return
    // Who looked before it was moved may still write a line: one more look, a moment later.
    isLast = !(await isWritten())
    if (!isLast || wasWritten) await wait()
    wasWritten = !isLast
  }
}
