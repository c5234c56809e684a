import type { LoggedRecord } from '../domain/log-record.ts'
import type { ArchivedRecord } from '../ports/log-archive.ts'

/** What a record is of, in a word or two: `refused`, `served ×12`. */
export function describeWhat({ type, outcome, repeats, count }: LoggedRecord): string {
  if (type === 'served') return `${type} ×${count}`
  if (type !== 'refused') return type
  return repeats === undefined ? `${outcome ?? type}` : `${outcome ?? type} ×${repeats}`
}

/** What there is to say of why, the rule that decided first. */
export function describeWhy({ record, isAnnulled }: ArchivedRecord): string {
  const why = whyOf(record)
    .filter((part) => part !== undefined && part !== '')
    .join(': ')
  return isAnnulled ? `not carried out: ${why}` : why
}

type Part = string | undefined

function whyOf(record: LoggedRecord): Part[] {
  const { type, rule, code, reason } = record
  switch (type) {
    case 'issued':
      return [rule, grantOf(record), reason]
    case 'refused':
      if (record.of !== undefined) return [`as ${record.of}`, code]
      return [rule, grantOf(record), withoutProfile(record)]
    case 'served':
      return [`credentials of ${record.request_id}`]
    case 'revoked':
      return [reason ?? code]
    case 'session.created':
      return [record.session_id, record.session_store]
    case 'session.ended':
      return [record.session_id, reason]
    case 'session.revoked':
      return [`${record.session_user}'s ${record.session_id}`, reason]
    case 'session.locked':
      return [`${record.lock} until ${record.until}`, reason]
    case 'session.unlocked':
      return [record.lock, reason]
    case 'request.created':
    case 'request.approved':
    case 'request.denied':
    case 'request.cancelled':
    case 'request.revoked':
    case 'break_glass.started':
    case 'break_glass.refused':
    case 'break_glass.closed':
    case 'break_glass.reviewed':
      return [record.verdict, record.reason_code, said(record), record.subject_id]
    case 'notification.given_up':
      return [`${record.event} to ${record.receiver}`, reason ?? code]
    case 'start':
      return [record.version, reason]
    case 'stop':
      return [record.exit_status === undefined ? undefined : `exit status ${record.exit_status}`]
    case 'recovered':
      return [reason]
    case 'witness':
      return [`${Object.keys(record.heads ?? {}).length} other streams`]
    default:
      // A newer version's.
      return [type satisfies never, reason]
  }
}

/** The grant that lifted a refusal, if one did. */
function grantOf({ basis, grant_id: id }: LoggedRecord): Part {
  return basis === undefined || basis === 'policy' ? undefined : `${basis} ${id}`
}

function said({ justification, comment, reason, code }: LoggedRecord): Part {
  return justification ?? comment ?? reason ?? code
}

/** The message of a refusal, without what stands in another column. */
function withoutProfile({ reason, profile, code }: LoggedRecord): Part {
  if (typeof reason !== 'string') return code
  return reason.replace(`profile ${profile} is refused: `, '')
}
