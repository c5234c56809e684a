import { hash } from 'node:crypto'
import type { Instant } from '../domain/time.ts'
import type { ShippedLine } from '../ports/log-receiver.ts'

/** What a receiver is given at once. */
const BATCH_LINES = 500
const BATCH_BYTES = 512 * 1024

/** No record is nearly as long: of what a power cut or a stranger left, pieces are shipped. */
const LINE_MAX = 64 * 1024

const NEWLINE = 0x0a

/** The end of a text: how many bytes, and their SHA-256 in hex. */
export interface Tail {
  readonly bytes: number
  readonly sha256: string
}

/** A record ends in a hash, and no two in the same one. */
const TAIL_MAX = 64 + '"}\n'.length

export function tailOf(text: Buffer): Tail {
  const end = text.subarray(-TAIL_MAX)
  return { bytes: end.length, sha256: hash('sha256', end) }
}

/** That of no text at all. */
export const NO_TAIL: Tail = tailOf(Buffer.alloc(0))

/** Lines that are shipped together. */
export class LineBatch {
  readonly lines: ShippedLine[] = []
  readonly #most: number
  #bytes = 0
  #isRefusing = false

  constructor(most = BATCH_LINES) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#isRefusing || this.lines.length >= this.#most
  }

  /** Whether there was still room for `line`. */
  add(line: ShippedLine): boolean {
    const bytes = this.#bytes + Buffer.byteLength(line.text) + 1
    this.#isRefusing = this.isFull || bytes > BATCH_BYTES
    if (this.#isRefusing) return false
    this.#bytes = bytes
    this.lines.push(line)
    return true
  }
}

/** Cuts a text that comes in pieces into its lines. */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0)
  #time: Instant

  /** `time`: of a line that does not say when it was, before one that does. */
  constructor(time: Instant) {
    this.#time = time
  }

  /** Bytes that were added and not cut yet. */
  get length(): number {
    return this.#rest.length
  }

  add(piece: Buffer): void {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
  }

  /**
   * Puts whole lines into `batch` as long as it takes them, and gives the bytes of the text that
   * these were. Blank ones are passed over. Of a text that is `final`, what stands behind the last
   * newline is a line as well.
   */
  cut(batch: LineBatch, end: 'open' | 'final'): Buffer {
    let start = 0
    for (;;) {
      const stop = this.#stopOf(start, end)
      if (stop === undefined) break
      const text = this.#rest.toString('utf8', start, stop)
      const time = timeOf(text) ?? this.#time
      if (text !== '' && !batch.add({ text, time })) break
      this.#time = time
      start = this.#rest[stop] === NEWLINE ? stop + 1 : stop
    }
    const taken = this.#rest.subarray(0, start)
    this.#rest = this.#rest.subarray(start)
    return taken
  }

  /** Where the line ends that begins at `start`, as far as that is known. */
  #stopOf(start: number, end: 'open' | 'final'): number | undefined {
    const { length } = this.#rest
    if (start === length) return undefined
    const newline = this.#rest.indexOf(NEWLINE, start)
    if (newline !== -1 && newline - start <= LINE_MAX) return newline
    if (length - start >= LINE_MAX) return start + LINE_MAX
    return end === 'final' ? length : undefined
  }
}

/** A quote inside a string is escaped: what looks like the field is the field. */
function timeOf(text: string): Instant | undefined {
  const [, time = ''] = /"time":"([^"]{1,40})"/.exec(text) ?? []
  const instant = Date.parse(time)
  return Number.isNaN(instant) ? undefined : instant
}
