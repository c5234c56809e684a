import type { RequestStatus } from '../domain/access-request.ts'
import { isSameParty, type Party } from '../domain/party.ts'
import type { Instant } from '../domain/time.ts'
import type { RequestQuery } from '../ports/request-store.ts'
import { patiently } from './patience.ts'
import type { Actor, RequestDeps } from './request-deps.ts'
import { announce } from './request-news.ts'
import { mayReview } from './review-rights.ts'
import { settleQuietly } from './settle-request.ts'
import { type ShownRequest, showRequest } from './shown-request.ts'

/** Which requests somebody wants to see; all that is given must hold. */
export interface RequestFilter {
  /** Those of this person, whatever the permission set. */
  readonly mine?: Party
  /** Those that wait for this approver. */
  readonly forReviewer?: Actor
  /** A user part, or a person: `alice`, `sso:alice@corp.example`. */
  readonly requester?: string
  readonly profile?: string
  readonly status?: RequestStatus
  /** Made then or later. */
  readonly since?: Instant
  /** At most so many, the newest. */
  readonly limit?: number
}

type ListDeps = Omit<RequestDeps, 'log'>

/**
 * The requests that `filter` lets through, newest first: without any filter those that wait for a
 * decision. Holds none of them. `onPage` hears how many were looked at so far.
 */
export async function* listRequests(
  deps: ListDeps,
  filter: RequestFilter,
  onPage: (seen: number) => void = () => {},
): AsyncGenerator<ShownRequest, void, undefined> {
  const { store, clock, digest } = deps
  const query = toQuery(filter)
  const found = patiently((signal, renew) =>
    store.list(query, signal, (seen) => {
      renew()
      onPage(seen)
    }),
  )
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for await (const filed of found) {
    const shown = showRequest(filed, digest, clock.aws())
    if (query.which === 'undecided' && shown.state.status !== 'pending') await settle(deps, shown)
    if (!isWanted(shown, filter, deps)) continue
    yield shown
    left -= 1
    // Before the next one is asked for: it may be pages away.
    if (left === 0) return
  }
}

function toQuery(filter: RequestFilter): RequestQuery {
  const { mine, requester, profile, since } = filter
  // Only a person has a kind, and only persons are looked up: a user part is held against each.
  const person = mine?.person ?? (requester?.includes(':') ? requester : undefined)
  return {
    which: asksForPending(filter) ? 'undecided' : 'all',
    ...(person !== undefined && { person }),
    ...(profile !== undefined && { profile }),
    ...(since !== undefined && { since }),
  }
}

function asksForPending({ status, forReviewer, limit: _, ...others }: RequestFilter): boolean {
  if (status !== undefined) return status === 'pending'
  return forReviewer !== undefined || Object.keys(others).length === 0
}

function isWanted(
  { filed, state, reviews }: ShownRequest,
  filter: RequestFilter,
  { policy }: ListDeps,
): boolean {
  const { request } = filed
  const { status, requester, forReviewer } = filter
  const wanted = status ?? (asksForPending(filter) ? 'pending' : undefined)
  if (wanted !== undefined && state.status !== wanted) return false
  const { user, person } = request.requester
  if (requester !== undefined && requester !== user && requester !== person) return false
  if (forReviewer === undefined) return true
  const isDone = reviews.some(({ review }) => isSameParty(review.reviewer, forReviewer.party))
  return state.status === 'pending' && !isDone && mayReview(policy, request, forReviewer)
}

/** Takes one off the undecided ones that time or its reviews have decided. */
async function settle(deps: ListDeps, shown: ShownRequest): Promise<void> {
  const { status, expiresAt } = shown.state
  // Everything else was announced by whoever did it.
  const isNews = status === 'expired'
  const notifications = isNews
    ? announce(deps, { event: 'request.expired', at: expiresAt }, shown)
    : []
  await settleQuietly(deps.store, shown.filed.request.id, notifications)
}
