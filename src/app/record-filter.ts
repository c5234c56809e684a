import { asciiJSON } from '../domain/ascii-json.ts'
import type { LoggedRecord, LogRecord } from '../domain/log-record.ts'
import { matchesGlob } from '../domain/policy/glob.ts'
import type { Basis, Effect, Mode } from '../domain/policy/types.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'
import type { RecordQuery } from '../ports/log-archive.ts'

export type RecordType = LogRecord['type']
export type Outcome = NonNullable<LogRecord['outcome']>

/** Each type of a record, and whether it tells of access or only of the log and its runs. */
const TYPES = {
  issued: 'access',
  served: 'access',
  refused: 'access',
  revoked: 'access',
  'session.created': 'run',
  'session.ended': 'run',
  'session.revoked': 'access',
  'session.locked': 'access',
  'session.unlocked': 'access',
  'request.created': 'access',
  'request.approved': 'access',
  'request.denied': 'access',
  'request.cancelled': 'access',
  'request.revoked': 'access',
  'break_glass.started': 'access',
  'break_glass.refused': 'access',
  'break_glass.closed': 'access',
  'break_glass.reviewed': 'access',
  'notification.given_up': 'run',
  start: 'run',
  stop: 'run',
  recovered: 'run',
  witness: 'run',
} as const satisfies Record<RecordType, 'access' | 'run'>

export const RECORD_TYPES = Object.keys(TYPES) as readonly RecordType[]

/** What people mean by "the decisions": who got what, and who had a hand in it. */
export const ACCESS_TYPES = RECORD_TYPES.filter((type) => TYPES[type] === 'access')

export const OUTCOMES = ['issued', 'refused', 'failed'] as const satisfies readonly Outcome[]

export const BASES = ['policy', 'approval', 'break_glass'] as const satisfies readonly Basis[]

/**
 * Which records are looked for; all that is given must hold. What a record does not say does not
 * match: a sum of what was served, say, has no rule.
 */
export interface RecordFilter {
  /** Who acted: the user part as recorded, or the person. Exact, or with `*`. */
  readonly user?: string
  /** Exact, or with `*`. */
  readonly profile?: string
  /** Exact, or with `*`. */
  readonly rule?: string
  readonly mode?: Mode
  readonly effect?: Effect
  readonly outcome?: Outcome
  readonly basis?: Basis
  /** An id, or how it begins. */
  readonly session?: string
  /** Of a request for credentials, of an access request or of an event: an id or its beginning. */
  readonly request?: string
  /** Absent: of every type. */
  readonly types?: readonly RecordType[]
  /** Made then or later. */
  readonly since?: Instant
  /** Made before. */
  readonly until?: Instant
}

type Test = (record: LoggedRecord) => boolean

/** Whether a record is one that `filter` lets through. */
export function matcherOf(filter: RecordFilter): Test {
  const { user, profile, rule, session, request, types, since, until } = filter
  const tests: Test[] = []
  if (user !== undefined) tests.push((record) => isOne(user, record.user, record.person))
  if (profile !== undefined) tests.push((record) => isOne(profile, record.profile))
  if (rule !== undefined) tests.push((record) => isOne(rule, record.rule))
  for (const field of ['mode', 'effect', 'outcome', 'basis'] as const) {
    const wanted = filter[field]
    if (wanted !== undefined) tests.push((record) => record[field] === wanted)
  }
  if (session !== undefined) tests.push((record) => begins(session, record.session_id))
  if (request !== undefined) {
    tests.push((record) => idsIn(record).some((id) => begins(request, id)))
  }
  if (types !== undefined) {
    const wanted = new Set<string>(types)
    tests.push(({ type }) => wanted.has(type))
  }
  // Times are written in one form, which sorts as text.
  const [from, to] = [since, until].map((time) => time !== undefined && toTimestamp(time))
  if (from) tests.push(({ time }) => time >= from)
  if (to) tests.push(({ time }) => time < to)
  return (record) => tests.every((test) => test(record))
}

/**
 * Asks for lines of which none is missing that {@link matcherOf} lets through: looking for texts in
 * a line costs a fraction of parsing it.
 */
export function queryOf(filter: RecordFilter): RecordQuery {
  const { since, until } = filter
  return {
    containing: textsOf(filter),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  }
}

function textsOf(filter: RecordFilter): readonly string[] {
  const { user, profile, rule, session, request, types } = filter
  return [
    ...(user === undefined ? [] : pieces('', user)),
    ...(profile === undefined ? [] : pieces('"profile"', profile)),
    ...(rule === undefined ? [] : pieces('"rule"', rule)),
    ...(['mode', 'effect', 'outcome', 'basis'] as const).flatMap((field) => {
      const wanted = filter[field]
      return wanted === undefined ? [] : [`"${field}":"${wanted}"`]
    }),
    ...(session === undefined ? [] : [`"session_id":"${inJSON(session)}`]),
    ...(request === undefined ? [] : [`:"${inJSON(request)}`]),
    ...(types?.length === 1 ? [`"type":"${types[0]}"`] : []),
  ]
}

function idsIn({ request_id, of, subject_id, grant_id }: LoggedRecord): (string | undefined)[] {
  return [request_id, of, subject_id, grant_id]
}

/** A log may hold what no writer of ours wrote: only texts are held against a pattern. */
function isOne(pattern: string, ...texts: unknown[]): boolean {
  return texts.some((text) => typeof text === 'string' && matchesGlob(pattern, text))
}

function begins(beginning: string, id: unknown): boolean {
  return typeof id === 'string' && id.startsWith(beginning)
}

/** What the value that `pattern` matches leaves in a line, behind the name of its field. */
function pieces(name: string, pattern: string): string[] {
  return `${name}:"${inJSON(pattern)}"`.split('*').filter((piece) => !isEverywhere(piece))
}

function isEverywhere(piece: string): boolean {
  return piece.length < 3
}

/** `text` as it stands between the quotes of a line, which are ASCII. */
function inJSON(text: string): string {
  return asciiJSON(text).slice(1, -1)
}
