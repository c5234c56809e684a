import { isFields } from '../domain/canonical-json.ts'
import { type LogProof, treeOf } from '../domain/log-proof.ts'
import type { LoggedRecord } from '../domain/log-record.ts'
import { formatTree, type LogTree } from '../domain/log-statement.ts'
import { SentinelError } from '../errors.ts'
import type { InclusionPath } from '../ports/log-archive.ts'
import type { LogVerifier } from '../ports/log-signer.ts'
import { isSigned } from './check-statement.ts'

export interface ProofDeps {
  readonly rootOf: (path: Omit<InclusionPath, 'root'>) => Promise<string | undefined>
  /** SHA-256, to hex. */
  readonly digest: (text: string) => string
}

/** What whoever checks a proof trusts: at least one of them, or nothing is proven. */
export interface Trusted {
  /** Of a key that the log's owner signs with. */
  readonly verifier?: LogVerifier
  /** A root that came by another way. */
  readonly tree?: LogTree
}

export interface ProofFinding {
  /** What the line says. */
  readonly record: LoggedRecord
  /** Why it is not proven, in sentences; none where it is. */
  readonly problems: readonly string[]
}

/**
 * Checks that the proof's line is among those whose root somebody trusted vouches for. Rejects with
 * `STATEMENT_INVALID` when the line is no decision.
 */
export async function checkProof(
  { rootOf, digest }: ProofDeps,
  proof: LogProof,
  { verifier, tree: trusted }: Trusted,
): Promise<ProofFinding> {
  const record = readDecision(proof.line)
  const { line, index, path } = proof
  const tree = treeOf(proof)
  const problems: string[] = []
  if ((await rootOf({ line, index, path, lines: tree.lines })) !== tree.root) {
    problems.push('the path does not lead from this line to the root')
  }
  if (verifier && !('signed' in proof)) problems.push('nobody signed the proof')
  if (verifier && 'signed' in proof && !isSigned({ verifier, digest }, proof.signed)) {
    problems.push(`the proof was not signed by this key (${verifier.keyId})`)
  }
  if (trusted && formatTree(trusted) !== formatTree(tree)) {
    problems.push(`the proof is about another log, or another time of it: ${formatTree(tree)}`)
  }
  if (!verifier && !trusted) {
    const what = `the record is in a log with the root ${formatTree(tree)}`
    problems.push(`${what}, and nothing trusted vouches for that root`)
  }
  return { record, problems }
}

function readDecision(line: string): LoggedRecord {
  const fields = parse(line)
  const { type, stream, seq, time, host } = isFields(fields) ? fields : {}
  const isDecision =
    (type === 'issued' || type === 'refused') &&
    [stream, time, host].every((value) => typeof value === 'string') &&
    typeof seq === 'number'
  // As far as the log's format is concerned; what is shown of it is looked at again.
  if (isDecision) return fields as unknown as LoggedRecord
  throw new SentinelError('STATEMENT_INVALID', 'the proof is about no issuance and no refusal', {
    hint: 'ask for a proof of a request: sentinel audit prove REQUEST-ID',
  })
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
