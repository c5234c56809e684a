import type { Delivery } from '../app/deliver-notifications.ts'
import { type QueuedNotification, receiverOf } from '../domain/notification.ts'
import { toSeconds, toTimestamp } from '../domain/time.ts'

/** What came of emptying outboxes. */
export interface FlushReport {
  /** How many announcements were queued that nobody's command makes: time did. */
  readonly announced: number
  readonly deliveries: readonly Delivery[]
  /** Left alone: somebody else may be trying them. */
  readonly waiting: readonly QueuedNotification[]
}

/** A report for people. `isPartial`: a store did not answer, and nobody knows what waits there. */
export function describeFlush(
  { deliveries, waiting }: FlushReport,
  { isPartial }: { isPartial: boolean },
): string {
  const counts = (['delivered', 'failed', 'given up'] as const).map(
    (outcome) => [deliveries.filter((one) => one.outcome === outcome).length, outcome] as const,
  )
  const told = [...counts, [waiting.length, 'waiting'] as const]
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
  if (told.length === 0) {
    return isPartial ? 'nothing was delivered' : 'nothing waits to be delivered'
  }
  return [told.join(', '), ...deliveries.flatMap(describeFailure)].join('\n')
}

/** The same for programs. Addresses may be secrets: only who receives is named. */
export function flushFields({ announced, deliveries, waiting }: FlushReport): object {
  const of = (outcome: Delivery['outcome']) =>
    deliveries.filter((delivery) => delivery.outcome === outcome).map(deliveryFields)
  return {
    announced,
    delivered: of('delivered'),
    failed: of('failed'),
    given_up: of('given up'),
    waiting: waiting.map((queued) => ({
      ...fieldsOf(queued),
      attempts: queued.attempts,
      next_at: toTimestamp(queued.nextAt),
    })),
  }
}

function describeFailure(delivery: Delivery): readonly string[] {
  if (delivery.outcome === 'delivered') return []
  const { notification, error, outcome } = delivery
  const next = outcome === 'failed' ? `, tried again from ${toSeconds(delivery.nextAt)}` : ''
  return [`${outcome}: ${notification.event}: ${error.message}${next}`]
}

function deliveryFields(delivery: Delivery): object {
  const { notification, outcome } = delivery
  return {
    ...fieldsOf(notification),
    attempts: notification.attempts + 1,
    ...(outcome === 'failed' && { next_at: toTimestamp(delivery.nextAt) }),
    ...(outcome !== 'delivered' && {
      error: { code: delivery.error.code, message: delivery.error.message },
    }),
  }
}

function fieldsOf({ id, event, at, target }: QueuedNotification): object {
  return { id, event, at: toTimestamp(at), receiver: receiverOf(target) }
}
