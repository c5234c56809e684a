import { openActLog } from '../app/act-log.ts'
import type { RequestDeps } from '../app/request-deps.ts'
import type { Caller, Deps, OpenedGrants } from '../deps.ts'
import type { RequestStore } from '../ports/request-store.ts'

/** What a use case about requests needs, when `actor` does it. */
export function openRequestDeps(
  { store, policy, record }: OpenedGrants<RequestStore>,
  { party }: Caller,
  { clock, digest, newId, notices }: Pick<Deps, 'clock' | 'digest' | 'newId' | 'notices'>,
): RequestDeps {
  const log = openActLog({ record, notices }, { actor: party, policy, location: store.location })
  return { store, policy: policy.policy, clock, digest, newId, log }
}
