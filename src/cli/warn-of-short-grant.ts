import { LEAST_USABLE_GRANT } from '../app/plan-duration.ts'
import { formatDuration } from '../domain/duration.ts'
import { MINUTE, SECOND } from '../domain/time.ts'
import type { Notices } from '../ports/notices.ts'

/** What somebody may need to type the next command, in seconds. */
const A_MOMENT = (2 * MINUTE) / SECOND

/** Warns of a grant that is over before anybody can use it: its `duration` is in seconds. */
export function warnOfShortGrant(duration: number, notices: Pick<Notices, 'warn'>): void {
  if (duration >= LEAST_USABLE_GRANT + A_MOMENT) return
  notices.warn(
    `${formatDuration(duration)} may be too short to be used: STS issues credentials for no less ` +
      'than 15m, and none outlives the grant',
    'give 30m or more',
  )
}
