import { matchesGlob } from './policy/glob.ts'
import type { NOTIFY_EVENTS, Policy } from './policy/types.ts'
import type { Instant } from './time.ts'

export type NotifyEvent = (typeof NOTIFY_EVENTS)[number]

/**
 * Where one is sent, as the policy names it. Secrets come from the environment, never from here.
 */
export interface NotificationTarget {
  readonly kind: 'webhook' | 'slack' | 'sns'
  /** An https URL (http on loopback), or the ARN of a topic. */
  readonly address: string
}

/** One announcement to one place: a row of the outbox until it was delivered. */
export interface Notification {
  /** 20 characters of base32, the same in every try: receivers tell repeats by it. */
  readonly id: string
  readonly event: NotifyEvent
  readonly at: Instant
  readonly target: NotificationTarget
  /** What is told: names, reasons, times as text. Never a secret. */
  readonly fields: Readonly<Record<string, string | number>>
}

/** As it waits in an outbox. */
export interface QueuedNotification extends Notification {
  /** Tries that were begun so far. */
  readonly attempts: number
  /** Not to be tried before. */
  readonly nextAt: Instant
}

/** What there is to announce. */
export type News = Pick<Notification, 'event' | 'at' | 'fields'>

/** One notification for each place that the policy wants to hear of `news`. */
export function announcements(
  { notify }: Pick<Policy, 'notify'>,
  news: News,
  newId: () => string,
): readonly Notification[] {
  return notify
    .filter(({ events }) => events.some((pattern) => matchesGlob(pattern, news.event)))
    .flatMap(targetsOf)
    .map((target) => ({ id: newId(), target, ...news }))
}

/** Whether the policy wants anything told to `target`: only then is it called. */
export function isNamed({ notify }: Pick<Policy, 'notify'>, target: NotificationTarget): boolean {
  return notify
    .flatMap(targetsOf)
    .some(({ kind, address }) => kind === target.kind && address === target.address)
}

/** `webhook hooks.example`: never the whole address, which may be all that a sender needs. */
export function receiverOf({ kind, address }: NotificationTarget): string {
  return `${kind} ${kind === 'sns' ? address : (URL.parse(address)?.host ?? '')}`.trimEnd()
}

function targetsOf({
  webhook,
  slack,
  sns,
}: Policy['notify'][number]): readonly NotificationTarget[] {
  return [
    ...(webhook === undefined ? [] : [{ kind: 'webhook', address: webhook } as const]),
    ...(slack === undefined ? [] : [{ kind: 'slack', address: slack } as const]),
    ...(sns === undefined ? [] : [{ kind: 'sns', address: sns } as const]),
  ]
}
