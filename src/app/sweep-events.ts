import type { Digest, FiledRequest } from '../domain/access-request.ts'
import { eventEnd, type FiledEvent } from '../domain/break-glass.ts'
import type { Policy } from '../domain/policy/types.ts'
import { MINUTE } from '../domain/time.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { RequestStore } from '../ports/request-store.ts'
import { announceEvent } from './event-news.ts'
import { patience, patiently } from './patience.ts'
import { announce } from './request-news.ts'
import { showEvent } from './shown-event.ts'
import { showRequest } from './shown-request.ts'

/** How many are looked at in one sweep: what is left is for the next. */
const MOST_LOOKED_AT = 2000

/** A review that was made in time may come into sight that much later. */
const LAG = MINUTE

interface SweepDeps<Store> {
  readonly store: Store
  readonly policy: Policy
  readonly clock: Pick<Clock, 'aws'>
  readonly digest: Digest
  readonly newId: () => string
}

type Requests = Pick<RequestStore, 'list' | 'settle'>
type Events = Pick<BreakGlassStore, 'list' | 'announce' | 'settle'>

/**
 * Queues what time did to requests and no command said: that they expired, and nobody had decided.
 * Each is said once, whoever sweeps. Resolves to how many it was the first to say. Rejects as the
 * store does.
 */
export async function sweepRequests(
  deps: SweepDeps<Requests>,
  onPage: (seen: number) => void = () => {},
): Promise<number> {
  let count = 0
  for await (const filed of walk(deps.store, { which: 'undecided' }, onPage)) {
    if (await sweepRequest(deps, filed)) count += 1
  }
  return count
}

/**
 * As {@link sweepRequests}: that break-glass events ran out, and that their reviews are overdue.
 */
export async function sweepBreakGlass(
  deps: SweepDeps<Events>,
  onPage: (seen: number) => void = () => {},
): Promise<number> {
  let count = 0
  for await (const filed of walk(deps.store, { which: 'open' }, onPage)) {
    count += await sweepEvent(deps, filed)
  }
  return count
}

/** Says whether there was something to say. */
async function sweepRequest(deps: SweepDeps<Requests>, filed: FiledRequest): Promise<boolean> {
  const { store, clock, digest } = deps
  const shown = showRequest(filed, digest, clock.aws() - LAG)
  const { status, expiresAt } = shown.state
  if (status === 'pending') return false
  const { id } = filed.request
  // Whoever decided has announced it.
  if (status !== 'expired') {
    await store.settle(id, [], patience())
    return false
  }
  const notifications = announce(deps, { event: 'request.expired', at: expiresAt }, shown)
  return store.settle(id, notifications, patience())
}

/** Says how much there was to say. */
async function sweepEvent(deps: SweepDeps<Events>, filed: FiledEvent): Promise<number> {
  const { store, clock, digest } = deps
  const shown = showEvent(filed, digest, clock.aws())
  const { status, endsAt: at, reviewBy } = shown.state
  if (status === 'live') return 0
  const { id } = filed.event
  let count = 0
  // Whoever closed one early has announced it.
  if (at === eventEnd({ event: filed.event })) {
    const notifications = announceEvent(deps, 'break_glass.expired', { shown, at })
    if (await store.announce(id, 'expired', notifications, patience())) count += 1
  }
  if (status === 'overdue' && reviewBy !== undefined) {
    const notifications = announceEvent(deps, 'break_glass.overdue', { shown, at: reviewBy })
    if (await store.announce(id, 'overdue', notifications, patience())) count += 1
  }
  // Last: one that is no longer open is not swept again.
  if (status === 'reviewed' || status === 'ended') await store.settle(id, patience())
  return count
}

function walk<Item, Query>(
  store: {
    list(query: Query, signal: AbortSignal, onPage?: (seen: number) => void): AsyncIterable<Item>
  },
  query: Query,
  onPage: (seen: number) => void,
): AsyncIterable<Item> {
  return firstOf(
    MOST_LOOKED_AT,
    patiently((signal, renew) =>
      store.list(query, signal, (seen) => {
        renew()
        onPage(seen)
      }),
    ),
  )
}

async function* firstOf<Item>(most: number, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  let left = most
  for await (const item of items) {
    yield item
    left -= 1
    if (left === 0) return
  }
}
