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
import { binary, type Item, integer, openRow, type Row, text, time } from './attributes.ts'
import { dayPartitionOf, spread } from './day-partitions.ts'

/** Values of `live`: over how many partitions the sessions that are not over are spread. */
export const LIVE_PARTITIONS = ['0', '1', '2', '3', '4', '5', '6', '7'] as const

/** The row of a session that starts, or of one that ended before it could be written. */
export function toItem(
  session: SessionStart & SessionProgress & { readonly end?: SessionEnd },
): Item {
  const { id, startedAt, end, roleArn } = session
  return {
    id: text(id),
    user: text(session.user),
    principal: text(session.principal),
    profile: text(session.profile),
    ...(roleArn !== undefined && { role_arn: text(roleArn) }),
    server_instance_id: text(session.serverInstanceId),
    status: text('active'),
    started_at: time(startedAt),
    created_at: time(startedAt),
    updated_at: time(startedAt),
    host: text(session.host),
    pid: integer(session.pid),
    version: text(session.version),
    day: text(dayPartitionOf(startedAt, id)),
    ...(end === undefined && { live: text(String(spread(id, LIVE_PARTITIONS.length))) }),
    ...progressOf(session),
    ...(end !== undefined && endOf(session, end)),
  }
}

/** The attributes that tell of progress. `ttl` goes with them, or a long session would vanish. */
export function progressOf(progress: SessionProgress): Item {
  const { lastAccessAt, expiresAt, leaseUntil } = progress
  return {
    ...handedOutOf(progress),
    ...(lastAccessAt !== undefined && { last_access_at: time(lastAccessAt) }),
    lease_until: time(leaseUntil),
    ttl: integer(removableAt(expiresAt, leaseUntil)),
  }
}

/** Of {@link progressOf} what still counts once the session is revoked. */
export function handedOutOf(progress: SessionProgress): Item {
  const { requestCount, lastAccessAt, expiresAt, leaseUntil, sourceIdentity, logHead } = progress
  return {
    request_count: integer(requestCount),
    ...(lastAccessAt !== undefined && { last_access_at: time(lastAccessAt) }),
    expires_at: time(expiresAt),
    ...(sourceIdentity !== undefined && { source_identity: text(sourceIdentity) }),
    ...(logHead !== undefined && { log_head: binary(logHead) }),
    ttl: integer(removableAt(expiresAt, leaseUntil)),
  }
}

/** The attributes that an end sets, after those of its last `progress`. */
export function endOf({ expiresAt }: SessionProgress, { at, reason }: SessionEnd): Item {
  return {
    status: text('expired'),
    ended_at: time(at),
    end_reason: text(reason),
    updated_at: time(at),
    ttl: integer(removableAt(at, expiresAt)),
  }
}

/** The attributes that a revocation sets, and nothing else does. */
export function revocationOf({ at, by, reason }: Revocation): Item {
  return {
    status: text('revoked'),
    revoked_at: time(at),
    revoked_by: text(by),
    revoked_reason: text(reason),
    updated_at: time(at),
  }
}

/** Reads a row back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function fromItem(item: Item, location: string): Session {
  const row = openRow(item, location)
  const roleArn = row.optional('role_arn', row.text)
  const lastAccessAt = row.optional('last_access_at', row.instant)
  const sourceIdentity = row.optional('source_identity', row.text)
  const logHead = row.optional('log_head', (name) => row.binary(name, SHORT_HASH_LENGTH / 2))
  return {
    id: readId(row),
    user: row.text('user'),
    principal: row.text('principal'),
    profile: row.text('profile'),
    ...(roleArn !== undefined && { roleArn }),
    serverInstanceId: row.text('server_instance_id'),
    startedAt: row.instant('started_at'),
    host: row.text('host'),
    pid: row.integer('pid'),
    version: row.text('version'),
    requestCount: row.integer('request_count'),
    ...(lastAccessAt !== undefined && { lastAccessAt }),
    expiresAt: row.instant('expires_at'),
    leaseUntil: row.instant('lease_until'),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    ...(logHead !== undefined && { logHead }),
    createdAt: row.instant('created_at'),
    updatedAt: row.instant('updated_at'),
    ...readFate(row),
  }
}

function readId(row: Row): SessionId {
  const id = row.text('id')
  if (isSessionId(id)) return id
  throw row.invalid('its id is not that of a session')
}

/**
 * What became of the session. The latches count, whatever `status` says; a `status` that promises
 * one which is not there is of somebody else's making, and must not pass for active.
 */
function readFate(row: Row): Pick<Session, 'end' | 'revocation'> {
  const status = row.text('status')
  switch (status) {
    case 'active':
    case 'expired':
    case 'revoked':
      return {
        ...((status === 'expired' || row.has('ended_at')) && { end: readEnd(row) }),
        ...((status === 'revoked' || row.has('revoked_at')) && { revocation: readRevocation(row) }),
      }
    default:
      throw row.invalid(`unknown status ${JSON.stringify(status.slice(0, 40))}`)
  }
}

function readEnd(row: Row): SessionEnd {
  return { at: row.instant('ended_at'), reason: row.text('end_reason') }
}

function readRevocation(row: Row): Revocation {
  return {
    at: row.instant('revoked_at'),
    by: row.text('revoked_by'),
    reason: row.text('revoked_reason'),
  }
}
