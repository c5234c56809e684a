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
  const { type, code, reason } = record
  switch (type) {
    case 'issued':
      return whyDecided(record)
    case 'refused':
      return record.of === undefined ? whyDecided(record) : [`as ${record.of}`, code]
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
      return [record.verdict, record.reason_code, said(record)]
    case 'notification.given_up':
      return [`${record.event} to ${record.receiver}`, reason ?? code]
    case 'start':
      return [record.version, reason]
    case 'stop':
      return [record.exit_status === undefined ? undefined : `exit status ${record.exit_status}`]
    case 'recovered':
      return [reason]
    case 'witness':
      return [othersIn(record)]
    default:
      // A newer version's.
      return [type satisfies never, reason]
  }
}

/**
 * The rule that decided and why, each once: a reason tells of its rule, and of a grant, in words of
 * its own, and names the profile, which stands in another column.
 */
function whyDecided({ rule, basis, grant_id: id, reason, profile, code }: LoggedRecord): Part[] {
  if (typeof reason !== 'string') return [rule, grantOf(basis, id), code]
  const told = reason.replace(`profile ${profile} is refused: `, '')
  const lead = `rule "${rule}" `
  if (told.startsWith(lead))
    return [rule + ` ${told.slice(lead.length)}`.replace(/^ allows it/, '')]
  if (id !== undefined && told.includes(id)) return [told]
  return [rule, grantOf(basis, id), told]
}

function grantOf(basis: LoggedRecord['basis'], id: Part): Part {
  return basis === undefined || basis === 'policy' ? undefined : `${basis} ${id}`
}

function othersIn({ heads = {} }: LoggedRecord): Part {
  const count = Object.keys(heads).length
  return `${count} other stream${count === 1 ? '' : 's'}`
}

function said({ justification, comment, reason, code }: LoggedRecord): Part {
  return justification ?? comment ?? reason ?? code
}
