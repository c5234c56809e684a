import { isSigned } from '../app/check-statement.ts'
import type { VerifierFlags } from '../audit-deps.ts'
import type { Deps } from '../deps.ts'
import { parseStatement, type SignedStatement, signedFields } from '../domain/log-statement.ts'
import type { VerifyOptions } from '../ports/log-archive.ts'
import { inOneLine } from './session-table.ts'

/** What `audit verify --signature` is told. */
export interface StatementCheck extends VerifierFlags {
  /** The file that holds the statement. */
  readonly signature: string
}

/**
 * The statement that the log is to be held to, if the key signed it; `undefined`, and why is told,
 * if not: what anybody may have written vouches for nothing. Rejects with `STATEMENT_INVALID`, and
 * as {@link Signing.openVerifier}.
 */
export async function readSignedStatement(
  check: StatementCheck,
  { signing, digest, notices }: Pick<Deps, 'signing' | 'digest' | 'notices'>,
  signal: AbortSignal,
): Promise<SignedStatement | undefined> {
  const verifier = await signing.openVerifier(check, signal)
  const signed = parseStatement(await signing.read(check.signature))
  if (isSigned({ verifier, digest }, signed)) return signed
  notices.refuse(
    `${check.signature} was not signed by this key (${verifier.keyId})`,
    `it names the ${signed.signature.algorithm} key ${signed.signature.keyId}`,
  )
  return undefined
}

interface Comparison {
  readonly statement: SignedStatement
  readonly extent: VerifyOptions['extent']
  /** How the log differs from it, in sentences. */
  readonly differences: readonly string[]
}

/** What holding the log to a statement showed, for people. */
export function describeStatement({ statement, extent, differences }: Comparison): string {
  const { lines, time, log, host, heads } = statement.statement
  const what = inOneLine(`the first ${lines} lines of ${log} on ${host}, signed at ${time}`)
  if (differences.length > 0) {
    const list = differences.map((difference) => `  ${difference}`)
    return [`not as signed (${what}):`, ...list].join('\n')
  }
  if (extent === 'whole') return `as signed: ${what}`
  return `as signed, as far as files of a log can tell: ${heads.length} last lines of streams in ${what}`
}

/** The same for programs. */
export function statementFields({ statement, extent, differences }: Comparison) {
  return {
    holds: differences.length === 0,
    compared: extent === 'whole' ? 'root and heads' : 'heads',
    differences,
    ...signedFields(statement),
  }
}
