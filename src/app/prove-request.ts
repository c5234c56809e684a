import type { LogProof } from '../domain/log-proof.ts'
import type { LogTree, SignedStatement } from '../domain/log-statement.ts'
import { SentinelError } from '../errors.ts'
import type {
  ChainReport,
  InclusionPath,
  LineLocation,
  LogArchive,
  ReadOptions,
} from '../ports/log-archive.ts'
import { findDecision } from './find-decision.ts'
import { type SigningDeps, signLog } from './sign-log.ts'

/** Who is to vouch for the root that a proof leads to. */
export type Voucher =
  | { readonly kind: 'key'; readonly signing: Omit<SigningDeps, 'archive'> }
  | { readonly kind: 'statement'; readonly signed: SignedStatement }
  | { readonly kind: 'nobody' }

export type RequestProof =
  | { readonly outcome: 'proof'; readonly proof: LogProof }
  /** The log is not sound: nothing is signed. */
  | { readonly outcome: 'unsound'; readonly report: ChainReport }
  /** The log does not hold any more what the given statement says. */
  | { readonly outcome: 'changed'; readonly signed: SignedStatement }

/**
 * Proves that what was decided about the request `text` stands in the log. Rejects as
 * {@link findDecision}, and with `RECORD_NOT_FOUND` for a decision that was not carried out, or
 * that a given statement does not reach to.
 */
export async function proveRequest(
  archive: LogArchive,
  { text, voucher }: { readonly text: string; readonly voucher: Voucher },
  options: ReadOptions,
): Promise<RequestProof> {
  const { record, at, isAnnulled } = await findDecision(archive, text, options)
  if (isAnnulled) {
    const message = `the record of request ${record.request_id} was taken back`
    throw new SentinelError('RECORD_NOT_FOUND', message, {
      hint: 'it could not be made durable, so nothing came of it: prove another',
    })
  }
  switch (voucher.kind) {
    case 'nobody': {
      const path = await archive.prove(at, options)
      if (!path) throw changedMeanwhile()
      const { lines, root } = path
      return { outcome: 'proof', proof: { ...lineOf(path), tree: { lines, root } } }
    }
    case 'statement':
      return proveWith(archive, at, voucher.signed, options)
    case 'key': {
      const { report, signed } = await signLog({ ...voucher.signing, archive }, options)
      if (!signed) return { outcome: 'unsound', report }
      const proven = await proveWith(archive, at, signed, options)
      if (proven.outcome !== 'proof') throw changedMeanwhile()
      return proven
    }
  }
}

async function proveWith(
  archive: LogArchive,
  at: LineLocation,
  signed: SignedStatement,
  options: ReadOptions,
): Promise<RequestProof> {
  const tree: LogTree = signed.statement
  const path = await archive.prove(at, { ...options, lines: tree.lines })
  if (!path) {
    const { lines, time } = signed.statement
    const message = `the record is not among the ${lines} lines that were signed at ${time}`
    throw new SentinelError('RECORD_NOT_FOUND', message, {
      hint: 'have the log signed as it is now: sentinel audit sign',
    })
  }
  if (path.root !== tree.root) return { outcome: 'changed', signed }
  return { outcome: 'proof', proof: { ...lineOf(path), signed } }
}

function lineOf({ line, index, path }: InclusionPath) {
  return { line, index, path }
}

function changedMeanwhile(): SentinelError {
  return new SentinelError('LOG_UNREADABLE', 'the log was changed while it was read', {
    hint: 'try again; if that goes on, find out who changes it: sentinel audit verify',
  })
}
