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
import { type Item, time } from './attributes.ts'
import { keysThatBegin } from './index-walk.ts'
import { DynamoDBOutbox } from './outbox.ts'
import {
  fromRequestItem,
  fromReviewItem,
  type Latch,
  latchOf,
  REQUEST_PREFIX,
  requestIdIn,
  requestKey,
  reviewKey,
  toRequestItem,
  toReviewItem,
} from './request-item.ts'
import { listRequests, readReviews } from './request-list.ts'
import { DynamoDBTable, type TableAccess } from './table.ts'
import { type TransactionWrite, transact } from './transaction.ts'

// Without it an update makes the row that is not there.
const EXISTS = 'attribute_exists(#id)'

const MOST_FOUND = 10

interface DynamoDBRequestStoreOptions extends TableAccess {
  /** In AWS time: where listing all requests begins. */
  readonly now: () => Instant
  readonly close?: (() => void) | undefined
}

/** Writes, and what they announce: all of it or nothing. */
interface Filing {
  readonly writes: readonly TransactionWrite[]
  readonly notifications: readonly Notification[]
}

/**
 * Keeps access requests, their reviews and announcements in one DynamoDB table, `REQUESTS_TABLE`,
 * of one's own account or of another: shared by all who may read and write it.
 */
export class DynamoDBRequestStore implements RequestStore {
  readonly location: string
  readonly #access: TableAccess
  readonly #table: DynamoDBTable
  readonly #outbox: DynamoDBOutbox
  readonly #now: () => Instant
  readonly #close: () => void

  constructor({ now, close = () => {}, ...access }: DynamoDBRequestStoreOptions) {
    this.location = access.location
    this.#access = { ...access, kind: 'requests' }
    this.#table = new DynamoDBTable(this.#access)
    this.#outbox = new DynamoDBOutbox(this.#table, { name: 'gsi-pending', partition: 'pending' })
    this.#now = now
    this.#close = close
  }

  async create(
    request: AccessRequest,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    const { id } = request
    const { id: _key, ...set } = toRequestItem(request)
    // An update of what is not there, not a put: so nobody needs the right to put a request, with
    // which a row could be put anew, without its revocation.
    const writes = [{ update: requestKey(id), set, condition: 'attribute_not_exists(#id)' }]
    const refusals = await this.#file({ writes, notifications }, signal)
    if (refusals.size === 0) return
    const item = await this.#refused(refusals.get(0), requestKey(id), signal)
    const found = item && fromRequestItem(item, this.location)
    // We may have said it before, and not heard the answer.
    if (found && requestText(found.request) === requestText(request)) return
    throw new SentinelError('REQUEST_EXISTS', `another access request has the id ${id}`)
  }

  async get(id: AccessRequestId, signal: AbortSignal): Promise<FiledRequest | undefined> {
    const [item, reviews] = await Promise.all([
      this.#read(requestKey(id), signal),
      readReviews(this.#table, id, signal),
    ])
    return item && { ...fromRequestItem(item, this.location), reviews }
  }

  async find(prefix: string, signal: AbortSignal): Promise<readonly AccessRequestId[]> {
    const found: AccessRequestId[] = []
    for await (const key of keysThatBegin(this.#table, `${REQUEST_PREFIX}${prefix}`, signal)) {
      const id = requestIdIn(key)
      if (id !== undefined) found.push(id)
      if (found.length === MOST_FOUND) break
    }
    return found
  }

  async review(
    review: Review,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | Review> {
    const { requestId } = review
    const check = { check: requestKey(requestId), condition: EXISTS }
    const writes = [{ put: toReviewItem(review) }, check]
    const refusals = await this.#file({ writes, notifications }, signal)
    if (refusals.size === 0) return 'written'
    if (refusals.has(1)) {
      throw new SentinelError('REQUEST_NOT_FOUND', `no access request has the id ${requestId}`)
    }
    const item = await this.#refused(refusals.get(0), reviewKey(review), signal)
    if (item === undefined) throw this.#changedMeanwhile(requestId)
    return fromReviewItem(item, this.location)
  }

  async cancel(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#latch(id, { latch: 'cancelled', act, notifications }, signal)
  }

  async revoke(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    return this.#latch(id, { latch: 'revoked', act, notifications }, signal)
  }

  async settle(
    id: AccessRequestId,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const settlement = {
      update: requestKey(id),
      set: { settled_at: time(this.#now()) },
      remove: ['pending'],
      condition: 'attribute_exists(#pending)',
    }
    const refusals = await this.#file({ writes: [settlement], notifications }, signal)
    return refusals.size === 0
  }

  list(
    query: RequestQuery,
    signal: AbortSignal,
    onPage: (seen: number) => void = () => {},
  ): AsyncGenerator<FiledRequest> {
    return listRequests(this.#table, query, { now: this.#now(), signal, onPage })
  }

  due(now: Instant, limit: number, signal: AbortSignal): Promise<readonly QueuedNotification[]> {
    return this.#outbox.due(now, limit, signal)
  }

  claim(notification: QueuedNotification, nextAt: Instant, signal: AbortSignal): Promise<boolean> {
    return this.#outbox.claim(notification, nextAt, signal)
  }

  remove(id: string, signal: AbortSignal): Promise<void> {
    return this.#outbox.remove(id, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close()
  }

  async #latch(
    id: AccessRequestId,
    {
      latch,
      act,
      notifications,
    }: {
      readonly latch: Latch
      readonly act: Act
      readonly notifications: readonly Notification[]
    },
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    const done = `${latch}_at`
    const update = {
      update: requestKey(id),
      set: latchOf(latch, act),
      remove: ['pending'],
      condition: `${EXISTS} AND attribute_not_exists(#${done})`,
    }
    const refusals = await this.#file({ writes: [update], notifications }, signal)
    if (refusals.size === 0) return 'written'
    const item = await this.#refused(refusals.get(0), requestKey(id), signal)
    if (item === undefined) return 'missing'
    if (item[done] !== undefined) return 'already'
    throw this.#changedMeanwhile(id)
  }

  /**
   * Resolves to which of `writes` stood against it, by their places: to none when all is written.
   */
  async #file(
    { writes, notifications }: Filing,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, Item | undefined>> {
    const all = [...writes, ...this.#outbox.writes(notifications)]
    const written = await transact(this.#access, all, signal)
    if (written.isMade) return new Map()
    const { refusals } = written
    if (refusals.keys().every((place) => place >= writes.length)) throw this.#outbox.taken()
    return refusals
  }

  /** The row that a write met. Not every backend that speaks DynamoDB brings it along. */
  async #refused(
    item: Item | undefined,
    key: string,
    signal: AbortSignal,
  ): Promise<Item | undefined> {
    return item ?? this.#read(key, signal)
  }

  async #read(key: string, signal: AbortSignal): Promise<Item | undefined> {
    return (await this.#table.read([key], signal)).get(key)
  }

  #changedMeanwhile(id: AccessRequestId): SentinelError {
    const message = `what ${this.location} has of access request ${id} changed meanwhile`
    return new SentinelError('STORE_UNAVAILABLE', message, { hint: 'try again' })
  }
}
