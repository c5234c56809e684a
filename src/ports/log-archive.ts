import type { Head, StreamHead } from '../domain/log-head.ts'
import type { LoggedRecord } from '../domain/log-record.ts'
import type { Instant } from '../domain/time.ts'

/** A file of a decision log. */
export interface LogFileInfo {
  readonly path: string
  /** On the disk. */
  readonly bytes: number
  readonly isCompressed: boolean
}

/** Where a line stands: in which file, counted from 1, blank lines too. */
export interface LineLocation {
  readonly path: string
  readonly line: number
}

/**
 * What is wrong with a line, or with what stands where a line should be:
 *
 * - `edited`: the line after it was written after another one;
 * - `missing`: lines of its stream are gone before it, or a stream that others name is gone;
 * - `reordered`: it stands later or earlier in its stream than it was written, or twice;
 * - `torn`: it is no record, and no writer has accounted for that;
 * - `foreign`: it follows nothing that is in the log: another's line, or an invented one.
 */
export type ChainFault = 'edited' | 'missing' | 'reordered' | 'torn' | 'foreign'

export interface ChainProblem {
  readonly fault: ChainFault
  /** Absent for a stream, or the end of one, that only others tell of. */
  readonly at?: LineLocation
  readonly stream?: string
  readonly seq?: number
  /** One sentence for people, lower case, without a full stop. */
  readonly detail: string
}

/** A stream that does not end with `stop`: a crash, a run that goes on, or an end cut away. */
export interface OpenStream {
  readonly head: StreamHead
  /** The last record. */
  readonly last: Pick<LoggedRecord, 'time' | 'host' | 'pid' | 'type' | 'user' | 'profile'>
}

/** A session that a stream says it is tracked as. */
export interface LoggedSession {
  readonly stream: string
  readonly id: string
  /** In full, as the record says. */
  readonly store: string
  readonly startedAt: string
}

/** What a whole reading of the chains found. */
export interface ChainReport {
  /**
   * Lines that are not blank. A last one without its newline is none of them: its writer may not be
   * done with it, and {@link root} is not to change by what it adds.
   */
  readonly lines: number
  readonly bytes: number
  readonly streams: number
  /** Records that a `recovered` record took back, and torn lines that one accounts for. */
  readonly annulled: number
  readonly torn: number
  /** In the order of the files; the first thousand of {@link problemCount}. */
  readonly problems: readonly ChainProblem[]
  readonly problemCount: number
  /** The first thousand of {@link openCount}, in the order of their last records. */
  readonly open: readonly OpenStream[]
  readonly openCount: number
  /** Every stream's last line on its chain, in the order in which these lines stand. */
  readonly heads: ReadonlyMap<string, Head>
  readonly sessions: readonly LoggedSession[]
  /** The names of hosts in the records: at most a thousand. */
  readonly hosts: readonly string[]
  /**
   * RFC 6962's root over all lines that are not blank, in their order, in hex. Absent unless asked
   * for, and for a log without a line.
   */
  readonly root?: string
  /** The root over the first {@link VerifyOptions.rootAt} lines, if there are as many. */
  readonly earlierRoot?: string
  /** `time` of the first and the last record. */
  readonly from?: string
  readonly to?: string
}

/** A line that somebody outside the log vouches for. */
export interface Claim {
  readonly stream: string
  /** Absent where only the hash is known. */
  readonly seq?: number
  /** The line's hash in hex, or its beginning. */
  readonly hash: string
}

/** What became of a claim: only `present` is as it should be. */
export type ClaimOutcome =
  | 'present'
  /** The line is there, but a later one took it back, though it was durable and acknowledged. */
  | 'annulled'
  /** The stream goes on that far, with another line in its place. */
  | 'different'
  /** The stream ends before it, or is not there. */
  | 'absent'

export interface ReadOptions {
  readonly signal: AbortSignal
  /** Bytes read so far, of how many. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface VerifyOptions extends ReadOptions {
  /**
   * `whole`: what no earlier line explains is missing. `part`: the log begins before these files.
   */
  readonly extent: 'whole' | 'part'
  /** Asks for {@link ChainReport.root}, which takes half as long again. */
  readonly withRoot?: boolean | undefined
  /** Asks for {@link ChainReport.earlierRoot} over so many lines. */
  readonly rootAt?: number | undefined
}

export interface ProveOptions extends ReadOptions {
  /** The path is to lead to the root over so many lines, from the first. Absent: over all. */
  readonly lines?: number
}

export interface RecordQuery {
  /** Texts that the line must hold, as JSON writes them: spares parsing the others. */
  readonly containing?: readonly string[]
  /**
   * Spares parsing lines that say they were made before `since`, or not before `until`. Some may be
   * given all the same.
   */
  readonly since?: Instant
  readonly until?: Instant
  /**
   * Goes on with what is written later, rotation included, until the signal aborts; the iteration
   * ends then.
   */
  readonly follow?: {
    /** Called once, when what stood there at the beginning has been given. */
    readonly onCaughtUp?: () => void
  }
}

/** What is in the log, and whether it counts. */
export interface ArchivedRecord {
  readonly record: LoggedRecord
  readonly at: LineLocation
  /** A `recovered` record took it back: what it says was not carried out. */
  readonly isAnnulled: boolean
}

/** The path from a line to the root over the first lines of a log: RFC 6962 § 2.1.1. */
export interface InclusionPath {
  /** Its line, without the newline. */
  readonly line: string
  /** Counted from 0 over all lines that are not blank. */
  readonly index: number
  readonly lines: number
  readonly root: string
  /** Hex, from the leaf upwards. */
  readonly path: readonly string[]
}

/**
 * The files of one decision log, oldest first, read as they are and never written. Methods reject
 * with `LOG_UNREADABLE` when a file cannot be read, is no log, or was compressed and is damaged,
 * and with `INTERRUPTED` when the signal aborts (but for following). Memory does not grow with the
 * number of lines; with the number of streams it does, a little.
 */
export interface LogArchive {
  readonly files: readonly LogFileInfo[]

  verify(options: VerifyOptions): Promise<ChainReport>

  /** What became of each claim, in their order. */
  check(claims: readonly Claim[], options: ReadOptions): Promise<readonly ClaimOutcome[]>

  /** Records in the order of their lines. Lines that are none are passed over. */
  records(query: RecordQuery, options: ReadOptions): AsyncIterable<ArchivedRecord>

  /** The path of line `at`. `undefined` when there is no such line among those asked for. */
  prove(at: LineLocation, options: ProveOptions): Promise<InclusionPath | undefined>
}
