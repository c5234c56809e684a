import { hash } from 'node:crypto'
import { originOf } from './chain.ts'
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

/** In JSON a quote within a text is escaped: no record of that type is without it. */
const RECOVERED = Buffer.from('"type":"recovered"')

/** How a writer's line begins: which line of which stream it is. */
const PLACE = /^\{"v":1,"stream":"([a-z2-7]{20})","seq":(\d{1,16}),/
const PLACE_LENGTH = 64

/** Before the first line. */
const BEGINNING: Position = { file: -1, line: 0 }

/** What a stream's `recovered` records say. */
interface Stream {
  /** Where the last one with a number stands that follows a line of a hash. */
  readonly said: Map<number, Map<string, Position>>
  /** By their number, those that follow a line of the log: what they take back is in between. */
  readonly linked: Map<number, { readonly from: Position; readonly to: Position }>
  /** A line of it was looked at. */
  isBegun: boolean
}

/**
 * The `recovered` records of a log: what they say about the lines before them. One that does not
 * follow a line of its stream says nothing: anybody could have put it there.
 *
 * A log is read twice for them, by {@link take} and then by {@link link}.
 */
export class Recoveries {
  readonly #streams = new Map<string, Stream>()

  /** Takes note of those in a chunk of a file. Chunks come in the order of the log. */
  take(chunk: Chunk, file: number): void {
    if (!chunk.bytes.includes(RECOVERED)) return
    for (const { bytes, number } of linesOf(chunk)) {
      const object = bytes.includes(RECOVERED) ? parseObject(bytes) : undefined
      if (!object || !hasPlace(object) || object.type !== 'recovered') continue
      const { stream, seq, prev } = object
      const { said } = this.#streams.getOrInsertComputed(stream, newStream)
      said.getOrInsertComputed(seq, () => new Map()).set(prev, { file, line: number })
    }
  }

  /** Looks in a chunk for what they follow: in the same order, before its lines are asked for. */
  link(chunk: Chunk, file: number): void {
    if (this.#streams.size === 0) return
    for (const { bytes, number } of linesOf(chunk)) {
      const [, name = '', digits] = PLACE.exec(bytes.toString('latin1', 0, PLACE_LENGTH)) ?? []
      const stream = this.#streams.get(name)
      if (!stream) continue
      const seq = Number(digits)
      if (!stream.isBegun) begin(stream, name, seq)
      const following = stream.said.get(seq + 1)
      const to = following?.get(hash('sha256', bytes))
      if (to) addSpan(stream, seq + 1, { from: { file, line: number }, to })
    }
  }

  /** Whether a later record took back a line of `stream`. */
  annul(stream: string, seq: number, at: Position): boolean {
    const linked = this.#streams.get(stream)?.linked
    if (!linked || linked.size === 0) return false
    for (let first = seq; first > seq - RECOVERED_MAX; first--) {
      const span = linked.get(first)
      if (span && isBefore(span.from, at) && isBefore(at, span.to)) return true
    }
    return false
  }
}

/** Whether one line stands before another. */
export function isBefore(a: Position, b: Position): boolean {
  return a.file < b.file || (a.file === b.file && a.line < b.line)
}

function newStream(): Stream {
  return { said: new Map(), linked: new Map(), isBegun: false }
}

/**
 * Line `first` is the first of the stream. What the records follow that go back further than that
 * is the stream's name, or in a file that is not here.
 */
function begin(stream: Stream, name: string, first: number): void {
  stream.isBegun = true
  const origin = originOf(name).hash
  for (const [seq, following] of stream.said) {
    if (seq > first) continue
    for (const [prev, to] of following) {
      if (seq > 1 || prev === origin) addSpan(stream, seq, { from: BEGINNING, to })
    }
  }
}

function addSpan(
  { linked }: Stream,
  seq: number,
  { from, to }: { readonly from: Position; readonly to: Position },
): void {
  const known = linked.get(seq)
  linked.set(
    seq,
    known ? { from: known.from, to: isBefore(known.to, to) ? to : known.to } : { from, to },
  )
}
