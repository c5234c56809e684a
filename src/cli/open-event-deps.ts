import { openActLog } from '../app/act-log.ts'
import type { EventDeps } from '../app/event-deps.ts'
import type { Caller, Deps, OpenedGrants } from '../deps.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'

/** What a use case about break-glass events needs, when `actor` does it. */
export function openEventDeps(
  { store, policy, record }: OpenedGrants<BreakGlassStore>,
  { party }: Caller,
  { clock, digest, newId, notices }: Pick<Deps, 'clock' | 'digest' | 'newId' | 'notices'>,
): EventDeps {
  const log = openActLog({ record, notices }, { actor: party, policy, location: store.location })
  return { store, policy: policy.policy, clock, digest, newId, log }
}
