import { isAscii } from 'node:buffer'
import { hash } from 'node:crypto'
import type { VerifyOptions } from '../ports/log-archive.ts'
import { type LogFileSelection, openInOrder, unreadable } from './archive-files.ts'
import type { Link } from './chain-link.ts'
import { Findings } from './findings.ts'
import { MisplacedLines } from './misplaced-lines.ts'
import {
  hasPlace,
  isLater,
  LINE_LENGTH_MAX,
  laterVersion,
  mayBeTorn,
  type PlacedLine,
  parseObject,
  VERSION,
} from './parse-record.ts'
import { type Chunk, linesOf, type ReadingOptions, readChunks } from './read-lines.ts'
import type { Position } from './recoveries.ts'
import { type ChainContext, StreamChain } from './stream-chain.ts'

/** A stream that may go on. */
export interface Stream {
  readonly chain: StreamChain
  /** The last record on the chain. */
  last: PlacedLine
}

/** Is told of what is read. */
interface ChainListener {
  /** A line that is not blank, without its newline. */
  readonly onLine?: (bytes: Buffer) => void
  readonly onRecord?: (stream: string, link: Link, record: PlacedLine) => void
  readonly onAnnulled?: (stream: string, link: Link) => void
}

interface ChainOptions {
  readonly extent: VerifyOptions['extent']
  readonly listener: ChainListener
  /** How many streams are kept in memory: in all, and of those that may go on. */
  readonly most?: { readonly streams: number; readonly open: number }
}

/** No log has nearly as many, and no memory much more: about 2 GB of either. */
const MOST = { streams: 4_000_000, open: 1_000_000 }

/** How many streams that ended are kept as they are: `stop` may be taken back, and soon is. */
const ENDED_MAX = 256

/** Reads all lines of a log into `chains`, once. */
export async function readChains(
  chains: Chains,
  files: LogFileSelection,
  options: ReadingOptions,
): Promise<void> {
  for await (const file of openInOrder(files)) {
    chains.begin(file.path)
    for await (const chunk of readChunks(file, options)) chains.take(chunk)
    chains.end()
  }
  chains.close()
}

/** The chains of a log, and what is wrong with them, as far as it was read. */
export class Chains {
  readonly findings = new Findings()
  /** Of the files that were read, in their order. */
  readonly paths: string[] = []
  lines = 0
  bytes = 0
  torn = 0
  annulled = 0
  readonly #options: ChainOptions
  /** What a stream came to, or, when it has ended and nothing is open, its last line. */
  readonly #streams = new Map<string, Stream | Link>()
  readonly #misplaced = new MisplacedLines(this.findings)
  readonly #context: ChainContext
  /** Streams that ended lately. */
  #ended: { readonly stream: string; readonly chain: StreamChain }[] = []
  /** Streams with lines of a later version, and where: they mean what nobody here knows. */
  readonly #later = new Map<string, Position>()
  /** How many streams may go on. */
  #open = 0
  /** Of the file that is being read: of `nothing`, nobody can tell. */
  #content: 'nothing' | 'log' | 'something else' = 'nothing'

  constructor(options: ChainOptions) {
    this.#options = options
    this.#context = {
      findings: this.findings,
      misplaced: this.#misplaced,
      onAnnulled: (stream, link) => {
        this.annulled++
        options.listener.onAnnulled?.(stream, link)
      },
      onNoStream: (stream) => {
        if (this.at(stream) instanceof StreamChain) this.#open--
        this.#streams.delete(stream)
      },
    }
  }

  /** The streams, each with its last line. */
  get streams(): ReadonlyMap<string, Stream | Link> {
    return this.#streams
  }

  /** Where `stream` has come to: its chain, or the last line of one that has long ended. */
  at(stream: string): StreamChain | Link | undefined {
    const state = this.#streams.get(stream)
    return state && 'chain' in state ? state.chain : state
  }

  /** Says that a line of `stream`, which was just read, is none of a writer's. */
  blame(stream: string, link: Link, detail: string): void {
    const state = this.#streams.get(stream)
    if (state && 'chain' in state) state.chain.blame(link, detail)
  }

  /** Begins with another file. */
  begin(path: string): void {
    this.paths.push(path)
    this.#content = 'nothing'
  }

  take(chunk: Chunk): void {
    this.bytes += chunk.bytes.length
    const isPlain = isPlainText(chunk.bytes)
    for (const { bytes, number } of linesOf(chunk)) {
      this.lines++
      this.#options.listener.onLine?.(bytes)
      this.#takeLine(bytes, { file: this.paths.length - 1, line: number }, isPlain)
    }
  }

  /** Throws `LOG_UNREADABLE` when what was read of the file is no log. */
  end(): void {
    if (this.#content !== 'something else') return
    throw unreadable(this.paths.at(-1) ?? '', 'it is no decision log')
  }

  /** Throws `LOG_UNREADABLE` when what was read is of a later version. */
  close(): void {
    for (const [stream, { file }] of this.#later) {
      // A single line of a stream of ours was changed, and that was found.
      if (!this.#streams.has(stream)) throw laterVersion(this.paths[file] ?? '')
    }
    for (const state of this.#streams.values()) if ('chain' in state) state.chain.close()
  }

  #takeLine(bytes: Buffer, at: Position, isPlain: boolean): void {
    const object = parseObject(bytes)
    if (!object) {
      this.torn++
      this.#misplaced.add(bytes, at)
      const isLog = this.#content === 'log' || mayBeTorn(bytes)
      this.#content = isLog ? 'log' : 'something else'
      return
    }
    const placed = hasPlace(object) ? object : undefined
    if (placed?.v === VERSION) {
      this.#content = 'log'
      this.#takeRecord(bytes, placed, at, isPlain)
      return
    }
    if (placed && isLater(placed)) this.#later.getOrInsert(placed.stream, at)
    if (placed || mayBeTorn(bytes)) this.#content = 'log'
    else if (this.#content === 'nothing') this.#content = 'something else'
    const finding = { fault: 'foreign', at, detail: 'it has no place in any stream' } as const
    this.#misplaced.add(bytes, at, { finding: this.findings.add({ ...finding }) })
  }

  #takeRecord(bytes: Buffer, record: PlacedLine, at: Position, isPlain: boolean): void {
    const { stream, seq, prev, type } = record
    const link: Link = { seq, prev, type, hash: hash('sha256', bytes), ...at }
    const state = this.#stateOf(stream, record)
    state.chain.add(link)
    if (state.chain.head === link) state.last = record
    if (state.chain.count === 1 && link.findings?.[0]) {
      // Perhaps a line of another stream, whose name was changed.
      this.#misplaced.add(bytes, at, { finding: link.findings[0], stream })
    }
    if (!isPlain || bytes.length > LINE_LENGTH_MAX) this.#lookAtForm(bytes, stream, link)
    this.#options.listener.onRecord?.(stream, link, record)
    if (type === 'stop') this.#settleLater(stream, state.chain)
  }

  #stateOf(stream: string, record: PlacedLine): Stream {
    const known = this.#streams.get(stream)
    if (known && 'chain' in known) return known
    const start = this.#options.extent === 'whole' ? 'origin' : 'unknown'
    const chain = new StreamChain(stream, this.#context, known ?? start)
    const state = { chain, last: record }
    this.#streams.set(stream, state)
    this.#open++
    const { streams, open } = this.#options.most ?? MOST
    if (this.#streams.size <= streams && this.#open <= open) return state
    throw unreadable(this.paths.at(-1) ?? '', 'it is of more streams than any log is')
  }

  /** A line that is JSON, and not as any writer writes it. */
  #lookAtForm(bytes: Buffer, stream: string, link: Link): void {
    const text = bytes.toString('latin1')
    const detail = text.endsWith('\r')
      ? 'it ends in a carriage return: the file was converted on its way'
      : /[^\x20-\x7e]/.test(text)
        ? 'it holds characters that no writer writes'
        : text.length > LINE_LENGTH_MAX && 'it is longer than any line of a writer'
    if (detail) this.blame(stream, link, detail)
  }

  /** Most streams are short and end soon: all that is kept of them is their last line. */
  #settleLater(stream: string, chain: StreamChain): void {
    this.#ended.push({ stream, chain })
    if (this.#ended.length <= ENDED_MAX) return
    const [first] = this.#ended.splice(0, 1)
    if (!first || this.at(first.stream) !== first.chain) return
    const { head, isSettled } = first.chain
    if (head.type !== 'stop' || !isSettled) return
    const { seq, hash, type, file, line } = head
    this.#streams.set(first.stream, { seq, hash, type, file, line, prev: '' })
    this.#open--
  }
}

/**
 * Whether `bytes` are ASCII without control characters, as far as JSON does not see to that: all
 * others are an error within a text, and a newline ends the line.
 */
function isPlainText(bytes: Buffer): boolean {
  return isAscii(bytes) && [TAB, CARRIAGE_RETURN, DELETE].every((code) => !bytes.includes(code))
}

const TAB = 0x09
const CARRIAGE_RETURN = 0x0d
const DELETE = 0x7f
