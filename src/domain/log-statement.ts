/**
 * What is signed of a decision log, so that a later reader need not trust whoever keeps its files:
 * how many lines it had, the root of RFC 6962's Merkle tree over them, and the last lines of the
 * streams that grew last, for readers who do not have all of its files. One line of JSON:
 *
 *     {"v":1,"type":"sentinel.log-statement","time":"2026-01-14T09:00:00.000Z",
 *      "host":"laptop","log":"/home/alice/.local/state/sentinel/decisions.jsonl",
 *      "lines":1000,"root":HEX,"heads":{"mfzwizltoq3tsnbqgaya":"12:HEX",…},
 *      "algorithm":"Ed25519","key_id":HEX,"signature":BASE64}
 *
 * @module
 */
import {
  assertCanonical,
  assertForms,
  type Fields,
  type Forms,
  isCount,
  isFields,
  isHash,
  parseFields,
  toCanonical,
} from './canonical-json.ts'
import { formatHead, parseHead, type StreamHead } from './log-head.ts'

/** How a statement is signed. */
export type SigningAlgorithm = 'Ed25519' | 'ECDSA_SHA_256' | 'ECDSA_SHA_384' | 'RSASSA_PSS_SHA_256'

export interface LogSignature {
  readonly algorithm: SigningAlgorithm
  /** SHA-256, in hex, of the public key's SubjectPublicKeyInfo (DER). */
  readonly keyId: string
  /** Base64. */
  readonly signature: string
}

/** The first lines of a log: how many, blank ones not counted, and the root over them in hex. */
export interface LogTree {
  readonly lines: number
  readonly root: string
}

/** `1000:9f86d0…`: the form in which a person hands the root over so many lines on. */
export function formatTree({ lines, root }: LogTree): string {
  return `${lines}:${root}`
}

/** Reads what {@link formatTree} wrote; `undefined` for anything else. */
export function parseTree(text: string): LogTree | undefined {
  const head = parseHead(text)
  return head && { lines: head.seq, root: head.hash }
}

export interface LogStatement extends LogTree {
  /** `YYYY-MM-DDTHH:MM:SS.mmmZ`, AWS time. */
  readonly time: string
  /** Where it was signed. */
  readonly host: string
  /** The path of the log there: of the file that is written to. */
  readonly log: string
  /** Of at most {@link HEADS_MAX} streams: those that grew last. */
  readonly heads: readonly StreamHead[]
}

export interface SignedStatement {
  readonly statement: LogStatement
  readonly signature: LogSignature
}

/** As many as a record of the log names. */
export const HEADS_MAX = 32

const TYPE = 'sentinel.log-statement'

/**
 * What is signed: never the same bytes as of anything else that the key may sign, and so few that
 * KMS takes them whatever the statement says. `digest` is SHA-256, to hex.
 */
export function signedMessage(statement: LogStatement, digest: (text: string) => string): string {
  return `${TYPE}.v1\n${digest(toCanonical(statementFields(statement)))}`
}

/** One line, without a newline. */
export function encodeStatement(signed: SignedStatement): string {
  return toCanonical(signedFields(signed))
}

/** Reads what {@link encodeStatement} wrote. Throws `STATEMENT_INVALID`. */
export function parseStatement(text: string): SignedStatement {
  const signed = readStatement(parseFields(text, WHAT))
  assertCanonical(text, encodeStatement(signed), WHAT)
  return signed
}

const WHAT = 'the signed statement'

/**
 * Reads the fields of a statement within something else, whose bytes the caller holds to those of
 * {@link signedFields}. Throws `STATEMENT_INVALID`.
 */
export function readStatement(fields: Fields): SignedStatement {
  assertForms(fields, WHAT, TYPE, FORMS)
  // Each field has the form that was just asked of it.
  const { time, host, log, lines, root, heads, algorithm, key_id, signature } =
    fields as unknown as SignedFields
  return {
    statement: { time, host, log, lines, root, heads: headsOf(heads) },
    signature: { algorithm, keyId: key_id, signature },
  }
}

/** The members of a statement's JSON, in their order. */
export function signedFields({ statement, signature }: SignedStatement): Fields {
  return {
    ...statementFields(statement),
    algorithm: signature.algorithm,
    key_id: signature.keyId,
    signature: signature.signature,
  }
}

interface SignedFields extends Omit<LogStatement, 'heads'> {
  readonly heads: Readonly<Record<string, string>>
  readonly algorithm: SigningAlgorithm
  readonly key_id: string
  readonly signature: string
}

function statementFields({ time, host, log, lines, root, heads }: LogStatement): Fields {
  const named = heads.map((head) => [head.stream, formatHead(head)] as const)
  const inOrder = named.toSorted(([one], [other]) => (one < other ? -1 : 1))
  return { v: 1, type: TYPE, time, host, log, lines, root, heads: Object.fromEntries(inOrder) }
}

const ALGORITHMS: ReadonlySet<unknown> = new Set<SigningAlgorithm>([
  'Ed25519',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'RSASSA_PSS_SHA_256',
])

const FORMS: Forms = {
  time: isTimestamp,
  host: isName,
  log: isName,
  lines: (value) => isCount(value, 1),
  root: isHash,
  heads: isHeads,
  algorithm: (value) => ALGORITHMS.has(value),
  key_id: isHash,
  signature: isBase64,
}

function isTimestamp(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-.{18}Z$/.test(value)) return false
  const instant = Date.parse(value)
  return Number.isFinite(instant) && new Date(instant).toISOString() === value
}

/** As long as a path may be. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 4096
}

function isHeads(value: unknown): boolean {
  if (!isFields(value)) return false
  const heads = Object.entries(value)
  return (
    heads.length <= HEADS_MAX &&
    heads.every(
      ([stream, head]) =>
        /^[a-z2-7]{20}$/.test(stream) && typeof head === 'string' && parseHead(head) !== undefined,
    )
  )
}

function headsOf(heads: Readonly<Record<string, string>>): readonly StreamHead[] {
  return Object.entries(heads).flatMap(([stream, text]) => {
    const head = parseHead(text)
    return head ? [{ stream, ...head }] : []
  })
}

/** Each value has one text: the bits behind the last byte are zero. */
function isBase64(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.length > 1024) return false
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value) || value.length % 4 !== 0) return false
  try {
    return btoa(atob(value)) === value
  } catch {
    // "====" and the like.
    return false
  }
}
