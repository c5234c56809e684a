import { formatHead } from '../domain/log-head.ts'
import { type SignedStatement, signedMessage } from '../domain/log-statement.ts'
import type { ChainReport, Claim, ClaimOutcome, VerifyOptions } from '../ports/log-archive.ts'
import type { LogVerifier } from '../ports/log-signer.ts'

export interface StatementDeps {
  readonly verifier: LogVerifier
  /** SHA-256, to hex. */
  readonly digest: (text: string) => string
}

/** Whether the key signed the statement: without that it says nothing. */
export function isSigned(
  { verifier, digest }: StatementDeps,
  { statement, signature }: SignedStatement,
): boolean {
  return verifier.verify(signedMessage(statement, digest), signature)
}

/** The lines that a statement names one by one, for {@link LogArchive.check}. */
export function claimsOf({ statement }: SignedStatement): readonly Claim[] {
  return statement.heads
}

interface ReadLog {
  readonly extent: VerifyOptions['extent']
  /** Of a reading with `rootAt`: the statement's number of lines. */
  readonly report: Pick<ChainReport, 'lines' | 'earlierRoot'>
  /** What became of {@link claimsOf}, in their order. */
  readonly outcomes: readonly ClaimOutcome[]
}

/**
 * How a log that was read differs from what a statement says of it, in sentences; none where it
 * holds what was signed. Of a part of a log only the statement's heads can tell, and each of them
 * has to be there.
 */
export function differences(
  { statement }: SignedStatement,
  { extent, report, outcomes }: ReadLog,
): readonly string[] {
  const { lines, root, time, heads } = statement
  const found: string[] = []
  if (extent === 'whole' && report.lines < lines) {
    found.push(`of the ${lines} lines that were signed at ${time} only ${report.lines} are there`)
  } else if (extent === 'whole' && report.earlierRoot !== root) {
    found.push(`some of the first ${lines} lines were changed since they were signed at ${time}`)
  }
  for (const [place, head] of heads.entries()) {
    const outcome = outcomes[place] ?? 'absent'
    if (outcome === 'present') continue
    const what = `${formatHead(head)} of stream ${head.stream}, signed at ${time},`
    found.push(`line ${what} ${WORDS[outcome]}`)
  }
  if (extent === 'part' && heads.length === 0) {
    found.push('the statement names no line that a part of the log could be held to')
  }
  return found
}

const WORDS = {
  annulled: 'was taken back by a later one',
  different: 'has another one in its place',
  absent: 'is not there',
} as const satisfies Record<Exclude<ClaimOutcome, 'present'>, string>
