import type { LogRecord } from '../domain/log-record.ts'

/** A record of the decision log in one sentence, for `--verbose`. */
export function describeRecord(record: LogRecord): string {
  const { type, profile, request_id: id, count, repeats, of } = record
  switch (type) {
    case 'issued': {
      const { access_key_id: key, user, reason, expires_at: end, policy } = record
      const by = `${reason} (${policy?.reference}, sha256 ${policy?.sha256?.slice(0, 12)})`
      return `issued ${key} of ${profile} to ${user} until ${end}: ${by}, request ${id}`
    }
    case 'refused':
      return repeats === undefined
        ? `recorded the refusal ${id}: ${record.code}`
        : `recorded ${repeats} more of the refusal ${of}`
    case 'served':
      return `served the credentials of request ${id} ${count} times`
    default:
      return `recorded ${type}`
  }
}
