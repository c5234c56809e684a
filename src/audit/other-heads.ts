import { formatHead } from '../domain/log-head.ts'
import { readHead } from './chain.ts'
import type { LogFile } from './log-file.ts'

/** How much of a file is read when it is looked at for the first time: its end. */
const FIRST_LOOK = 64 * 1024

/** How much new text one look reads at most: of more, the end. */
const LOOK_MAX = 1024 * 1024

const CHUNK = 64 * 1024

/** How many heads one record names: the ones that grew last. The others wait for the next. */
const HEADS_MAX = 32

/**
 * The heads of the other streams of a log file that have grown and were not named yet. Reads what
 * is new in the file, a chunk at a time, and keeps a head a stream.
 */
export class OtherHeads {
  readonly #own: string
  /** Stream to head, the one that grew last at the end. */
  readonly #heads = new Map<string, string>()
  /** Up to where the file was read: the start of a line, but for the first look. */
  #position: number | undefined

  constructor(own: string) {
    this.#own = own
  }

  /** Forgets how far the file was read: another one stands in its place. */
  restart(): void {
    this.#position = undefined
  }

  async look(file: LogFile): Promise<void> {
    const { size } = await file.look()
    if (this.#position === undefined || this.#position > size) this.#position = size - FIRST_LOOK
    let position = Math.max(this.#position, size - LOOK_MAX, 0)
    while (position < size) {
      const chunk = await file.read(position, Math.min(CHUNK, size - position))
      const end = chunk.lastIndexOf('\n')
      // A last line that is not finished is read again; a chunk without any end is no line of ours.
      if (end === -1 && chunk.length < CHUNK) break
      this.#take(chunk.toString('latin1', 0, Math.max(end, 0)))
      position += end === -1 ? chunk.length : end + 1
    }
    this.#position = position
  }

  /** At most {@link HEADS_MAX} heads, or undefined when no stream has grown. */
  newest(): Readonly<Record<string, string>> | undefined {
    if (this.#heads.size === 0) return undefined
    return Object.fromEntries([...this.#heads].slice(-HEADS_MAX))
  }

  /** Takes note that `heads` stand in the log. */
  named(heads: Readonly<Record<string, string>>): void {
    for (const [stream, head] of Object.entries(heads)) {
      if (this.#heads.get(stream) === head) this.#heads.delete(stream)
    }
  }

  #take(lines: string): void {
    for (const line of lines.split('\n')) {
      const read = readHead(line)
      if (!read || read.stream === this.#own) continue
      this.#heads.delete(read.stream)
      this.#heads.set(read.stream, formatHead(read.head))
    }
  }
}
