import type { LogRecord } from '../domain/log-record.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Notices } from '../ports/notices.ts'

/** Who gives an order: a user part with its principal, or `os:NAME`. */
export interface Operator {
  readonly by: string
  /** ARN. Absent where only the operating system says who it is. */
  readonly principal?: string
}

/** What there is to say about an order beside who gave it, when and where. */
type Ordered = Pick<
  LogRecord,
  'session_id' | 'session_user' | 'profile' | 'reason' | 'lock' | 'until' | 'expires_at'
> & { readonly type: 'session.revoked' | 'session.locked' | 'session.unlocked' }

/** Writes orders into the decision log, without standing in their way. */
export interface OrderLog {
  /** Never rejects for a log that cannot be written: an order that stops somebody goes first. */
  write(ordered: Ordered): Promise<void>
  /** Throws `LOG_UNAVAILABLE` if anything of what was ordered could not be written. */
  assertWritten(): void
}

interface OrderLogDeps {
  readonly record: (record: LogRecord) => Promise<void>
  readonly notices: Pick<Notices, 'warn'>
}

/** Opens the log of what `operator` orders of the sessions kept at `location`. */
export function openOrderLog(
  { record, notices }: OrderLogDeps,
  operator: Operator,
  location: string,
): OrderLog {
  let missing = 0
  let cause: SentinelError | undefined
  return {
    async write(ordered) {
      try {
        await record({
          ...ordered,
          user: operator.by,
          ...(operator.principal !== undefined && { principal: operator.principal }),
          session_store: location,
        })
      } catch (error) {
        if (!hasCode(error, 'LOG_UNAVAILABLE')) throw error
        if (missing === 0) notices.warn(`${error.message}: the order goes on`, error.hint)
        missing += 1
        cause = error
      }
    },
    assertWritten() {
      if (missing === 0) return
      const records = missing === 1 ? 'the record' : `${missing} records`
      throw new SentinelError(
        'LOG_UNAVAILABLE',
        `what was ordered is done, but ${records} of it could not be written`,
        { hint: 'note by hand who ordered it and why, and mend the decision log', cause },
      )
    },
  }
}
