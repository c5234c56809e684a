import { type Digest, grantOfRequest, REQUEST_LIFE } from '../domain/access-request.ts'
import { eventEnd, type FiledEvent, grantOfEvent } from '../domain/break-glass.ts'
import type { Grant, Policy } from '../domain/policy/types.ts'
import { HOUR, toSeconds } from '../domain/time.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { GrantStores } from '../ports/grant-stores.ts'
import type { RequestStore } from '../ports/request-store.ts'
import { patience } from './patience.ts'
import { withRightfulApprovals } from './review-rights.ts'
import { describeState, showRequest } from './shown-request.ts'
import { choosePlace } from './store-place.ts'

export interface StoreGrantsDeps {
  readonly stores: GrantStores
  /** The policy as it is now: it names the stores, and may have no use for any. */
  readonly policy: () => Policy | undefined
  readonly digest: Digest
  readonly clock: Pick<Clock, 'aws'>
}

/** Whatever is live was asked for, or began, no longer ago: a day to be approved, 12 h at most. */
const LOOKED_BACK = REQUEST_LIFE + 12 * HOUR

/**
 * The grants that requests and break-glass events are: looked up in the stores that the policy, or
 * else a flag or a setting names.
 */
export class StoreGrants implements GrantSource {
  readonly #deps: StoreGrantsDeps
  readonly #requests = new Map<string, Promise<RequestStore>>()
  readonly #events = new Map<string, Promise<BreakGlassStore>>()
  /** The ids of all grants that were seen live. */
  readonly #seen = new Set<string>()
  #ended: string | undefined

  constructor(deps: StoreGrantsDeps) {
    this.#deps = deps
  }

  assertPlaces(): void {
    this.#places()
  }

  async live(person: string, profile: string): Promise<readonly Grant[]> {
    const { requests, breakGlass } = this.#places()
    const found = await Promise.all([
      requests === undefined ? [] : this.#approved(requests, person, profile),
      breakGlass === undefined ? [] : this.#broken(breakGlass, person, profile),
    ])
    const grants = found.flat()
    for (const { id } of grants) this.#seen.add(id)
    return grants
  }

  ended(): string | undefined {
    return this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = [...this.#requests.values(), ...this.#events.values()]
    this.#requests.clear()
    this.#events.clear()
    for (const store of await Promise.allSettled<RequestStore | BreakGlassStore>(opened)) {
      if (store.status === 'fulfilled') await store.value[Symbol.asyncDispose]()
    }
  }

  /** Where to look: nowhere for what no rule of the policy could lift anything with. */
  #places(): { readonly requests?: string | undefined; readonly breakGlass?: string | undefined } {
    const policy = this.#deps.policy()
    if (!policy) return {}
    const { configured, resolve } = this.#deps.stores
    const place = (kept: string, named: string | undefined, own: typeof configured.requests) =>
      choosePlace(kept, named, { configured: own, resolve })
    const requests = place('requests', policy.stores.requests, configured.requests)
    const breakGlass = place('break-glass events', policy.stores.breakGlass, configured.breakGlass)
    return {
      ...(policy.approvals.length > 0 && { requests }),
      ...(policy.breakGlass.length > 0 && { breakGlass }),
    }
  }

  async #approved(place: string, person: string, profile: string): Promise<Grant[]> {
    const { stores, clock, digest, policy } = this.#deps
    const store = await opened(this.#requests, place, async () => {
      if (policy()?.stores.requests !== undefined) await stores.claim(place)
      return stores.openRequests(place)
    })
    const now = clock.aws()
    const grants: Grant[] = []
    const query = { person, since: now - LOOKED_BACK, which: 'all' } as const
    for await (const filed of store.list(query, patience())) {
      const current = policy()
      if (filed.request.profile !== profile || !current) continue
      const rightful = withRightfulApprovals(current, filed)
      const grant = grantOfRequest(rightful, digest, now)
      if (grant) grants.push({ ...grant, store: store.location })
      else if (this.#seen.delete(filed.request.id)) {
        const { id } = filed.request
        this.#ended = `request ${id} ${describeState(showRequest(rightful, digest, now))}`
      }
    }
    return grants
  }

  async #broken(place: string, person: string, profile: string): Promise<Grant[]> {
    const { stores, clock, policy } = this.#deps
    const store = await opened(this.#events, place, async () => {
      if (policy()?.stores.breakGlass !== undefined) await stores.claim(place)
      return stores.openBreakGlass(place)
    })
    const now = clock.aws()
    const grants: Grant[] = []
    const query = { person, since: now - LOOKED_BACK, which: 'all' } as const
    for await (const filed of store.list(query, patience())) {
      if (filed.event.profile !== profile) continue
      const grant = grantOfEvent(filed, now)
      if (grant) grants.push({ ...grant, store: store.location })
      else if (this.#seen.delete(filed.event.id)) this.#ended = describeEndOf(filed)
    }
    return grants
  }
}

/** `break-glass event mz…ya was closed by carol: the database is up`. */
function describeEndOf({ event, closed }: FiledEvent): string {
  const what = `break-glass event ${event.id}`
  if (!closed) return `${what} ended at ${toSeconds(eventEnd({ event }))}`
  return `${what} was closed by ${closed.by}${closed.reason ? `: ${closed.reason}` : ''}`
}

/** The store at `place`, opened once; what failed to open is tried again next time. */
function opened<Store>(
  stores: Map<string, Promise<Store>>,
  place: string,
  open: () => Promise<Store>,
): Promise<Store> {
  const store = stores.getOrInsertComputed(place, open)
  store.catch(() => stores.delete(place))
  return store
}
