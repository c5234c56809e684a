/**
 * Appending to a file that other processes append to as well. One `write` with O_APPEND is never
 * interleaved with another, but it may fall short (a full disk, a killed process), and then the
 * next writer's line runs into the torn one. So a writer looks before it writes, and again after.
 *
 * @module
 */
import { setTimeout } from 'node:timers/promises'
import type { LogFile } from './log-file.ts'

/** Bytes were not appended, or not as lines of their own. */
export class NotWholeError extends Error {
  override readonly name = 'NotWholeError'
  /** What came in between is over: the same bytes may be written again at once. */
  readonly mayRetry: boolean

  constructor(message: string, { mayRetry }: { mayRetry: boolean }) {
    super(message)
    this.mayRetry = mayRetry
  }
}

/** Where a file ends. */
export interface FileEnd {
  readonly size: number
  /** The last line has no newline, and nobody is finishing it. */
  readonly isTorn: boolean
}

const NEWLINE = 0x0a

/** How often, and how far apart in milliseconds, an unfinished last line is looked at. */
const LOOKS = 5
const LOOKS_APART = 10

/**
 * Finds where `file` ends. A reader may see the half of a write that is still going on, so a line
 * counts as torn only when it has stopped growing. To be wrong costs a blank line, nothing else.
 *
 * `known`: where a line is known to end, if any.
 */
export async function findEnd(file: LogFile, known: number | undefined): Promise<FileEnd> {
  let { size } = await file.look()
  for (let looks = 1; looks < LOOKS; looks++) {
    if (size === known || (await endsInNewline(file, size))) return { size, isTorn: false }
    await setTimeout(LOOKS_APART)
    const grown = (await file.look()).size
    if (grown === size) break
    size = grown
  }
  return { size, isTorn: !(await endsInNewline(file, size)) }
}

async function endsInNewline(file: LogFile, size: number): Promise<boolean> {
  return size === 0 || (await file.read(size - 1, 1))[0] === NEWLINE
}

/** More than this from others, during one write, is not searched for our own. */
const SEARCHED_MAX = 16 * 1024 * 1024

/**
 * Appends whole lines to `file`, which ended at `end` a moment ago, and resolves with where they
 * end once they are durable. `bytes` begins with a newline if the file's end was torn. Rejects with
 * a {@link NotWholeError}, or as the system did.
 */
export async function appendWhole(file: LogFile, bytes: Buffer, end: FileEnd): Promise<number> {
  const taken = await file.write(bytes)
  if (taken !== bytes.length) {
    throw new NotWholeError(`short write: ${taken} of ${bytes.length} bytes`, { mayRetry: false })
  }
  const position = await findAppended(file, bytes, end.size)
  await file.sync()
  return position + bytes.length
}

/** Where `bytes` stand in `file`, on lines of their own, at or after `from`. */
async function findAppended(file: LogFile, bytes: Buffer, from: number): Promise<number> {
  const { size, isLinked } = await file.look()
  if (!isLinked) throw new NotWholeError('the file was deleted', { mayRetry: true })
  if (size === from + bytes.length) return from

  const others = await file.read(from, Math.min(Math.max(size - from, 0), SEARCHED_MAX))
  const at = others.indexOf(bytes)
  if (at === -1) throw new NotWholeError('the file was cut', { mayRetry: true })
  // At 0 the lines follow what was seen there before: a newline, or the one they begin with.
  if (at > 0 && others[at - 1] !== NEWLINE && bytes[0] !== NEWLINE) {
    throw new NotWholeError("another writer's torn line ran into this one", { mayRetry: true })
  }
  return from + at
}
