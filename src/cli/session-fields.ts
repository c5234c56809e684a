import type { ShownSession } from '../app/list-sessions.ts'
import type { SessionLock } from '../domain/session.ts'
import { type Instant, toTimestamp } from '../domain/time.ts'

type Field = string | number | null

const FIELDS: Readonly<Record<string, (shown: ShownSession) => Field>> = {
  id: ({ session }) => session.id,
  shown_status: ({ status }) => status,
  status: ({ session }) => storedStatus(session),
  user: ({ session }) => session.user,
  principal: ({ session }) => session.principal,
  profile: ({ session }) => session.profile,
  role_arn: ({ session }) => session.roleArn ?? null,
  source_identity: ({ session }) => session.sourceIdentity ?? null,
  request_count: ({ session }) => session.requestCount,
  started_at: ({ session }) => toTimestamp(session.startedAt),
  last_access_at: ({ session }) => timestamp(session.lastAccessAt),
  expires_at: ({ session }) => toTimestamp(session.expiresAt),
  lease_until: ({ session }) => toTimestamp(session.leaseUntil),
  ended_at: ({ session }) => timestamp(session.end?.at),
  end_reason: ({ session }) => session.end?.reason ?? null,
  revoked_at: ({ session }) => timestamp(session.revocation?.at),
  revoked_by: ({ session }) => session.revocation?.by ?? null,
  revoked_reason: ({ session }) => session.revocation?.reason ?? null,
  server_instance_id: ({ session }) => session.serverInstanceId,
  host: ({ session }) => session.host,
  pid: ({ session }) => session.pid,
  version: ({ session }) => session.version,
  log_head: ({ session }) => session.logHead ?? null,
  created_at: ({ session }) => toTimestamp(session.createdAt),
  updated_at: ({ session }) => toTimestamp(session.updatedAt),
}

/** The names of the fields of a session, in order. */
export const SESSION_FIELDS: readonly string[] = Object.keys(FIELDS)

/**
 * A session as programs see it: the attributes of its record, and the status that is shown. Always
 * the same fields, `null` for what is not there.
 */
export function sessionFields(shown: ShownSession): Readonly<Record<string, Field>> {
  return Object.fromEntries(Object.entries(FIELDS).map(([name, of]) => [name, of(shown)]))
}

/** A lock as programs see it. */
export function lockFields({ scope, at, until, by, reason }: SessionLock) {
  return {
    scope: scope.kind,
    name: scope.kind === 'all' ? null : scope.name,
    until: toTimestamp(until),
    by,
    reason,
    created_at: toTimestamp(at),
  }
}

function storedStatus({ end, revocation }: ShownSession['session']): string {
  if (revocation) return 'revoked'
  return end ? 'expired' : 'active'
}

function timestamp(instant: Instant | undefined): string | null {
  return instant === undefined ? null : toTimestamp(instant)
}
