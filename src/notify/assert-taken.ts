import { SentinelError } from '../errors.ts'

interface Judgement {
  readonly receiver: string
  /** Statuses that are about who sends, not about what: another machine may fare better. */
  readonly passing: readonly number[]
}

/**
 * Throws `NOTIFICATION_FAILED` or `NOTIFICATION_REFUSED` unless `status` says that it was taken.
 */
export function assertTaken(status: number, { receiver, passing }: Judgement): void {
  if (status >= 200 && status < 300) return
  const message = `${receiver} answered ${status}`
  if (status >= 400 && status < 500 && !passing.includes(status)) {
    throw new SentinelError('NOTIFICATION_REFUSED', message, {
      hint: 'check the address in the policy, and what the receiver expects',
    })
  }
  throw new SentinelError('NOTIFICATION_FAILED', message, { hint: hintFor(status) })
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) {
    return 'set SENTINEL_WEBHOOK_SECRET to what the receiver knows'
  }
  if (status >= 300 && status < 400) return 'name the address itself: redirects are not followed'
  return 'look at the receiver; the notification waits meanwhile'
}
