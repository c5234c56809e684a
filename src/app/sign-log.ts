import {
  HEADS_MAX,
  type LogStatement,
  type SignedStatement,
  signedMessage,
} from '../domain/log-statement.ts'
import { toTimestamp } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { ChainReport, LogArchive, ReadOptions } from '../ports/log-archive.ts'
import type { LogSigner, LogVerifier } from '../ports/log-signer.ts'

export interface SigningDeps {
  readonly archive: Pick<LogArchive, 'files' | 'verify'>
  readonly signer: LogSigner
  readonly verifierOf: (key: {
    readonly pem: string
    readonly name: string
  }) => Promise<LogVerifier>
  readonly clock: Pick<Clock, 'aws'>
  /** SHA-256, to hex. */
  readonly digest: (text: string) => string
  readonly host: string
}

export interface SignedLog {
  readonly report: ChainReport
  /** Absent for a log that is not sound: nobody vouches for that. */
  readonly signed?: SignedStatement
}

/**
 * Reads the whole log, and signs what it holds now. Rejects as the archive and the signer do, and
 * with `RECORD_NOT_FOUND` for a log without a line.
 */
export async function signLog(deps: SigningDeps, options: ReadOptions): Promise<SignedLog> {
  const { archive, clock, host } = deps
  // Before the log is read, which may take long: a key that cannot sign is told at once.
  const verifier = await openOwnVerifier(deps, options.signal)
  const report = await archive.verify({ ...options, extent: 'whole', withRoot: true })
  if (report.problemCount > 0) return { report }
  if (report.root === undefined) {
    throw new SentinelError('RECORD_NOT_FOUND', 'the log has no line yet that could be signed for')
  }
  const statement: LogStatement = {
    time: toTimestamp(clock.aws()),
    host,
    log: logPath(archive),
    lines: report.lines,
    root: report.root,
    heads: [...report.heads].slice(-HEADS_MAX).map(([stream, head]) => ({ stream, ...head })),
  }
  return { report, signed: await sign(deps, verifier, statement, options.signal) }
}

/** Whoever checks statements later must be able to: so they are checked before they are given. */
async function sign(
  { signer, digest }: SigningDeps,
  verifier: LogVerifier,
  statement: LogStatement,
  signal: AbortSignal,
): Promise<SignedStatement> {
  const message = signedMessage(statement, digest)
  const signature = await signer.sign(message, signal)
  if (verifier.verify(message, signature)) return { statement, signature }
  throw new SentinelError('SIGNING_FAILED', 'what was signed does not fit its own public key', {
    hint: 'look at who answers for KMS, and try again',
  })
}

async function openOwnVerifier({ signer, verifierOf }: SigningDeps, signal: AbortSignal) {
  return verifierOf({ pem: await signer.publicKey(signal), name: 'the key' })
}

/** The path of the file that is written to: rotated ones have their time behind it. */
function logPath({ files }: Pick<LogArchive, 'files'>): string {
  const path = files.at(-1)?.path ?? ''
  return path.replace(/\.\d{8}T\d{9}Z(?:\.gz)?$/, '')
}
