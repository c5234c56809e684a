import { hasCode } from '../errors.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Notices } from '../ports/notices.ts'

/**
 * Closes the log of a run. However that has ended, its last records being lost changes nothing
 * about it: that is told, unless it `isTold` already.
 */
export async function closeLog(
  { log, notices }: { readonly log: DecisionLog; readonly notices: Notices },
  { isTold }: { readonly isTold: boolean },
): Promise<void> {
  try {
    await log[Symbol.asyncDispose]()
  } catch (error) {
    if (!hasCode(error, 'LOG_UNAVAILABLE')) throw error
    if (!isTold) notices.warn(error.message, error.hint)
  }
}
