import { checkProof } from '../app/check-proof.ts'
import type { VerifierFlags } from '../audit-deps.ts'
import type { Deps } from '../deps.ts'
import { parseProof } from '../domain/log-proof.ts'
import { type LogTree, parseTree } from '../domain/log-statement.ts'
import { SentinelError } from '../errors.ts'
import type { End } from './command.ts'
import { describeProof, proofFields } from './proof-report.ts'

/** What `audit verify --proof` is told. */
export interface ProofCheck extends VerifierFlags {
  /** The file that holds the proof. */
  readonly proof: string
  readonly root?: string | undefined
}

/**
 * Checks a proof, for which no log is needed: whoever has it may be anywhere. Prints the answer.
 */
export async function verifyProof(
  check: ProofCheck,
  { out, signing, digest }: Pick<Deps, 'out' | 'signing' | 'digest'>,
  signal: AbortSignal,
): Promise<End> {
  const tree = check.root === undefined ? undefined : readTree(check.root)
  const isKeyNamed = check['public-key'] !== undefined || check['kms-key'] !== undefined
  const verifier = isKeyNamed ? await signing.openVerifier(check, signal) : undefined
  const proof = parseProof(await signing.read(check.proof))
  const finding = await checkProof({ rootOf: signing.rootOf, digest }, proof, {
    ...(verifier && { verifier }),
    ...(tree && { tree }),
  })
  out.print(describeProof(proof, finding), proofFields(proof, finding))
  return { status: finding.problems.length === 0 ? 0 : 1 }
}

function readTree(text: string): LogTree {
  const tree = parseTree(text)
  if (tree) return tree
  throw new SentinelError('USAGE', `--root is no root of a log: "${text}"`, {
    hint: 'write it as audit verify --with-root prints it: LINES:HEX',
  })
}
