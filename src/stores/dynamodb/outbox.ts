import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import type { Instant } from '../../domain/time.ts'
import { hasCode, SentinelError } from '../../errors.ts'
import type { Outbox } from '../../ports/outbox.ts'
import { type Item, integer } from './attributes.ts'
import { inBatches } from './batches.ts'
import {
  attemptOf,
  fromOutboxItem,
  OUTBOX_PARTITION,
  outboxKey,
  toOutboxItem,
} from './outbox-item.ts'
import { BATCH, type DynamoDBTable } from './table.ts'
import type { TransactionWrite } from './transaction.ts'

/** Where in a table notifications are found: the index shares its partition key with others. */
export interface OutboxIndex {
  readonly name: string
  readonly partition: string
}

/** The notifications that wait in a table, beside what they announce. */
export class DynamoDBOutbox implements Outbox {
  readonly #table: DynamoDBTable
  readonly #index: OutboxIndex

  constructor(table: DynamoDBTable, index: OutboxIndex) {
    this.#table = table
    this.#index = index
  }

  /** What puts `notifications`, for the transaction of what they announce. */
  writes(notifications: readonly Notification[]): readonly TransactionWrite[] {
    const { partition } = this.#index
    return notifications.map((notification) => ({ put: toOutboxItem(notification, partition) }))
  }

  /** What a transaction is refused with for one of {@link writes}. */
  taken(): SentinelError {
    const message = `two notifications in ${this.#table.location} have one id`
    return new SentinelError('STORE_INVALID', message)
  }

  /**
   * What cannot be understood must not hold up the others: it is told when nothing else is due.
   */
  async due(
    now: Instant,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly QueuedNotification[]> {
    const due: QueuedNotification[] = []
    const bad: SentinelError[] = []
    for await (const items of this.#waiting(signal)) {
      for (const item of items) {
        const read = this.#read(item)
        if (read instanceof SentinelError) bad.push(read)
        else if (read.nextAt <= now) due.push(read)
      }
      if (due.length >= limit) break
    }
    const [problem] = bad
    if (due.length === 0 && problem) throw problem
    return due.slice(0, limit)
  }

  async claim(
    { id, attempts }: QueuedNotification,
    nextAt: Instant,
    signal: AbortSignal,
  ): Promise<boolean> {
    const change = {
      set: attemptOf(attempts + 1, nextAt),
      condition: '#attempts = :known',
      values: { known: integer(attempts) },
    }
    return (await this.#table.update(outboxKey(id), change, signal)).isMade
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#table.delete(outboxKey(id), signal)
  }

  /** The rows there are, the oldest first. */
  async *#waiting(signal: AbortSignal): AsyncGenerator<readonly Item[]> {
    for await (const ids of inBatches(this.#keys(signal), BATCH)) {
      const items = await this.#table.read(ids, signal)
      yield ids.map((id) => items.get(id)).filter((item) => item !== undefined)
    }
  }

  async *#keys(signal: AbortSignal): AsyncGenerator<string> {
    const { name: index, partition: key } = this.#index
    const query = { index, key, value: OUTBOX_PARTITION, order: 'ascending' } as const
    for await (const page of this.#table.query(query, signal)) {
      // Whoever may write a review could give it the partition, but not the key.
      yield* page.flatMap(({ id }) => (id?.S?.startsWith(outboxKey('')) ? id.S : []))
    }
  }

  #read(item: Item): QueuedNotification | SentinelError {
    try {
      return fromOutboxItem(item, this.#table.location)
    } catch (error) {
      if (hasCode(error, 'STORE_INVALID')) return error
      throw error
    }
  }
}
