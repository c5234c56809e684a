import type { Act } from '../../domain/access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  type BreakGlassId,
  type BreakGlassReview,
  eventText,
  type FiledEvent,
  HISTORY_SPAN,
} from '../../domain/break-glass.ts'
import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { BreakGlassQuery, BreakGlassStore } from '../../ports/break-glass-store.ts'
import { assertAwaited } from './assert-awaited.ts'
import {
  claimNotification,
  dueNotifications,
  type MemoryOutbox,
  putNotifications,
} from './outbox.ts'

interface KeptEvent {
  readonly event: BreakGlassEvent
  readonly closed?: Act
  /** Not settled yet. */
  readonly isOpen: boolean
  readonly announced: readonly ('expired' | 'overdue')[]
}

/** What a {@link MemoryBreakGlassStore} keeps: two stores over one set of rows are one place. */
export interface MemoryBreakGlassRows {
  readonly events: Map<BreakGlassId, KeptEvent>
  readonly reviews: BreakGlassReview[]
  readonly outbox: MemoryOutbox
}

/** Keeps break-glass events in this process only, and forgets them with it. */
export class MemoryBreakGlassStore implements BreakGlassStore {
  // Every method reads and writes without awaiting in between: that is what makes it atomic.
  readonly location = 'memory:'
  readonly #rows: MemoryBreakGlassRows

  constructor(rows: MemoryBreakGlassRows = { events: new Map(), reviews: [], outbox: new Map() }) {
    this.#rows = rows
  }

  async begin(
    event: BreakGlassEvent,
    admit: (history: BreakGlassHistory) => void,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void> {
    assertAwaited(signal)
    const { events, outbox } = this.#rows
    const found = events.get(event.id)
    if (found && eventText(found.event) === eventText(event)) return
    if (found) {
      throw new SentinelError('BREAK_GLASS_EXISTS', `break-glass event ${event.id} is another one`)
    }

    admit(this.#historyOf(event))
    putNotifications(outbox, notifications)
    events.set(event.id, { event, isOpen: true, announced: [] })
  }

  async get(id: BreakGlassId, signal: AbortSignal): Promise<FiledEvent | undefined> {
    assertAwaited(signal)
    const kept = this.#rows.events.get(id)
    return kept && this.#filed(kept)
  }

  async find(prefix: string, signal: AbortSignal): Promise<readonly BreakGlassId[]> {
    assertAwaited(signal)
    const begins = (id: BreakGlassId) => id.startsWith(prefix)
    return this.#rows.events.keys().filter(begins).take(10).toArray()
  }

  async close(
    id: BreakGlassId,
    closed: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'> {
    assertAwaited(signal)
    const { events, outbox } = this.#rows
    const kept = events.get(id)
    if (!kept) return 'missing'
    if (kept.closed) return 'already'

    putNotifications(outbox, notifications)
    events.set(id, { ...kept, closed })
    return 'written'
  }

  async review(
    review: BreakGlassReview,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | BreakGlassReview> {
    assertAwaited(signal)
    const { reviews, outbox } = this.#rows
    const { eventId, reviewer } = review
    const found = reviews.find(
      (earlier) =>
        earlier.eventId === eventId && earlier.reviewer.principalId === reviewer.principalId,
    )
    if (found) return found

    putNotifications(outbox, notifications)
    reviews.push(review)
    return 'written'
  }

  async announce(
    id: BreakGlassId,
    what: 'expired' | 'overdue',
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean> {
    assertAwaited(signal)
    const { events, outbox } = this.#rows
    const kept = events.get(id)
    if (!kept || kept.announced.includes(what)) return false

    putNotifications(outbox, notifications)
    events.set(id, { ...kept, announced: [...kept.announced, what] })
    return true
  }

  async settle(id: BreakGlassId, signal: AbortSignal): Promise<void> {
    assertAwaited(signal)
    const kept = this.#rows.events.get(id)
    if (kept) this.#rows.events.set(id, { ...kept, isOpen: false })
  }

  async *list(
    query: BreakGlassQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncGenerator<FiledEvent> {
    assertAwaited(signal)
    onPage?.(this.#rows.events.size)
    const newestFirst = [...this.#rows.events.values()]
      .filter((kept) => matches(query, kept))
      .toSorted((a, b) => b.event.startedAt - a.event.startedAt)
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
    return dueNotifications(this.#rows.outbox, now, limit)
  }

  async claim(
    notification: QueuedNotification,
    nextAt: Instant,
    signal: AbortSignal,
  ): Promise<boolean> {
    assertAwaited(signal)
    return claimNotification(this.#rows.outbox, notification, nextAt)
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    assertAwaited(signal)
    this.#rows.outbox.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #historyOf({ invoker, profile, startedAt }: BreakGlassEvent): BreakGlassHistory {
    const since = startedAt - HISTORY_SPAN
    const counted = [...this.#rows.events.values()]
      .filter(({ event, isOpen }) => isOpen || event.startedAt >= since)
      .map((kept) => this.#filed(kept))
    return {
      ofPerson: counted.filter(({ event }) => event.invoker.person === invoker.person),
      ofProfile: counted.filter(({ event }) => event.profile === profile),
    }
  }

  #filed({ event, closed }: KeptEvent): FiledEvent {
    const reviews = this.#rows.reviews.filter(({ eventId }) => eventId === event.id)
    return { event, ...(closed && { closed }), reviews }
  }
}

function matches(
  { person, profile, since, which }: BreakGlassQuery,
  { event, isOpen }: KeptEvent,
): boolean {
  return (
    (person === undefined || event.invoker.person === person) &&
    (profile === undefined || event.profile === profile) &&
    (since === undefined || event.startedAt >= since) &&
    (which === 'all' || isOpen)
  )
}
