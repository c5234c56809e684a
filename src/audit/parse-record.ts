import type { LoggedRecord } from '../domain/log-record.ts'
import { SentinelError } from '../errors.ts'
import { STREAM } from './chain.ts'

/** What a line says about its place in the log; the rest of it is what it records. */
export interface PlacedLine {
  readonly stream: string
  readonly seq: number
  readonly type: string
  readonly prev: string
  readonly [field: string]: unknown
}

/** The version of the format that this program knows. */
export const VERSION = 1

/** The object that a line holds: `undefined` for a torn line. */
export function parseObject(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  // What does not begin so is no object, and need not be held against a parser.
  if (line[0] !== OPENING_BRACE) return undefined
  try {
    return JSON.parse(line.toString('latin1'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

const OPENING_BRACE = 0x7b

/** A writer's lines are no longer, without their newline. */
export const LINE_LENGTH_MAX = 8191

/** Whether an object of a line has a place in a stream. */
export function hasPlace(object: Readonly<Record<string, unknown>>): object is PlacedLine {
  const { stream, seq, type, prev } = object
  if (typeof stream !== 'string' || !STREAM.test(stream) || typeof type !== 'string') return false
  // Whether it is a hash shows when it is held to one.
  if (typeof prev !== 'string' || prev.length !== HASH_LENGTH) return false
  return typeof seq === 'number' && Number.isSafeInteger(seq) && seq > 0
}

const HASH_LENGTH = 64

/**
 * The record that a line holds, `undefined` where it is none: torn, longer than any writer's, or
 * with a field that is not what it should be. Fields that are not known are kept. Throws
 * `LOG_UNREADABLE` for a line of a later version: it may mean something else.
 */
export function parseRecord(line: Buffer, path: string): LoggedRecord | undefined {
  // A long one may be so deep that nothing can print it.
  const object = line.length > LINE_LENGTH_MAX ? undefined : parseObject(line)
  if (!object || !hasPlace(object)) return undefined
  if (isLater(object)) throw laterVersion(path)
  return object.v === VERSION && isRecord(object) ? object : undefined
}

const START = Buffer.from(`{"v":${VERSION},"stream":"`)

/** A torn line of a log is the beginning of one, or what a disk made of it: zero bytes. */
export function mayBeTorn(line: Buffer): boolean {
  const length = Math.min(line.length, START.length)
  return line[0] === 0 || line.subarray(0, length).equals(START.subarray(0, length))
}

/** Whether a newer program wrote a line. */
export function isLater({ v }: PlacedLine): boolean {
  return typeof v === 'number' && Number.isSafeInteger(v) && v > VERSION
}

/** Says that a newer program wrote lines of a file. */
export function laterVersion(path: string): SentinelError {
  const message = `${path} has records of a later version than this sentinel knows (${VERSION})`
  return new SentinelError('LOG_UNREADABLE', message, {
    hint: 'read it with the newer sentinel that wrote it; was there none, ask: sentinel audit verify',
  })
}

/** What the value of each field is. A new field of a record does not compile without its kind. */
const KINDS = {
  type: 'string',
  stream: 'string',
  seq: 'number',
  time: 'string',
  host: 'string',
  pid: 'number',
  decided_at: 'string',
  user: 'string',
  person: 'string',
  principal: 'string',
  principal_id: 'string',
  profile: 'string',
  role_arn: 'string',
  account: 'string',
  mode: 'string',
  effect: 'string',
  outcome: 'string',
  basis: 'string',
  rule: 'string',
  rule_index: 'number',
  reason: 'string',
  code: 'string',
  policy: 'object',
  stale_policy: 'boolean',
  request_id: 'string',
  source_identity: 'string',
  access_key_id: 'string',
  session_id: 'string',
  session_store: 'string',
  tracked_in: 'string',
  server_instance_id: 'string',
  stale_session: 'boolean',
  session_user: 'string',
  lock: 'string',
  subject_id: 'string',
  subject_person: 'string',
  justification: 'string',
  comment: 'string',
  reason_code: 'string',
  verdict: 'string',
  until: 'string',
  notification_id: 'string',
  event: 'string',
  receiver: 'string',
  duration_seconds: 'number',
  expires_at: 'string',
  grant_id: 'string',
  grant_store: 'string',
  grant_from: 'string',
  grant_until: 'string',
  grant_rule: 'string',
  grant_approved_by: 'string',
  grant_automatic: 'boolean',
  stamped: 'boolean',
  endpoint_override: 'boolean',
  peer: 'string',
  repeats: 'number',
  of: 'string',
  count: 'number',
  version: 'string',
  exit_status: 'number',
  heads: 'object',
} as const satisfies Record<keyof LoggedRecord, 'string' | 'number' | 'boolean' | 'object'>

const KIND_OF: ReadonlyMap<string, string> = new Map(Object.entries(KINDS))

/** Every record has these; the others may be left out. */
const ALWAYS = ['type', 'time', 'host', 'pid'] as const

function isRecord(object: PlacedLine): object is PlacedLine & LoggedRecord {
  if (ALWAYS.some((field) => object[field] === undefined)) return false
  return Object.entries(object).every(([field, value]) => {
    const kind = KIND_OF.get(field)
    return kind === undefined || (typeof value === kind && value !== null)
  })
}
