import { findSessionId } from '../../app/find-session.ts'
import { revokeSession } from '../../app/revoke-sessions.ts'
import { openOrderLog } from '../../app/session-orders.ts'
import { type LockScope, parseReason, parseSessionPrefix } from '../../domain/session.ts'
import { HOUR, type Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand, type Input } from '../command.ts'
import { readTime } from '../read-time.ts'
import { type Orders, revokeMany } from '../revoke-many.ts'
import { sessionFields } from '../session-fields.ts'
import { readScopes, SCOPE_OPTIONS, SESSION_OPTIONS } from '../session-options.ts'
import { describeRevoked, describeRevokedBefore, storeFlags } from '../session-words.ts'

const OPTIONS = {
  reason: { type: 'string', value: 'REASON', required: true, summary: 'Why, for the record' },
  ...SCOPE_OPTIONS,
  until: {
    type: 'string',
    value: 'TIME',
    summary:
      'With --user, --profile or --all: until when the lock holds (default: 1h, at most 30d)',
  },
  yes: { type: 'boolean', summary: 'Ask nothing' },
  ...SESSION_OPTIONS,
} as const

type Options = Input<typeof OPTIONS>['options']

const LONGEST_LOCK = 30 * 24 * HOUR

export default defineCommand({
  usage: 'session revoke [id]',
  summary: 'Take credentials away: from one session, or lock a user, a profile or everyone out',
  examples: [
    'session revoke 9f86d081 --reason stolen',
    'session revoke --user alice --reason left --until 7d',
    'session revoke --all --reason incident --yes',
  ],
  options: OPTIONS,

  async run({ args: [id], options }, deps) {
    const reason = parseReason(options.reason)
    const target = readTarget(id, options, deps.clock.aws())
    await using sessions = await deps.openSessions(options)
    const operator = await sessions.operator()
    const { directory, record } = sessions
    const log = openOrderLog({ ...deps, record }, operator, directory.location)
    const orders = { ...deps, directory, log, operator, reason, flags: storeFlags(options) }
    if (typeof target === 'string') await revokeOne(target, orders)
    else await revokeMany({ ...target, isSure: options.yes ?? false }, orders)
    log.assertWritten()
    return undefined
  },
})

/** One session by its id or the beginning of it, or a scope with the end of its lock. */
type Target = string | { readonly scope: LockScope; readonly until: Instant }

function readTarget(id: string | undefined, options: Options, now: Instant): Target {
  const [scope, ...others] = readScopes(options)
  if ((id !== undefined && scope) || others.length > 0) {
    throw new SentinelError('USAGE', 'more than one thing to revoke is named', {
      hint: 'give a session id, or one of --user, --profile and --all',
    })
  }
  if (scope) return { scope, until: readUntil(options.until ?? '1h', now) }
  if (id === undefined) {
    throw new SentinelError('USAGE', 'nothing to revoke is named', {
      hint: 'give a session id, or one of --user, --profile and --all',
    })
  }
  if (options.until !== undefined) {
    throw new SentinelError('USAGE', '--until is for a lock, and one session needs none', {
      hint: 'revoke it without, or lock with --user, --profile or --all',
    })
  }
  return parseSessionPrefix(id)
}

function readUntil(text: string, now: Instant): Instant {
  const until = readTime('--until', text, now, 'ahead')
  if (until > now && until <= now + LONGEST_LOCK) return until
  throw new SentinelError('USAGE', `--until ${text} is not within the next 30 days`, {
    hint: 'lock for 30d at most, and again when that is over',
  })
}

async function revokeOne(prefix: string, orders: Orders): Promise<void> {
  const { directory, clock, out, reason, flags } = orders
  const id = await findSessionId(directory, prefix)
  const { outcome, session } = await revokeSession(orders, id, orders)
  const now = clock.aws()
  const text =
    outcome === 'revoked'
      ? describeRevoked(session, { reason, now, flags })
      : describeRevokedBefore(session, now)
  out.print(text, { outcome, session: sessionFields({ session, status: 'revoked' }) })
}
