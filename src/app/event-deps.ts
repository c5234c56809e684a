import type { Digest } from '../domain/access-request.ts'
import type { Policy } from '../domain/policy/types.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { ActLog } from './act-log.ts'

/** What everything is done with that changes what is kept of a break-glass event. */
export interface EventDeps {
  readonly store: BreakGlassStore
  /** As it is now. */
  readonly policy: Policy
  readonly clock: Pick<Clock, 'aws'>
  readonly digest: Digest
  readonly newId: () => string
  readonly log: ActLog
}
