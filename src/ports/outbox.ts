import type { QueuedNotification } from '../domain/notification.ts'
import type { Instant } from '../domain/time.ts'

/**
 * Announcements that were written with the events they are about, in one transaction, and wait to
 * be delivered by whichever Sentinel comes next. At least once: who dies after delivering and
 * before `remove` makes a repeat.
 */
export interface Outbox {
  /** Those that may be tried at `now`, oldest first. */
  due(now: Instant, limit: number, signal: AbortSignal): Promise<readonly QueuedNotification[]>

  /**
   * Takes one to be tried: raises its `attempts`, and lets nobody else try before `nextAt`.
   * Resolves to `false` when somebody else took it, or it is gone.
   */
  claim(notification: QueuedNotification, nextAt: Instant, signal: AbortSignal): Promise<boolean>

  /** It was delivered, or given up. */
  remove(id: string, signal: AbortSignal): Promise<void>
}
