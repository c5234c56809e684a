import { asciiJSON } from '../domain/ascii-json.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { Secret } from '../domain/secret.ts'

/** What the log adds to every record besides its link. */
interface Origin {
  /** For a record that does not say when it was. */
  readonly time: string
  readonly host: string
  readonly pid: number
}

/**
 * The fields of a body, in the order of a line. A field that is new in `LogRecord` does not compile
 * until it has a place here; one that is not here is never written. `heads` belong to the link.
 */
const FIELDS = Object.keys({
  time: true,
  decided_at: true,
  type: true,
  user: true,
  person: true,
  principal: true,
  principal_id: true,
  profile: true,
  role_arn: true,
  account: true,
  mode: true,
  effect: true,
  outcome: true,
  basis: true,
  rule: true,
  rule_index: true,
  reason: true,
  code: true,
  policy: true,
  stale_policy: true,
  request_id: true,
  source_identity: true,
  access_key_id: true,
  session_id: true,
  duration_seconds: true,
  expires_at: true,
  grant_id: true,
  grant_store: true,
  grant_from: true,
  grant_until: true,
  grant_rule: true,
  grant_approved_by: true,
  grant_automatic: true,
  stamped: true,
  endpoint_override: true,
  peer: true,
  repeats: true,
  of: true,
  count: true,
  version: true,
  exit_status: true,
  session_store: true,
  tracked_in: true,
  server_instance_id: true,
  stale_session: true,
  session_user: true,
  lock: true,
  until: true,
  subject_id: true,
  subject_person: true,
  justification: true,
  comment: true,
  reason_code: true,
  verdict: true,
  notification_id: true,
  event: true,
  receiver: true,
} satisfies Record<Exclude<keyof LogRecord, 'heads'>, true>) as (keyof LogRecord)[]

/** Characters of a body: with 32 heads and its link, a line stays under 8 KiB. */
export const BODY_MAX = 4608

/**
 * How many characters a text may take, escapes included: the first that makes the body fit. So
 * long texts are cut before short ones, and a long profile name cannot push a role out of sight.
 */
const TEXT_LIMITS = [2048, 1024, 512, 256, 128]

/**
 * The body of `record`'s line: ASCII JSON members without the braces, which `link` puts around
 * them. Throws a `TypeError` when the record holds a secret or a value that JSON has no word for.
 */
export function encodeBody(record: LogRecord, { time, host, pid }: Origin): string {
  const values = { ...record, time: record.time ?? time }
  for (const limit of TEXT_LIMITS) {
    const body = [...FIELDS.map((field) => [field, values[field]]), ['host', host], ['pid', pid]]
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => `"${field}":${encodeValue(value, limit, String(field))}`)
      .join(',')
    if (body.length <= BODY_MAX) return body
  }
  throw new RangeError(`a ${record.type} record takes more than ${BODY_MAX} characters`)
}

function encodeValue(value: unknown, limit: number, field: string): string {
  // A Secret would print as a placeholder: still, nobody should have brought it here.
  if (value instanceof Secret) throw new TypeError(`the record's ${field} holds a secret`)
  if (typeof value === 'string') return asciiJSON(cut(value, limit))
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${asciiJSON(key)}:${encodeValue(member, limit, `${field}.${key}`)}`)
    return `{${members.join(',')}}`
  }
  throw new TypeError(`the record's ${field} is ${String(value)}, which a log line cannot hold`)
}

/**
 * `text` within `limit` characters of JSON; what is cut ends in an ellipsis, at a whole character.
 */
function cut(text: string, limit: number): string {
  if (text.length <= limit && lengthInJson(text) <= limit) return text
  let kept = ''
  let length = lengthInJson(ELLIPSIS)
  for (const character of text) {
    length += lengthInJson(character)
    if (length > limit) break
    kept += character
  }
  return kept + ELLIPSIS
}

const ELLIPSIS = '\u2026'

function lengthInJson(text: string): number {
  return asciiJSON(text).length - '""'.length
}
