import type { StreamHead } from '../domain/log-head.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { MINUTE, toTimestamp } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import { NotWholeError } from './append-whole.ts'
import { STREAM } from './chain.ts'
import { encodeBody } from './encode-record.ts'
import { type Every, keepCompressing } from './keep-compressing.ts'
import { diskFiles, hasErrno, type LogFiles } from './log-file.ts'
import { logTime } from './log-time.ts'
import { Rotation, type RotationLimits } from './rotation.ts'
import { type Entry, StreamWriter } from './stream-writer.ts'
import type { LogDirectory } from './trusted-path.ts'

export interface DecisionLogOptions {
  readonly path: string
  /** `private` by default. */
  readonly directory?: LogDirectory
  /** This run's stream: 20 characters of base32, 96 random bits. Never used twice. */
  readonly stream: string
  readonly clock: Clock
  readonly host: string
  readonly pid: number
  /** The effective user; absent where files have no owners (Windows). */
  readonly uid?: number | undefined
  /** Is given every line once it is durable, without its newline: ASCII. Must not throw. */
  readonly mirror?: ((line: string) => void) | undefined
  /** From when on the file is moved aside; without them, never. */
  readonly limits?: RotationLimits | undefined
  /**
   * A pass over the files that were moved aside, which compresses them: made now and then while the
   * log is open, and aborted at its end.
   */
  readonly compress?: ((files: LogFiles, signal: AbortSignal) => Promise<void>) | undefined
  /** Is told, once, that a file cannot be moved aside or compressed: no record suffers from it. */
  readonly onFault?: ((message: string, hint?: string) => void) | undefined
  readonly files?: LogFiles
  readonly every?: Every
}

/**
 * Opens the decision log at `path`, creating it if need be; a last line that is torn is closed.
 * Rejects with `FILE_UNTRUSTED` or `LOG_UNAVAILABLE`. Whoever opens it appends `start` first and
 * `stop` last: the log adds the other streams' heads to them.
 */
export async function openDecisionLog(options: DecisionLogOptions): Promise<DecisionLog> {
  if (!STREAM.test(options.stream)) throw new TypeError('a stream is 20 characters of base32')
  const log = new FileDecisionLog(options)
  await log.open()
  return log
}

/** A record, and who waits for it: nobody waits for a note. */
interface Pending extends Entry {
  readonly waiter?: PromiseWithResolvers<void>
}

/** How many records one write carries at most. */
const BATCH_MAX = 64

/** How many records may wait, and how many notes outlive a failed write. */
const WAITING_MAX = 10_000
const NOTES_MAX = 1_000

const WITNESS_INTERVAL = 5 * MINUTE

class FileDecisionLog implements DecisionLog {
  readonly stream: string
  readonly #options: DecisionLogOptions
  readonly #files: LogFiles
  readonly #writer: StreamWriter
  readonly #told = new Set<string>()
  #timer: Disposable | undefined
  #compression: AsyncDisposable | undefined
  #queue: Pending[] = []
  /** Rejected appends and dropped notes that no record tells of yet. */
  #lost = 0
  #failure: unknown
  #writing: Promise<void> | undefined
  #isClosed = false

  constructor(options: DecisionLogOptions) {
    const { path, stream, uid, mirror, files = diskFiles(uid, options.directory) } = options
    this.stream = stream
    this.#options = options
    const encode = (record: LogRecord) => this.#entryOf(record)
    const { limits, clock } = options
    const onFault = (error: Error) => this.#tellOnce('moved aside', error)
    const rotation = limits && new Rotation({ path, files, limits, clock, onFault })
    this.#files = files
    this.#writer = new StreamWriter({ path, stream, files, rotation, mirror, encode })
  }

  async open(): Promise<void> {
    try {
      await this.#writer.open()
    } catch (error) {
      throw error instanceof SentinelError ? error : this.#unavailable(error)
    }
    // Only a torn end is written to. If that fails, the first append tries again, and tells.
    await this.#write()
    const { every = everyUnref, compress } = this.#options
    this.#timer = every(WITNESS_INTERVAL, () => this.note({ type: 'witness' }))
    const onFault = (error: unknown) => this.#tellOnce('compressed', error)
    const pass = compress && ((signal: AbortSignal) => compress(this.#files, signal))
    this.#compression = pass && keepCompressing({ pass, every, onFault })
  }

  async append(record: LogRecord): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    const pending = { ...this.#entryOf(record), waiter }
    if (this.#isClosed) throw this.#refusal('it is closed')
    if (this.#queue.length >= WAITING_MAX) throw this.#refusal('too many records wait')
    this.#enqueue(pending)
    await waiter.promise
  }

  note(record: LogRecord): void {
    const pending = this.#entryOf(record)
    if (this.#isClosed) return
    if (this.#queue.length < WAITING_MAX) this.#enqueue(pending)
    else this.#lost++
  }

  head(): StreamHead | undefined {
    const { head } = this.#writer
    return head && { stream: this.stream, ...head }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.[Symbol.dispose]()
    const compressionEnd = this.#compression?.[Symbol.asyncDispose]()
    await this.#writing
    if (this.#queue.length > 0 || this.#writer.hasTrouble) await this.#write()
    await this.#writer.close()
    await compressionEnd
    if (this.#queue.length > 0) throw this.#failure
  }

  #enqueue(pending: Pending): void {
    this.#queue.push(pending)
    this.#writing ??= this.#write()
  }

  /** Writes what waits, and what comes meanwhile, a batch at a time. Never rejects. */
  async #write(): Promise<void> {
    // Appends of the same turn share one write.
    await null
    do {
      const batch = this.#queue.splice(0, BATCH_MAX)
      const lost = this.#lost
      try {
        await this.#writer.commit(batch, lost)
      } catch (error) {
        this.#fail(batch, error)
        break
      }
      this.#lost -= lost
      for (const { waiter } of batch) waiter?.resolve()
    } while (this.#queue.length > 0)
    this.#writing = undefined
  }

  /** Refuses everybody who waits. Notes stay, for the next append or the end. */
  #fail(batch: readonly Pending[], error: unknown): void {
    const waiting = [...batch, ...this.#queue]
    this.#failure = this.#unavailable(error)
    this.#queue = waiting.filter(({ waiter }) => !waiter).slice(0, NOTES_MAX)
    this.#lost += waiting.length - this.#queue.length
    for (const { waiter } of waiting) waiter?.reject(this.#failure)
  }

  #entryOf(record: LogRecord): Entry {
    const { clock, host, pid } = this.#options
    const body = encodeBody(record, { time: toTimestamp(logTime(clock)), host, pid })
    const { type, heads } = record
    return heads ? { type, body, heads } : { type, body }
  }

  #tellOnce(what: 'moved aside' | 'compressed', error: unknown): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    const why = error instanceof Error ? error.message : String(error)
    const hint = error instanceof SentinelError ? error.hint : OTHER_PLACE
    const { path, onFault } = this.#options
    onFault?.(`decision log ${path} goes on, but its full files cannot be ${what}: ${why}`, hint)
  }

  /** `error` in the port's words; a bug stays what it is. */
  #unavailable(error: unknown): unknown {
    if (error instanceof SentinelError) return this.#refusal(error.message, error.hint, error)
    if (error instanceof NotWholeError) return this.#refusal(error.message, FREE_SPACE, error)
    if (!hasErrno(error)) return error
    const isFull = hasErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG')
    return this.#refusal(error.message, isFull ? FREE_SPACE : OTHER_PLACE, error)
  }

  #refusal(why: string, hint?: string, cause?: unknown): SentinelError {
    const message = `decision log ${this.#options.path} cannot be written: ${why}`
    return new SentinelError('LOG_UNAVAILABLE', message, { hint, cause })
  }
}

const FREE_SPACE = 'make room on its file system: the next request tries again'
const OTHER_PLACE = 'look at the file and its directory, or name another with --log-file'

function everyUnref(intervalMs: number, run: () => void): Disposable {
  return setInterval(run, intervalMs).unref()
}
