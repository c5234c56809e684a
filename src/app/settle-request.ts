import type { AccessRequestId } from '../domain/access-request.ts'
import type { Notification } from '../domain/notification.ts'
import { SentinelError } from '../errors.ts'
import type { RequestStore } from '../ports/request-store.ts'
import { patience } from './patience.ts'

/** Takes a request off the undecided ones, if it can be done. */
export async function settleQuietly(
  store: Pick<RequestStore, 'settle'>,
  id: AccessRequestId,
  notifications: readonly Notification[] = [],
): Promise<void> {
  try {
    await store.settle(id, notifications, patience())
  } catch (error) {
    // It only makes later lists shorter, and not everybody may write requests.
    if (!(error instanceof SentinelError)) throw error
  }
}
