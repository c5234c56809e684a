import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'

/** What waits to be delivered, by id. */
export type MemoryOutbox = Map<string, QueuedNotification>

/**
 * Queues `notifications`, to be tried at once. Before anything is written that they announce:
 * throws `STORE_INVALID` when an id is taken, and has queued none of them then.
 */
export function putNotifications(
  outbox: MemoryOutbox,
  notifications: readonly Notification[],
): void {
  const ids = new Set(notifications.map(({ id }) => id))
  const taken = notifications.find(({ id }) => outbox.has(id))
  if (taken || ids.size < notifications.length) {
    throw new SentinelError('STORE_INVALID', 'two notifications have one id')
  }
  for (const notification of notifications) {
    outbox.set(notification.id, { ...notification, attempts: 0, nextAt: notification.at })
  }
}

/** Those that may be tried at `now`, the oldest first. */
export function dueNotifications(
  outbox: MemoryOutbox,
  now: Instant,
  limit: number,
): readonly QueuedNotification[] {
  return [...outbox.values()]
    .filter(({ nextAt }) => nextAt <= now)
    .toSorted((a, b) => a.at - b.at)
    .slice(0, limit)
}

/** Takes one to be tried, unless somebody else did since it was read; says whether. */
export function claimNotification(
  outbox: MemoryOutbox,
  { id, attempts }: QueuedNotification,
  nextAt: Instant,
): boolean {
  const found = outbox.get(id)
  if (found?.attempts !== attempts) return false
  outbox.set(id, { ...found, attempts: attempts + 1, nextAt })
  return true
}
