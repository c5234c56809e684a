import { countLive, lockScope, type RevocationReport, revokeScope } from '../app/revoke-sessions.ts'
import type { Operator, OrderLog } from '../app/session-orders.ts'
import type { Deps, OpenedSessions } from '../deps.ts'
import { describeScope, type LockScope, type SessionLock, shownStatus } from '../domain/session.ts'
import { type Instant, toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { toJSON } from './output.ts'
import { lockFields, sessionFields } from './session-fields.ts'
import { inOneLine, mayWorkUntil } from './session-table.ts'
import { describeLock, describeRemains, unlockCommand, WHEN_OBEYED } from './session-words.ts'

/** What an order of `session revoke` is carried out with. */
export interface Orders extends Pick<Deps, 'out' | 'clock' | 'notices' | 'confirm'> {
  readonly directory: OpenedSessions['directory']
  readonly log: OrderLog
  readonly operator: Operator
  readonly reason: string
  /** What leads another command to the same store. */
  readonly flags: string
}

interface Bulk {
  readonly scope: LockScope
  /** When the lock ends. */
  readonly until: Instant
  /** Nobody need be asked. */
  readonly isSure: boolean
}

type Outcome = RevocationReport['outcome']

/**
 * Locks a scope, then revokes what is live in it, with a report on each session. Rejects with
 * `STORE_UNAVAILABLE` in the end when some could not be revoked.
 */
export async function revokeMany({ scope, until, isSure }: Bulk, orders: Orders): Promise<void> {
  if (!isSure) await askFor({ scope, until }, orders)
  const lock = await lockScope(orders, { ...orders, scope, until })
  const tally = new Map<Outcome, number>()
  let remains = Number.NEGATIVE_INFINITY
  const report = orders.out.form.value === 'json' ? reportAsJSON(orders) : reportAsText(orders)
  await report.begin(lock)
  try {
    for await (const one of revokeScope(orders, { ...orders, scope })) {
      tally.set(one.outcome, (tally.get(one.outcome) ?? 0) + 1)
      remains = Math.max(remains, one.session.expiresAt)
      await report.add(one)
    }
  } catch (error) {
    orders.notices.warn(
      `broken off: ${summarize(tally)}; the lock holds`,
      'give the same command again: it goes on where this one stopped',
    )
    throw error
  }
  await report.end(tally, { scope, remains })
  assertNoneFailed(tally)
}

async function askFor(
  { scope, until }: Omit<Bulk, 'isSure'>,
  { directory, out, confirm }: Orders,
): Promise<void> {
  let count: number
  try {
    count = await countLive(directory, scope, (seen) => out.progress(`${seen} sessions looked at`))
  } finally {
    out.progress('')
  }
  const sessions = count === 1 ? '1 live session' : `${count} live sessions`
  const question = `Lock ${inOneLine(describeScope(scope))} until ${toSeconds(until)} and revoke ${sessions}?`
  if (await confirm(question, '--yes')) return
  throw new SentinelError('INTERRUPTED', 'nothing was locked or revoked', {
    hint: 'answer yes, or give --yes',
  })
}

/** Tells what becomes of each session, as it happens. */
interface Report {
  begin(lock: SessionLock): Promise<unknown>
  add(report: RevocationReport): Promise<unknown>
  end(
    tally: ReadonlyMap<Outcome, number>,
    rest: { readonly scope: LockScope; readonly remains: Instant },
  ): Promise<unknown>
}

function reportAsText({ out, clock, flags }: Orders): Report {
  const say = (...lines: string[]) => out.stream(`${lines.map(inOneLine).join('\n')}\n`)
  return {
    begin: (lock) => say(describeLock(lock)),
    add(report) {
      const { outcome, session } = report
      const { id, user, profile, expiresAt } = session
      const rest =
        report.outcome === 'failed'
          ? report.error.message
          : `credentials may work until ${mayWorkUntil(expiresAt)}`
      return say(`${outcome.padEnd(15)}  ${id}  ${user} on ${profile}: ${rest}`)
    },
    end: (tally, { scope, remains }) =>
      say(
        `${summarize(tally)}; ${WHEN_OBEYED}`,
        ...(Number.isFinite(remains) ? [describeRemains(remains, clock.aws())] : []),
        `to lift the lock: ${unlockCommand(scope, flags)}`,
      ),
  }
}

function reportAsJSON({ out, clock }: Orders): Report {
  let before = '\n'
  return {
    begin: (lock) => out.stream(`{"lock":${toJSON(lockFields(lock))},"sessions":[`),
    add(report) {
      const { outcome, session } = report
      const status = shownStatus(session, clock.aws())
      const row = {
        outcome,
        ...(report.outcome === 'failed' && { error: report.error.message }),
        session: sessionFields({ session, status }),
      }
      const text = `${before}${toJSON(row)}`
      before = ',\n'
      return out.stream(text)
    },
    end: (tally) => out.stream(`\n],"counts":${toJSON(Object.fromEntries(tally))}}\n`),
  }
}

/** `revoked 3 sessions, 1 was revoked already`. */
function summarize(tally: ReadonlyMap<Outcome, number>): string {
  const revoked = tally.get('revoked') ?? 0
  const others = [...tally]
    .filter(([outcome]) => outcome !== 'revoked')
    .map(([outcome, count]) => `, ${count} ${outcome}`)
  return `revoked ${revoked} ${revoked === 1 ? 'session' : 'sessions'}${others.join('')}`
}

function assertNoneFailed(tally: ReadonlyMap<Outcome, number>): void {
  const failed = tally.get('failed') ?? 0
  if (failed === 0) return
  const all = tally.values().reduce((sum, count) => sum + count, 0)
  throw new SentinelError(
    'STORE_UNAVAILABLE',
    `${failed} of ${all} sessions could not be revoked; the lock holds`,
    { hint: 'give the same command again: it goes on with those' },
  )
}
