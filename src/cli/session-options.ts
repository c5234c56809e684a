import type { SessionFilter } from '../app/list-sessions.ts'
import { type LockScope, SESSION_STATUSES, type SessionStatus } from '../domain/session.ts'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import type { Input, OptionSpecs } from './command.ts'
import { POLICY_OPTIONS } from './issue-options.ts'
import { readTime } from './read-time.ts'

/** What every command about sessions understands: the store, or the policy that names it. */
export const SESSION_OPTIONS = {
  'session-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'The sessions in this DynamoDB table',
  },
  'session-store': {
    type: 'string',
    value: 'LOCATION',
    summary: 'The sessions in local, sqlite:PATH or dynamodb:[REGION:]TABLE',
  },
  ...POLICY_OPTIONS,
} as const satisfies OptionSpecs

/** Which sessions to show. */
export const FILTER_OPTIONS = {
  user: { type: 'string', value: 'USER', summary: 'Only those of this user, over ones as well' },
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'Only those for this profile, over ones as well',
  },
  status: {
    type: 'string',
    value: 'STATUS',
    summary: 'Only active, stale, expired or revoked ones',
  },
  since: { type: 'string', value: 'TIME', summary: 'Only those started since then: 2h, or a time' },
  limit: { type: 'string', value: 'N', summary: 'At most so many, the newest' },
} as const satisfies OptionSpecs

/** Reads the {@link FILTER_OPTIONS}. Throws `USAGE`. */
export function readFilter(
  { user, profile, status, since, limit }: Input<typeof FILTER_OPTIONS>['options'],
  now: Instant,
): SessionFilter {
  return {
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
    ...(status !== undefined && { status: readStatus(status) }),
    ...(since !== undefined && { since: readTime('--since', since, now, 'ago') }),
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

/** Whom an order about many is about. */
export const SCOPE_OPTIONS = {
  user: { type: 'string', value: 'USER', summary: 'Everything of this user' },
  profile: { type: 'string', value: 'PROFILE', summary: 'Everything for this profile' },
  all: { type: 'boolean', summary: 'Everything of everyone' },
} as const satisfies OptionSpecs

/** The scopes that the {@link SCOPE_OPTIONS} name: none, one, or too many. */
export function readScopes({
  user,
  profile,
  all,
}: Input<typeof SCOPE_OPTIONS>['options']): readonly LockScope[] {
  return [
    ...(user === undefined ? [] : [{ kind: 'user', name: user } as const]),
    ...(profile === undefined ? [] : [{ kind: 'profile', name: profile } as const]),
    ...(all ? [{ kind: 'all' } as const] : []),
  ]
}

function readStatus(text: string): SessionStatus {
  const status = SESSION_STATUSES.find((known) => known === text)
  if (status) return status
  const near = nearest(text, SESSION_STATUSES)
  throw new SentinelError('USAGE', `unknown status "${text}"`, {
    hint: near ? `did you mean ${near}?` : `a session is ${SESSION_STATUSES.join(', ')}`,
  })
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SentinelError('USAGE', `--limit is not a number of sessions: "${text}"`, {
    hint: 'write a whole number from 1',
  })
}
