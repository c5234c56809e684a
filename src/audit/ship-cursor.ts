import { setImmediate } from 'node:timers/promises'
import { type Instant, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Unshipped } from '../ports/ship-queue.ts'
import {
  identityAt,
  type LogPart,
  listParts,
  openPart,
  type PartReader,
  textSize,
} from './ship-files.ts'
import { LineBatch, LineCutter, NO_TAIL, type Tail, tailOf } from './ship-lines.ts'
import { FileMarks } from './ship-marks.ts'

/** A place in a log, behind a line. */
export interface ShipPosition {
  /** The file, by its mark: see `FileMarks`. */
  readonly file: string
  /** Bytes of the file's text, uncompressed. */
  readonly offset: number
  /** The last bytes before it: how many, and their SHA-256 in hex. A power cut can undo lines. */
  readonly tail: Tail
}

interface ShipCursorOptions {
  /** Of the file that is written to. */
  readonly path: string
  readonly uid: number | undefined
  /** The local clock, by which files are dated. */
  readonly now: () => Instant
  /** Hears, in a sentence, why lines come again that came before. */
  readonly onReturn: (why: string) => void
}

/** The file that is being read. */
interface OpenPart {
  readonly isCompressed: boolean
  readonly reader: PartReader
  readonly cutter: LineCutter
}

interface Choice extends OpenPart {
  readonly position: ShipPosition
  readonly why?: string
}

/**
 * A writer looks whether its file still stands at the path, and then writes. Nothing is added any
 * more to a file that was moved aside, or written to, that long ago.
 */
const SETTLING = 2 * SECOND

/** Where reading has come to: it may go on, waits for a moved file to settle, or is at the end. */
type Step = 'on' | 'settling' | 'end'

/**
 * Reads the lines of a log on from a position, whatever becomes of its files: each once, in the
 * order of the files. It comes back to lines, and says so, where it cannot know which are new.
 *
 * Not for concurrent calls.
 */
export class ShipCursor implements AsyncDisposable {
  readonly #options: ShipCursorOptions
  readonly #marks: FileMarks
  #position: ShipPosition | undefined
  #part: OpenPart | undefined

  /** Begins with the oldest file, unless a `position` is given. */
  constructor(options: ShipCursorOptions, position?: ShipPosition) {
    this.#options = options
    this.#marks = new FileMarks(options.uid)
    this.#position = position
  }

  /** Behind the lines that were given out; `undefined` as long as there is no file. */
  get position(): ShipPosition | undefined {
    return this.#position
  }

  /** The next lines. Rejects with `LOG_UNREADABLE` or `FILE_UNTRUSTED`. */
  async read(batch = new LineBatch()): Promise<Unshipped> {
    const { lines } = batch
    try {
      let step: Step = 'on'
      while (step === 'on' && !batch.isFull) step = await this.#step(batch)
      return { lines, mayMoreFollow: lines.length > 0 || step === 'settling' }
    } catch (error) {
      await this.#leave()
      // The position is behind these already.
      if (lines.length > 0) return { lines, mayMoreFollow: true }
      throw this.#unreadable(error)
    }
  }

  /** How many bytes of text stand behind the position. */
  async left(): Promise<number> {
    const parts = await listParts(this.#options.path)
    const at = this.#position ? await this.#marks.find(parts, this.#position.file) : 0
    const sizes = await Promise.all(parts.slice(Math.max(at, 0)).map(textSize))
    return sizes.reduce((sum, size) => sum + size, at < 0 ? 0 : -(this.#position?.offset ?? 0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave()
  }

  async #step(batch: LineBatch): Promise<Step> {
    if (!this.#part && !(await this.#resume())) return 'end'
    const part = this.#part
    if (!part) return 'end'
    this.#cut(part, batch, 'open')
    if (batch.isFull || (await fill(part))) return 'on'

    const end = await this.#endOf(part)
    if (end === 'cut') await this.#leave()
    if (end !== 'final') return end === 'cut' ? 'on' : end
    // Once more, now that nothing can come any longer.
    if (await fill(part)) return 'on'
    this.#cut(part, batch, 'final')
    if (batch.isFull) return 'on'
    return (await this.#moveOn()) ? 'on' : 'end'
  }

  #cut({ cutter }: OpenPart, batch: LineBatch, end: 'open' | 'final'): void {
    const taken = cutter.cut(batch, end)
    if (!this.#position || taken.length === 0) return
    const { file, offset } = this.#position
    this.#position = { file, offset: offset + taken.length, tail: tailOf(taken) }
  }

  /** What it means that a file has no more to read. */
  async #endOf({ isCompressed, reader, cutter }: OpenPart): Promise<Step | 'final' | 'cut'> {
    if (isCompressed) return 'final'
    const { path, now } = this.#options
    const { size, identity, changedAt } = await reader.look()
    if (size < (this.#position?.offset ?? 0) + cutter.length) return 'cut'
    if ((await identityAt(path)) === identity) return 'end'
    return Math.abs(now() - changedAt) < SETTLING ? 'settling' : 'final'
  }

  /** Opens the file of the position, or the oldest where there is none. */
  async #resume(): Promise<boolean> {
    const position = this.#position
    return this.#choose(async (parts) => {
      if (!position) return this.#openFirst(parts)
      const part = parts[await this.#marks.find(parts, position.file)]
      if (!part) return this.#openFirst(parts, GONE)
      const isThere = part.isCompressed || (await this.#hasTail(part, position))
      return isThere ? this.#open(part, position) : this.#open(part, atStart(position.file), CUT)
    })
  }

  /** Whether what was read before the position stands there still. */
  async #hasTail(part: LogPart, { offset, tail }: ShipPosition): Promise<boolean> {
    await using reader = await openPart(part, offset - tail.bytes, this.#options.uid)
    const before = (await reader?.read())?.subarray(0, tail.bytes)
    return before !== undefined && tailOf(before).sha256 === tail.sha256
  }

  /** Opens the file after that of the position, which is read to its end. */
  async #moveOn(): Promise<boolean> {
    return this.#choose(async (parts) => {
      const at = await this.#marks.find(parts, this.#position?.file)
      return at === -1 ? this.#openFirst(parts, GONE) : this.#openFirst(parts.slice(at + 1))
    })
  }

  /** Opens what `select` chooses of the files, none of which was moved meanwhile. */
  async #choose(
    select: (parts: readonly LogPart[]) => Promise<Choice | undefined>,
  ): Promise<boolean> {
    const { path, onReturn } = this.#options
    for (;;) {
      const parts = await listParts(path)
      const before = await standing(parts)
      const chosen = await select(parts)
      // A file that got another name in between was passed over, or taken for another.
      if ((await standing(await listParts(path))) !== before) {
        await chosen?.reader[Symbol.asyncDispose]()
        continue
      }
      if (!chosen) return false
      await this.#leave()
      this.#part = chosen
      this.#position = chosen.position
      if (chosen.why) onReturn(chosen.why)
      return true
    }
  }

  /** The oldest of the files that hold a line at all. */
  async #openFirst(parts: readonly LogPart[], why?: string): Promise<Choice | undefined> {
    for (const part of parts) {
      const file = await this.#marks.of(part)
      const opened = file && (await this.#open(part, atStart(file), why))
      if (opened) return opened
    }
    return undefined
  }

  async #open(part: LogPart, position: ShipPosition, why?: string): Promise<Choice | undefined> {
    const reader = await openPart(part, position.offset, this.#options.uid)
    if (!reader) return undefined
    const { isCompressed } = part
    const cutter = new LineCutter((await reader.look()).changedAt)
    return { isCompressed, reader, cutter, position, ...(why !== undefined && { why }) }
  }

  async #leave(): Promise<void> {
    const part = this.#part
    this.#part = undefined
    await part?.reader[Symbol.asyncDispose]()
  }

  #unreadable(error: unknown): unknown {
    // A system's code, or zlib's; Node's own mistakes have longer ones.
    const isFault = error instanceof Error && 'code' in error && CODE.test(String(error.code))
    if (error instanceof SentinelError || !isFault) return error
    const message = `decision log ${this.#options.path} cannot be read: ${error.message}`
    return new SentinelError('LOG_UNREADABLE', message, {
      hint: 'look at its files and their directory',
      cause: error,
    })
  }
}

const CODE = /^(?:E[A-Z\d]+|Z_\w+)$/

const GONE = 'the file up to which the log was shipped is gone: all that is left is shipped'
const CUT = 'the file up to which the log was shipped was cut: it is shipped from its beginning'

/** Whether there was more to read. */
async function fill({ reader, cutter }: OpenPart): Promise<boolean> {
  const piece = await reader.read()
  if (piece.length === 0) return false
  cutter.add(piece)
  // Nobody who wants a credential waits until a long file is read.
  await setImmediate()
  return true
}

function atStart(file: string): ShipPosition {
  return { file, offset: 0, tail: NO_TAIL }
}

/** Which files stand under which names. */
async function standing(parts: readonly LogPart[]): Promise<string> {
  const lines = parts.map(async ({ path }) => `${path} ${await identityAt(path)}`)
  return (await Promise.all(lines)).join('\n')
}
