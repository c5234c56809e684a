import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

/** AWS time; while that is unknown for the clock's skew, local time: even this is recorded. */
export function logTime(clock: Clock): Instant {
  try {
    return clock.aws()
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    return clock.now().wall
  }
}
