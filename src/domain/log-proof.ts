/**
 * The proof that a record stands in a decision log: its line, the path from it to the root over the
 * first lines of that log, and who vouches for the root. One line of JSON, of a few KiB, however
 * long the log is:
 *
 *     {"v":1,"type":"sentinel.log-proof","line":"{\"v\":1,…}","index":41,"path":[HEX,…],
 *      "statement":{…}}
 *
 * `statement` is a signed one (log-statement.ts); a proof that nobody signed has `lines` and `root`
 * in its place.
 *
 * @module
 */
import {
  assertCanonical,
  assertForms,
  type Fields,
  isCount,
  isFields,
  isHash,
  parseFields,
  toCanonical,
} from './canonical-json.ts'
import { type LogTree, readStatement, type SignedStatement, signedFields } from './log-statement.ts'

/** The line of a record, and where it stands. */
interface ProvenLine {
  /** Without its newline. */
  readonly line: string
  /** Counted from 0 over all lines that are not blank. */
  readonly index: number
  /** Hex, from the leaf upwards. */
  readonly path: readonly string[]
}

export type LogProof =
  | (ProvenLine & { readonly signed: SignedStatement })
  | (ProvenLine & { readonly tree: LogTree })

const TYPE = 'sentinel.log-proof'
const WHAT = 'the proof'

/** More lines than 2^64 are in no log. */
const PATH_MAX = 64

/** What the path of a proof is to lead to. */
export function treeOf(proof: LogProof): LogTree {
  return 'signed' in proof ? proof.signed.statement : proof.tree
}

/** One line, without a newline. */
export function encodeProof(proof: LogProof): string {
  const { line, index, path } = proof
  const vouched =
    'signed' in proof
      ? { statement: signedFields(proof.signed) }
      : { lines: proof.tree.lines, root: proof.tree.root }
  return toCanonical({ v: 1, type: TYPE, line, index, path, ...vouched })
}

/** Reads what {@link encodeProof} wrote. Throws `STATEMENT_INVALID`. */
export function parseProof(text: string): LogProof {
  const fields = parseFields(text, WHAT)
  const isSigned = Object.hasOwn(fields, 'statement')
  assertForms(fields, WHAT, TYPE, {
    ...LINE_FORMS,
    ...(isSigned ? { statement: isFields } : TREE_FORMS),
  })
  // Each field has the form that was just asked of it.
  const { line, index, path, statement, lines, root } = fields as unknown as ProofFields
  const proven = { line, index, path }
  const proof = isSigned
    ? { ...proven, signed: readStatement(statement) }
    : { ...proven, tree: { lines, root } }
  assertCanonical(text, encodeProof(proof), WHAT)
  return proof
}

interface ProofFields extends ProvenLine, LogTree {
  readonly statement: Fields
}

const LINE_FORMS = {
  line: (value: unknown) => typeof value === 'string' && /^[\x20-\x7e]{1,8192}$/.test(value),
  index: (value: unknown) => isCount(value, 0),
  path: (value: unknown) => Array.isArray(value) && value.length <= PATH_MAX && value.every(isHash),
}

const TREE_FORMS = { lines: (value: unknown) => isCount(value, 1), root: isHash }
