import type { StreamHead } from '../domain/log-head.ts'
import type { LogRecord } from '../domain/log-record.ts'

/**
 * Where decisions are recorded: append-only, one record a line, chained (design § 9).
 * Safe for several processes on one file.
 */
export interface DecisionLog extends AsyncDisposable {
  /** This run's stream: 20 characters of base32. */
  readonly stream: string

  /**
   * Appends `record` and resolves once it is durable. Rejects with `LOG_UNAVAILABLE` when it cannot
   * be made so; a later append tries again, and finds a line that was torn closed.
   */
  append(record: LogRecord): Promise<void>

  /**
   * Appends `record` without waiting for the disk. Never rejects; a failure shows at the next
   * append.
   */
  note(record: LogRecord): void

  /**
   * This run's last line that is durable, for anchors: `undefined` before the first. It never goes
   * back, and may still be asked when the log is closed.
   */
  head(): StreamHead | undefined
}
