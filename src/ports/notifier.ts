import type { Notification } from '../domain/notification.ts'

/** Tells somebody outside of Sentinel. */
export interface Notifier {
  /**
   * Sends `notification` once, and resolves when its receiver took it. Rejects with
   * `NOTIFICATION_FAILED` when another try, perhaps from another machine, may go better, an abort
   * included, and with `NOTIFICATION_REFUSED` when none can. Neither quotes an address: those of
   * Slack are secrets.
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>
}
