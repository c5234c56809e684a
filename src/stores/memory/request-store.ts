import {
  type AccessRequest,
  type AccessRequestId,
  type Act,
  type FiledRequest,
  type Review,
  requestText,
} from '../../domain/access-request.ts'
import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { RequestQuery, RequestStore } from '../../ports/request-store.ts'
import { assertAwaited } from './assert-awaited.ts'
import {
  claimNotification,
  dueNotifications,
  type MemoryOutbox,
  putNotifications,
} from './outbox.ts'

/** What a {@link MemoryRequestStore} keeps: two stores over one set of rows are one place. */
export interface MemoryRequestRows {
  readonly requests: Map<AccessRequestId, Kept>
  /** By request and by UserId. */
  readonly reviews: Map<AccessRequestId, Map<string, Review>>
  readonly outbox: MemoryOutbox
}

interface Kept extends Omit<FiledRequest, 'reviews'> {
  readonly isPending: boolean
}

/** Keeps access requests in this process only, and forgets them with it. */
export class MemoryRequestStore implements RequestStore {
  // Every method reads and writes without awaiting in between: that is what makes it atomic. What
  // may be refused, the notifications, is written first.
  readonly location = 'memory:'
  readonly #requests: MemoryRequestRows['requests']
  readonly #reviews: MemoryRequestRows['reviews']
  readonly #outbox: MemoryOutbox

  constructor(
    rows: MemoryRequestRows = { requests: new Map(), reviews: new Map(), outbox: new Map() },
  ) {
    this.#requests = rows.requests
    this.#reviews = rows.reviews
    this.#outbox = rows.outbox
  }

  async create(
    request: AccessRequest,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    assertAwaited(signal)
    const found = this.#requests.get(request.id)
    if (found && requestText(found.request) === requestText(request)) return
    if (found) {
      throw new SentinelError('REQUEST_EXISTS', `another access request has the id ${request.id}`)
    }

    putNotifications(this.#outbox, notifications)
    this.#requests.set(request.id, { request, isPending: !request.isAutomatic })
  }

  async get(id: AccessRequestId, signal: AbortSignal): Promise<FiledRequest | undefined> {
    assertAwaited(signal)
    const kept = this.#requests.get(id)
    return kept && this.#filed(kept)
  }

  async find(prefix: string, signal: AbortSignal): Promise<readonly AccessRequestId[]> {
    assertAwaited(signal)
    const begins = (id: AccessRequestId) => id.startsWith(prefix)
    return this.#requests.keys().filter(begins).take(10).toArray()
  }

  async review(
    review: Review,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | Review> {
    assertAwaited(signal)
    const reviews = this.#reviews.getOrInsertComputed(review.requestId, () => new Map())
    const found = reviews.get(review.reviewer.principalId)
    if (found) return found

    putNotifications(this.#outbox, notifications)
    reviews.set(review.reviewer.principalId, review)
    return 'written'
  }

  async cancel(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#latch('cancelled', { id, act, notifications }, signal)
  }

  async revoke(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#latch('revoked', { id, act, notifications }, signal)
  }

  async settle(
    id: AccessRequestId,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    assertAwaited(signal)
    const kept = this.#requests.get(id)
    if (!kept?.isPending) return false

    putNotifications(this.#outbox, notifications)
    this.#requests.set(id, { ...kept, isPending: false })
    return true
  }

  async *list(
    query: RequestQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncGenerator<FiledRequest> {
    assertAwaited(signal)
    onPage?.(this.#requests.size)
    const newestFirst = [...this.#requests.values()]
      .filter((kept) => matches(query, kept))
      .toSorted((a, b) => b.request.createdAt - a.request.createdAt)
    for (const kept of newestFirst) {
      assertAwaited(signal)
      yield this.#filed(kept)
    }
  }

  async due(
    now: Instant,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly QueuedNotification[]> {
    assertAwaited(signal)
    return dueNotifications(this.#outbox, now, limit)
  }

  async claim(
    notification: QueuedNotification,
    nextAt: Instant,
    signal: AbortSignal,
  ): Promise<boolean> {
    assertAwaited(signal)
    return claimNotification(this.#outbox, notification, nextAt)
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    assertAwaited(signal)
    this.#outbox.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #latch(
    what: 'cancelled' | 'revoked',
    {
      id,
      act,
      notifications,
    }: {
      readonly id: AccessRequestId
      readonly act: Act
      readonly notifications: readonly Notification[]
    },
    signal: AbortSignal,
  ): 'written' | 'already' | 'missing' {
    assertAwaited(signal)
    const kept = this.#requests.get(id)
    if (!kept) return 'missing'
    if (kept[what]) return 'already'

    putNotifications(this.#outbox, notifications)
    this.#requests.set(id, { ...kept, [what]: act, isPending: false })
    return 'written'
  }

  #filed({ isPending: _, ...filed }: Kept): FiledRequest {
    return { ...filed, reviews: [...(this.#reviews.get(filed.request.id)?.values() ?? [])] }
  }
}

function matches({ person, profile, since, which }: RequestQuery, kept: Kept): boolean {
  const { request, isPending } = kept
  return (
    (person === undefined || request.requester.person === person) &&
    (profile === undefined || request.profile === profile) &&
    (since === undefined || request.createdAt >= since) &&
    (which === 'all' || isPending)
  )
}
