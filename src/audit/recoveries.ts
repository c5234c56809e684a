import { hasPlace, parseObject } from './parse-record.ts'
import { type Chunk, linesOf } from './read-lines.ts'

/**
 * How far back a `recovered` record may go: over the lines of a write that failed. One write
 * carries at most 64 records, and two that the writer puts before them; every further try starts
 * where the first one did. Twice as much leaves room for writers to come.
 */
export const RECOVERED_MAX = 130

/** Where a line stands among all those of a log. */
export interface Position {
  /** Which of its files, from 0. */
  readonly file: number
  readonly line: number
}

/** In JSON a quote within a text is escaped: this stands nowhere but in a record of that type. */
const RECOVERED = Buffer.from('"type":"recovered"')

/** The `recovered` records of a log: what they say about the lines before them. */
export class Recoveries {
  readonly #ofStream = new Map<string, (Position & { readonly seq: number })[]>()

  /** Takes note of those in a chunk of a file. Chunks come in the order of the log. */
  take(chunk: Chunk, file: number): void {
    if (!chunk.bytes.includes(RECOVERED)) return
    for (const { bytes, number } of linesOf(chunk)) {
      const object = bytes.includes(RECOVERED) ? parseObject(bytes) : undefined
      if (!object || !hasPlace(object)) continue
      const { stream, seq } = object
      this.#ofStream.getOrInsert(stream, []).push({ seq, file, line: number })
    }
  }

  /** Whether a later record took back a line of `stream`. */
  annul(stream: string, seq: number, at: Position): boolean {
    const recoveries = this.#ofStream.get(stream) ?? []
    return recoveries.some(
      (later) => later.seq <= seq && seq < later.seq + RECOVERED_MAX && isBefore(at, later),
    )
  }
}

/** Whether one line stands before another. */
export function isBefore(a: Position, b: Position): boolean {
  return a.file < b.file || (a.file === b.file && a.line < b.line)
}
