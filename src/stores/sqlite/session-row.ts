import { SHORT_HASH_LENGTH } from '../../domain/log-head.ts'
import {
  isSessionId,
  type Revocation,
  removableAt,
  type Session,
  type SessionEnd,
  type SessionId,
  type SessionProgress,
  type SessionStart,
} from '../../domain/session.ts'
import { toTimestamp } from '../../domain/time.ts'
import { bytes, instant, integer, invalid, optional, text } from './columns.ts'
import type { Row } from './connection.ts'

/** A session that is made, with or without its end, as the columns of its row. */
export function toRow(session: SessionStart & SessionProgress & { readonly end?: SessionEnd }) {
  const { startedAt, expiresAt, leaseUntil, end } = session
  return {
    id: session.id,
    user: session.user,
    principal: session.principal,
    profile: session.profile,
    role_arn: session.roleArn ?? null,
    server_instance_id: session.serverInstanceId,
    status: end ? 'expired' : 'active',
    started_at: toTimestamp(startedAt),
    created_at: toTimestamp(startedAt),
    updated_at: toTimestamp(end?.at ?? startedAt),
    ended_at: end ? toTimestamp(end.at) : null,
    end_reason: end?.reason ?? null,
    host: session.host,
    pid: session.pid,
    version: session.version,
    ...toHandedOut(session),
    lease_until: toTimestamp(leaseUntil),
    ttl: removableAt(startedAt, expiresAt, leaseUntil, end?.at ?? startedAt),
  }
}

/** What a server says of its session, but for its lease. */
export function toHandedOut(progress: SessionProgress) {
  const { requestCount, lastAccessAt, expiresAt, sourceIdentity, logHead } = progress
  return {
    request_count: requestCount,
    last_access_at: lastAccessAt === undefined ? null : toTimestamp(lastAccessAt),
    expires_at: toTimestamp(expiresAt),
    source_identity: sourceIdentity ?? null,
    log_head: logHead === undefined ? null : Buffer.from(logHead, 'hex'),
  }
}

/** Reads the key of a row of `sessions`. Throws `STORE_INVALID`. */
export function idOf(row: Row): SessionId {
  const id = text(row, 'id')
  if (!isSessionId(id)) throw invalid(row, 'id')
  return id
}

/** Reads a whole row of `sessions`. Throws `STORE_INVALID`. */
export function fromRow(row: Row): Session {
  const [end, revocation] = [endOf(row), revocationOf(row)]
  const status = revocation ? 'revoked' : end ? 'expired' : 'active'
  if (row.status !== status || (end && revocation)) throw invalid(row, 'status')
  return {
    id: idOf(row),
    user: text(row, 'user'),
    principal: text(row, 'principal'),
    profile: text(row, 'profile'),
    ...optional('roleArn', row, 'role_arn', text),
    serverInstanceId: text(row, 'server_instance_id'),
    startedAt: instant(row, 'started_at'),
    host: text(row, 'host'),
    pid: integer(row, 'pid'),
    version: text(row, 'version'),
    requestCount: integer(row, 'request_count'),
    ...optional('lastAccessAt', row, 'last_access_at', instant),
    expiresAt: instant(row, 'expires_at'),
    leaseUntil: instant(row, 'lease_until'),
    ...optional('sourceIdentity', row, 'source_identity', text),
    ...optional('logHead', row, 'log_head', headOf),
    createdAt: instant(row, 'created_at'),
    updatedAt: instant(row, 'updated_at'),
    ...(end && { end }),
    ...(revocation && { revocation }),
  }
}

function headOf(row: Row, column: string): string {
  return bytes(row, column, SHORT_HASH_LENGTH / 2)
}

function endOf(row: Row): SessionEnd | undefined {
  if (row.ended_at === null) return undefined
  return { at: instant(row, 'ended_at'), reason: text(row, 'end_reason') }
}

function revocationOf(row: Row): Revocation | undefined {
  if (row.revoked_at === null) return undefined
  return {
    at: instant(row, 'revoked_at'),
    by: text(row, 'revoked_by'),
    reason: text(row, 'revoked_reason'),
  }
}
