import { type JoinedSession, timeOf } from '../app/join-trail.ts'
import { parseRoleArn } from '../domain/arn.ts'
import { toMinutes, toTimestamp } from '../domain/time.ts'
import type { RowKind } from './row-writer.ts'
import { inOneLine } from './session-table.ts'

/** What asks for somebody's eyes first. */
const RANKS = [
  'unmanaged',
  'claimed',
  'chained',
  'used',
  'never_seen',
  'unchecked',
  'pending',
  'managed',
] as const satisfies JoinedSession['status'][]

/** `sessions` by what they are, and each kind as before. */
export function byRank(sessions: readonly JoinedSession[]): readonly JoinedSession[] {
  return RANKS.flatMap((rank) => sessions.filter(({ status }) => status === rank))
}

/** How many there are of each status: `2 unmanaged, 14 managed`. The first stands there always. */
export function countsOf(sessions: readonly JoinedSession[]): string {
  const counts = RANKS.map((rank) => {
    const count = sessions.filter(({ status }) => status === rank).length
    return count > 0 || rank === 'unmanaged' ? `${count} ${inWords(rank)}` : undefined
  })
  return counts.filter((count) => count !== undefined).join(', ')
}

type Field = string | null

const FIELDS: Readonly<Record<string, (session: JoinedSession) => Field | undefined>> = {
  status: ({ status }) => status,
  time: (session) => toTimestamp(timeOf(session)),
  role_arn: roleOf,
  user: (session) => issuanceOf(session)?.user,
  profile: (session) => issuanceOf(session)?.profile,
  request_id: (session) => issuanceOf(session)?.requestId,
  caller: (session) => eventOf(session)?.caller,
  detail: (session) => ('detail' in session ? session.detail : undefined),
  access_key_id: (session) =>
    eventOf(session)?.issuedAccessKeyId ?? issuanceOf(session)?.issued?.accessKeyId,
  session_name: (session) => eventOf(session)?.sessionName,
  source_identity: (session) =>
    eventOf(session)?.askedSourceIdentity ?? eventOf(session)?.issuedSourceIdentity,
  caller_source_identity: (session) => eventOf(session)?.callerSourceIdentity,
  caller_access_key_id: (session) => eventOf(session)?.callerAccessKeyId,
  event: (session) => eventOf(session)?.name,
  event_id: (session) => eventOf(session)?.id,
  region: (session) => eventOf(session)?.region,
  source_ip: (session) => eventOf(session)?.sourceIp,
  user_agent: (session) => eventOf(session)?.userAgent,
}

/** What CloudTrail and the log say of sessions, in rows that fit 80 columns of a terminal. */
export const TRAIL_ROWS: RowKind<JoinedSession> = {
  columns: [
    { heading: 'SESSION', width: 10, cell: ({ status }) => inWords(status) },
    { heading: 'TIME', width: 17, cell: (session) => toMinutes(timeOf(session)) },
    { heading: 'ROLE', width: 24, most: 24, cell: (session) => inOneLine(shortRole(session)) },
    { heading: 'BY', width: 4, most: 23, cell: (session) => inOneLine(byWhom(session)) },
  ],
  fields: Object.keys(FIELDS),
  fieldsOf: (session) =>
    Object.fromEntries(Object.entries(FIELDS).map(([name, of]) => [name, of(session) ?? null])),
}

function inWords(status: JoinedSession['status']): string {
  return status.replace('_', ' ')
}

function issuanceOf(session: JoinedSession) {
  return 'issuance' in session ? session.issuance : undefined
}

function eventOf(session: JoinedSession) {
  return 'event' in session ? session.event : undefined
}

function roleOf(session: JoinedSession): string | undefined {
  return eventOf(session)?.roleArn ?? issuanceOf(session)?.roleArn
}

/** `444455556666/Prod`: the account first, as the end of a long name is cut. */
function shortRole(session: JoinedSession): string {
  const arn = roleOf(session)
  const role = arn === undefined ? undefined : parseRoleArn(arn)
  return role ? `${role.account}/${role.name}` : (arn ?? '-')
}

/** Sentinel's user; of what Sentinel did not make, the caller without what all ARNs begin with. */
function byWhom(session: JoinedSession): string {
  const { user } = issuanceOf(session) ?? {}
  const caller = eventOf(session)?.caller
  return user ?? caller?.replace(/^arn:[^:]*:(?:iam|sts)::\d{12}:/, '') ?? '-'
}
