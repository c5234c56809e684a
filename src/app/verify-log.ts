import type { SignedStatement } from '../domain/log-statement.ts'
import { SentinelError } from '../errors.ts'
import type {
  ChainReport,
  Claim,
  ClaimOutcome,
  LogArchive,
  ReadOptions,
  VerifyOptions,
} from '../ports/log-archive.ts'
import { claimsOf, differences } from './check-statement.ts'

/** A line of the log, and who vouches for it: `session 00000000000a11ce`. */
export interface VouchedLine extends Claim {
  readonly by: string
}

/** A place out of reach of whoever can write the log's files, where some of its lines are known. */
export interface AnchorSource {
  /** `table dynamodb:eu-central-1:sentinel-anchors`. */
  readonly name: string

  /**
   * All that it knows of the log that was read, streams included that the log does not hold (any
   * more). Rejects with a {@link SentinelError} when it cannot be read.
   */
  linesOf(report: ChainReport, signal: AbortSignal): Promise<readonly VouchedLine[]>
}

/** Places that only the log itself tells of, each of which may fail by itself. */
export interface AnchorSources {
  among(report: ChainReport): readonly AnchorSource[]
}

export interface VerifyLogInput {
  readonly extent: VerifyOptions['extent']
  readonly sources: readonly (AnchorSource | AnchorSources)[]
  /** What was signed of the log before, by a key that was checked. */
  readonly statement?: SignedStatement | undefined
  /** Asks for {@link ChainReport.root}. */
  readonly withRoot?: boolean | undefined
}

/** A line that somebody vouches for and that is not, or not any more, as it was. */
export interface Contradiction extends VouchedLine {
  readonly outcome: Exclude<ClaimOutcome, 'present'>
}

export interface LogVerdict {
  readonly report: ChainReport
  /** Of how many lines somebody told. */
  readonly anchors: number
  readonly contradictions: readonly Contradiction[]
  /** How the log differs from the statement, in sentences. */
  readonly differences: readonly string[]
  /** Sources that could not be asked: what they would have told is not known. */
  readonly unread: readonly { readonly source: string; readonly error: SentinelError }[]
  /** `unknown`: nothing is wrong, as far as what could be read tells. */
  readonly outcome: 'sound' | 'unsound' | 'unknown'
}

/**
 * Reads a log, and holds it against what is known of it elsewhere. Rejects as the archive does.
 */
export async function verifyLog(
  archive: Pick<LogArchive, 'verify' | 'check'>,
  { extent, sources, statement, withRoot }: VerifyLogInput,
  options: ReadOptions,
): Promise<LogVerdict> {
  const rootAt = statement?.statement.lines
  const report = await archive.verify({ ...options, extent, withRoot, rootAt })
  const places = sources.flatMap((one) => ('among' in one ? one.among(report) : [one]))
  const answers = await Promise.all(places.map((place) => ask(place, report, options.signal)))
  const vouched = answers.flatMap(({ lines }) => lines)
  const signed = statement ? claimsOf(statement) : []

  // Read again where needed: what was vouched for meanwhile is in the log by now.
  const outcomes = await archive.check([...vouched, ...signed], options)
  const contradictions = vouched.flatMap((line, index) => {
    const outcome = outcomes[index] ?? 'absent'
    return isContradicted(outcome, extent) ? [{ ...line, outcome }] : []
  })
  const different = statement
    ? differences(statement, { extent, report, outcomes: outcomes.slice(vouched.length) })
    : []
  const unread = answers.flatMap(({ failed }) => (failed ? [failed] : []))
  const isSound = report.problemCount + contradictions.length + different.length === 0
  return {
    report,
    anchors: vouched.length,
    contradictions,
    differences: different,
    unread,
    outcome: isSound ? (unread.length > 0 ? 'unknown' : 'sound') : 'unsound',
  }
}

async function ask(source: AnchorSource, report: ChainReport, signal: AbortSignal) {
  try {
    return { lines: await source.linesOf(report, signal) }
  } catch (error) {
    if (!(error instanceof SentinelError) || signal.aborted) throw error
    return { lines: [], failed: { source: source.name, error } }
  }
}

/** A line that is not in a part of the log may well be in another. */
function isContradicted(
  outcome: ClaimOutcome,
  extent: VerifyOptions['extent'],
): outcome is Contradiction['outcome'] {
  return outcome !== 'present' && !(extent === 'part' && outcome === 'absent')
}
