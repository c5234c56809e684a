import type { Digest } from '../domain/access-request.ts'
import type { Party } from '../domain/party.ts'
import type { Policy } from '../domain/policy/types.ts'
import type { Principal } from '../domain/principal.ts'
import type { Clock } from '../ports/clock.ts'
import type { RequestStore } from '../ports/request-store.ts'
import type { ActLog } from './act-log.ts'

/** Somebody whom STS named, in both forms. */
export interface Actor {
  readonly principal: Principal
  readonly party: Party
}

/** What everything is done with that changes what is kept of a request. */
export interface RequestDeps {
  readonly store: RequestStore
  /** As it is now. */
  readonly policy: Policy
  readonly clock: Pick<Clock, 'aws'>
  readonly digest: Digest
  readonly newId: () => string
  readonly log: ActLog
}
