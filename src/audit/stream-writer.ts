import type { Head } from '../domain/log-head.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { appendWhole, type FileEnd, findEnd, NotWholeError } from './append-whole.ts'
import { link, originOf } from './chain.ts'
import { isFault, type LogFile, type LogFiles } from './log-file.ts'
import { OtherHeads } from './other-heads.ts'
import { lookAtNewestRotated, type Rotation } from './rotation.ts'

/** A record that waits for its place in the chain. */
export interface Entry {
  readonly type: LogRecord['type']
  /** As `encodeBody` gave it. */
  readonly body: string
  readonly heads?: LogRecord['heads']
}

interface StreamWriterOptions {
  readonly path: string
  readonly stream: string
  readonly files: LogFiles
  readonly rotation?: Rotation | undefined
  /** Makes an entry of a record that the writer itself has to add. */
  readonly encode: (record: LogRecord) => Entry
  readonly mirror?: ((line: string) => void) | undefined
}

/** How often a batch is written when other writers come in its way. */
const ATTEMPTS = 3

/** The records that name other streams' heads. */
const WITNESSING: ReadonlySet<LogRecord['type']> = new Set(['start', 'stop', 'witness'])

/**
 * Writes one stream's chain to whatever file stands at a path. After a failure nobody knows which
 * of the lines written since the last durable one the disk has. So the stream goes on from that
 * one, with a `recovered` record, which annuls what stands in between: no line whose writing failed
 * is ever on the chain, and every line on the chain was durable before its writer was told so.
 *
 * Not for concurrent calls.
 */
export class StreamWriter {
  readonly #options: StreamWriterOptions
  readonly #others: OtherHeads
  #file: LogFile | undefined
  /** Where a line of the file is known to end. */
  #end: number | undefined
  /** The last durable line. */
  #head: Head
  /** Why the stream goes on in another file than its last durable line stands in. */
  #moved: string | undefined
  /** Why what was written after the last durable line does not count. */
  #trouble: string | undefined

  constructor(options: StreamWriterOptions) {
    this.#options = options
    this.#others = new OtherHeads(options.stream)
    this.#head = originOf(options.stream)
  }

  /** Whether the last commit failed and no later one has said so in the log yet. */
  get hasTrouble(): boolean {
    return this.#trouble !== undefined
  }

  /** The last durable line; `undefined` before the first. */
  get head(): Head | undefined {
    return this.#head.seq === 0 ? undefined : this.#head
  }

  /** Opens the file, so that one that cannot be used is refused at once. */
  async open(): Promise<void> {
    await this.#attach()
  }

  /**
   * Resolves once `entries` are on the chain and durable. `lost`: how many records before them were
   * not written. Without entries, closes a torn end if there is one.
   */
  async commit(entries: readonly Entry[], lost: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#append(entries, lost)
        return
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message : String(error)
        const mayRetry = error instanceof NotWholeError && error.mayRetry
        if (!mayRetry || attempt === ATTEMPTS) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  async #append(batch: readonly Entry[], lost: number): Promise<void> {
    const { file, end } = await this.#approach(batch.length > 0)
    if (this.#end !== undefined && end.size < this.#end) this.#moved = 'the log file was cut'
    const entries = [...this.#preface(end.isTorn, lost), ...batch]
    const isWitness = entries.some(({ type }) => WITNESSING.has(type))
    if (isWitness) await this.#others.look(file)
    const heads = isWitness ? this.#others.newest() : undefined

    const { lines, head } = this.#link(entries, heads)
    if (lines.length === 0) return
    // After a failed sync the disk may have lost even the newline that is seen here.
    const opening = end.isTorn || this.hasTrouble ? '\n' : ''
    const bytes = Buffer.from(`${opening}${lines.join('\n')}\n`, 'latin1')
    this.#end = await appendWhole(file, bytes, end)

    this.#head = head
    this.#moved = undefined
    this.#trouble = undefined
    if (heads) this.#others.named(heads)
    for (const line of lines) this.#options.mirror?.(line)
  }

  /** What has to be said before anything else. */
  #preface(isTorn: boolean, lost: number): readonly Entry[] {
    const { encode } = this.#options
    const entries: Entry[] = []
    const trouble =
      this.#trouble ??
      (isTorn ? 'the last line of the file was torn' : undefined) ??
      (lost > 0 ? 'too many records waited' : undefined)
    // Before anything else of the stream: it annuls lines that may stand in its place.
    if (trouble !== undefined) {
      const count = lost > 0 ? { count: lost } : {}
      entries.push(encode({ type: 'recovered', reason: trouble, ...count }))
    }
    if (this.#moved !== undefined && this.#head.seq > 0) {
      entries.push(encode({ type: 'start', reason: `${this.#moved}: the stream goes on here` }))
    }
    return entries
  }

  #link(entries: readonly Entry[], newest: LogRecord['heads']) {
    const lines: string[] = []
    let head = this.#head
    for (const { type, body, heads = WITNESSING.has(type) ? newest : undefined } of entries) {
      // A witness to nothing says nothing.
      if (type === 'witness' && !heads) continue
      const next = link(body, this.#options.stream, head, heads)
      lines.push(next.line)
      head = next.head
    }
    return { lines, head }
  }

  /** The file to write to, and where it ends: another one than before when that has had its day. */
  async #approach(isAllowedToRotate: boolean): Promise<{ file: LogFile; end: FileEnd }> {
    const file = await this.#attach()
    const end = await findEnd(file, this.#end)
    // What is torn, or was written in vain, is seen to where it stands.
    if (!isAllowedToRotate || end.isTorn || this.hasTrouble) return { file, end }
    const why = await this.#options.rotation?.moveAside(file, end.size)
    if (why === undefined) return { file, end }
    this.#moved = why
    const next = await this.#attach()
    return { file: next, end: await findEnd(next, undefined) }
  }

  /** The file that stands at the path now: one that was moved or deleted is not written to. */
  async #attach(): Promise<LogFile> {
    const { path, files } = this.#options
    const previous = this.#file
    if (previous && (await files.identify(path)) === previous.identity) return previous

    const file = await files.open(path)
    await this.#takeOver(previous, file)
    this.#file = file
    this.#end = undefined
    if (previous) {
      this.#moved ??= 'the log file was moved or deleted'
      await previous.close()
    }
    return file
  }

  /** Learns of the streams at the end of the file before `file`, which nobody else may name. */
  async #takeOver(previous: LogFile | undefined, file: LogFile): Promise<void> {
    const { path, files } = this.#options
    try {
      if (previous) await this.#others.look(previous)
      else if ((await file.look()).size === 0) {
        await lookAtNewestRotated(path, files, (newest) => this.#others.look(newest))
      }
    } catch (error) {
      // That is over and cannot be helped: the log goes on in a file that can be written.
      if (!isFault(error)) throw error
    }
    this.#others.restart()
  }
}
