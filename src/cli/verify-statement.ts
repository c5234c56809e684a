import { claimsOf, differences, isSigned } from '../app/check-statement.ts'
import type { VerifierFlags } from '../audit-deps.ts'
import type { Deps } from '../deps.ts'
import { parseStatement, type SignedStatement, signedFields } from '../domain/log-statement.ts'
import type { LogArchive, ReadOptions, VerifyOptions } from '../ports/log-archive.ts'

/** What `audit verify --signature` is told. */
export interface StatementFlags extends VerifierFlags {
  readonly signature?: string | undefined
}

/** A statement that a log is to be held to. */
export interface Statement {
  readonly signed: SignedStatement
  /** Whether the key that counts signed it: without that it says nothing. */
  readonly isSigned: boolean
  readonly keyId: string
}

/**
 * Reads the statement that `--signature` names, and checks whose it is. Rejects with
 * `STATEMENT_INVALID`, and as {@link Signing.openVerifier}: a statement that anybody may have made
 * vouches for nothing.
 */
export async function openStatement(
  flags: StatementFlags & { readonly signature: string },
  { signing, digest }: Pick<Deps, 'signing' | 'digest'>,
  signal: AbortSignal,
): Promise<Statement> {
  const signed = parseStatement(await signing.read(flags.signature))
  const verifier = await signing.openVerifier(flags, signal)
  return { signed, isSigned: isSigned({ verifier, digest }, signed), keyId: verifier.keyId }
}

interface ReadLog {
  readonly archive: Pick<LogArchive, 'check'>
  readonly extent: VerifyOptions['extent']
  /** Of a reading with `rootAt`: the number of lines that the statement is about. */
  readonly report: Parameters<typeof differences>[1]['report']
}

/** What came of holding a log to a statement. */
export interface StatementFinding extends Statement {
  readonly extent: VerifyOptions['extent']
  /** Why the log is not what was signed, in sentences; none where it is. */
  readonly problems: readonly string[]
}

/** Holds a log that was verified to a statement. */
export async function holdToStatement(
  statement: Statement,
  { archive, extent, report }: ReadLog,
  options: ReadOptions,
): Promise<StatementFinding> {
  const { signed, keyId } = statement
  if (!statement.isSigned) {
    const problem = `the statement was not signed by this key (${keyId})`
    return { ...statement, extent, problems: [problem] }
  }
  const outcomes = await archive.check(claimsOf(signed), options)
  return { ...statement, extent, problems: differences(signed, { extent, report, outcomes }) }
}

/** For people: lines to stand under what was said of the chains. */
export function describeStatement({ signed, extent, problems }: StatementFinding): string {
  const { lines, time, log, host, heads } = signed.statement
  const what = `the first ${lines} lines of ${log} on ${host}, signed at ${time}`
  if (problems.length > 0) {
    const list = problems.map((problem) => `  ${problem}`)
    return [`not what was signed (${what}):`, ...list].join('\n')
  }
  if (extent === 'whole') return `as signed: ${what}`
  return `as signed, as far as a part of the log can tell: ${heads.length} last lines out of ${what}`
}

/** The same for programs. */
export function statementFields({ signed, extent, problems }: StatementFinding) {
  return {
    holds: problems.length === 0,
    compared: extent === 'whole' ? 'root and heads' : 'heads',
    problems,
    statement: signedFields(signed),
  }
}
