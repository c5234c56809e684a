import { randomInt } from 'node:crypto'
import type { Act } from '../../domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  type BreakGlassId,
  type BreakGlassReview,
  eventText,
  type FiledEvent,
} from '../../domain/break-glass.ts'
import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { BreakGlassQuery, BreakGlassStore } from '../../ports/break-glass-store.ts'
import type { Item } from './attributes.ts'
import { type Before, guardWrites, lookBack } from './break-glass-history.ts'
import {
  closingOf,
  eventFromItem,
  eventKey,
  eventReviewFromItem,
  eventReviewKey,
  toEventItem,
  toEventReviewItem,
} from './break-glass-item.ts'
import { EventKeys } from './break-glass-keys.ts'
import { fileEvents, listEvents } from './break-glass-list.ts'
import { tableError } from './faults.ts'
import { DynamoDBOutbox } from './outbox.ts'
import { DynamoDBTable, type TableAccess } from './table.ts'
import { type Transacted, type TransactionWrite, transact } from './transaction.ts'
import { pause } from './until-aborted.ts'

// Without it an update makes the row that is not there.
const EXISTS = 'attribute_exists(#id)'

/** How often an event is begun anew because others began at the same time. */
const MOST_TRIES = 12

const FIRST_PAUSE = 20
const LONGEST_PAUSE = 1000

interface DynamoDBBreakGlassStoreOptions extends TableAccess {
  /** In AWS time: where listing all events begins. */
  readonly now: () => Instant
  readonly close?: (() => void) | undefined
}

/**
 * Keeps break-glass events, their reviews and announcements in one DynamoDB table,
 * `BREAK_GLASS_TABLE`, of one's own account or of another.
 */
export class DynamoDBBreakGlassStore implements BreakGlassStore {
  readonly location: string
  readonly #access: TableAccess
  readonly #table: DynamoDBTable
  readonly #keys: EventKeys
  readonly #outbox: DynamoDBOutbox
  readonly #now: () => Instant
  readonly #close: () => void

  constructor({ now, close = () => {}, ...access }: DynamoDBBreakGlassStoreOptions) {
    this.location = access.location
    this.#access = { ...access, kind: 'break_glass' }
    this.#table = new DynamoDBTable(this.#access)
    this.#keys = new EventKeys(this.#table)
    this.#outbox = new DynamoDBOutbox(this.#table, { name: 'gsi-open', partition: 'open' })
    this.#now = now
    this.#close = close
  }

  async begin(
    event: BreakGlassEvent,
    admit: (history: BreakGlassHistory) => void,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const before = await lookBack(this.#table, event, signal)
      if (before.counted.has(eventKey(event))) return this.#assertSame(event, signal)
      admit(before.history)
      const done = await this.#tryToBegin(event, before, notifications, signal)
      if (done) return
      if (tries === MOST_TRIES) throw this.#busy(tries)
      await this.#wait(randomInt(1, Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE)), signal)
    }
  }

  async get(id: BreakGlassId, signal: AbortSignal): Promise<FiledEvent | undefined> {
    const key = await this.#keys.find(id, signal)
    const item = key && (await this.#table.read([key], signal)).get(key)
    if (!item) return undefined
    const [filed] = await fileEvents(this.#table, [item], signal)
    return filed
  }

  find(prefix: string, signal: AbortSignal): Promise<readonly BreakGlassId[]> {
    return this.#keys.begin(prefix, signal)
  }

  async close(
    id: BreakGlassId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    const change = {
      set: closingOf(act),
      condition: `${EXISTS} AND attribute_not_exists(#closed_at)`,
    }
    return this.#latch(id, change, notifications, signal)
  }

  async review(
    review: BreakGlassReview,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | BreakGlassReview> {
    const put = { put: toEventReviewItem(review) }
    const { isMade, found } = await this.#write(put, notifications, signal)
    if (isMade) return 'written'
    const key = eventReviewKey(review)
    const item = found ?? (await this.#table.read([key], signal)).get(key)
    if (item) return eventReviewFromItem(item, this.location)
    throw this.#busy(1)
  }

  async announce(
    id: BreakGlassId,
    what: 'expired' | 'overdue',
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const latch = `announced_${what}`
    const change = {
      set: { [latch]: { BOOL: true } },
      condition: `${EXISTS} AND attribute_not_exists(#${latch})`,
    }
    return (await this.#latch(id, change, notifications, signal)) === 'written'
  }

  async settle(id: BreakGlassId, signal: AbortSignal): Promise<void> {
    const key = await this.#keys.find(id, signal)
    const removal = { set: {}, remove: ['open'], condition: EXISTS }
    if (key) await transact(this.#access, [{ update: key, ...removal }], signal)
  }

  async *list(
    query: BreakGlassQuery,
    signal: AbortSignal,
    onPage: (seen: number) => void = () => {},
  ): AsyncGenerator<FiledEvent> {
    for await (const filed of listEvents(this.#table, query, {
      now: this.#now(),
      signal,
      onPage,
    })) {
      this.#keys.remember(filed.event)
      yield filed
    }
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

  /** Resolves to `false` when the guards have changed meanwhile: what was looked at is stale. */
  async #tryToBegin(
    event: BreakGlassEvent,
    before: Before,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const guards = guardWrites(before, event, this.location)
    const writes = [{ put: toEventItem(event) }, ...guards, ...this.#outbox.writes(notifications)]
    const outcome = await transact(this.#access, writes, signal)
    if (outcome.isMade) this.#keys.remember(event)
    else if (outcome.refusals.has(0)) await this.#assertSame(event, signal)
    else if (isOutbox(outcome, 1 + guards.length)) throw this.#outbox.taken()
    else return false
    return true
  }

  /** Throws `BREAK_GLASS_EXISTS` unless the event with the key of `event` is this very one. */
  async #assertSame(event: BreakGlassEvent, signal: AbortSignal): Promise<void> {
    const key = eventKey(event)
    const item = (await this.#table.read([key], signal)).get(key)
    const found = item && eventFromItem(item, this.location).event
    if (found && eventText(found) === eventText(event)) return this.#keys.remember(event)
    throw new SentinelError('BREAK_GLASS_EXISTS', `break-glass event ${event.id} is another one`)
  }

  async #latch(
    id: BreakGlassId,
    change: { readonly set: Item; readonly condition: string },
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    const key = await this.#keys.find(id, signal)
    if (!key) return 'missing'
    const { isMade, found } = await this.#write({ update: key, ...change }, notifications, signal)
    if (isMade) return 'written'
    const isThere = found !== undefined || (await this.#table.read([key], signal)).has(key)
    return isThere ? 'already' : 'missing'
  }

  /** Writes one row and what announces it; when it is refused, with the row that was there. */
  async #write(
    write: TransactionWrite,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<{ readonly isMade: boolean; readonly found?: Item | undefined }> {
    const writes = [write, ...this.#outbox.writes(notifications)]
    const outcome = await transact(this.#access, writes, signal)
    if (outcome.isMade) return { isMade: true }
    if (!outcome.refusals.has(0)) throw this.#outbox.taken()
    return { isMade: false, found: outcome.refusals.get(0) }
  }

  async #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    await pause(milliseconds, signal).catch((error: unknown) => {
      throw tableError(error, { ...this.#access, action: 'TransactWriteItems' }, true)
    })
  }

  #busy(tries: number): SentinelError {
    const message = `the store ${this.location} was written by others at each of ${tries} tries`
    return new SentinelError('STORE_UNAVAILABLE', message, { hint: 'try again in a moment' })
  }
}

/**
 * Whether a transaction was refused for a notification: their writes are the last, from `first`.
 */
function isOutbox(outcome: Transacted, first: number): boolean {
  return !outcome.isMade && outcome.refusals.keys().some((place) => place >= first)
}
