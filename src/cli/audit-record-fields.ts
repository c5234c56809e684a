import type { LoggedRecord } from '../domain/log-record.ts'
import type { ArchivedRecord } from '../ports/log-archive.ts'

type Flat = Exclude<keyof LoggedRecord, 'heads' | 'policy'>

/**
 * The columns of CSV, in their order, which programs count on: what is new comes at the end. A
 * field that is new in `LoggedRecord` does not compile until it has a place here.
 */
const FIELDS = {
  time: true,
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
  policy_reference: true,
  policy_version: true,
  policy_sha256: true,
  stale_policy: true,
  request_id: true,
  source_identity: true,
  access_key_id: true,
  session_id: true,
  session_store: true,
  server_instance_id: true,
  stale_session: true,
  session_user: true,
  lock: true,
  subject_id: true,
  subject_person: true,
  justification: true,
  comment: true,
  reason_code: true,
  verdict: true,
  until: true,
  notification_id: true,
  event: true,
  receiver: true,
  duration_seconds: true,
  expires_at: true,
  grant_id: true,
  grant_store: true,
  stamped: true,
  endpoint_override: true,
  peer: true,
  repeats: true,
  of: true,
  count: true,
  version: true,
  exit_status: true,
  annulled: true,
  host: true,
  pid: true,
  stream: true,
  seq: true,
  decided_at: true,
  tracked_in: true,
  grant_from: true,
  grant_until: true,
  grant_rule: true,
  grant_approved_by: true,
  grant_automatic: true,
} satisfies Record<
  Flat | 'policy_reference' | 'policy_version' | 'policy_sha256' | 'annulled',
  true
>

/** The names of the columns that CSV has: all of a record but the heads of other streams. */
export const RECORD_FIELDS: readonly string[] = Object.keys(FIELDS)

/** A record in the columns of CSV. */
export function flatFields({ record, isAnnulled }: ArchivedRecord): Record<string, unknown> {
  const { policy } = record
  return {
    ...record,
    policy_reference: policy?.reference,
    policy_version: policy?.version,
    policy_sha256: policy?.sha256,
    ...(isAnnulled && { annulled: true }),
  }
}

/** A record as it stands in the log, and that it was taken back, if it was. */
export function wholeRecord({ record, isAnnulled }: ArchivedRecord): Record<string, unknown> {
  return { ...record, ...(isAnnulled && { annulled: true }) }
}
