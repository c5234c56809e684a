import type { Notification, NotifyEvent } from '../domain/notification.ts'

const TITLES: Readonly<Record<NotifyEvent, string>> = {
  'request.created': 'access was requested',
  'request.approved': 'a request for access was approved',
  'request.denied': 'a request for access was denied',
  'request.cancelled': 'a request for access was cancelled',
  'request.expired': 'a request for access expired, and nobody had decided',
  'request.revoked': 'approved access was taken away',
  'break_glass.started': 'somebody broke the glass',
  'break_glass.closed': 'break-glass access was closed',
  'break_glass.expired': 'break-glass access ran out',
  'break_glass.reviewed': 'break-glass access was reviewed',
  'break_glass.overdue': 'the review of break-glass access is overdue',
}

/** Longer than anything a person may write. */
const LONGEST_VALUE = 2000

/** What happened, in one line. */
export function titleOf({ event }: Pick<Notification, 'event'>): string {
  return `Sentinel: ${TITLES[event]}`
}

/** What is known about it, a line each: `profile: prod`. */
export function detailsOf({ fields }: Pick<Notification, 'fields'>): readonly string[] {
  return Object.entries(fields).map(
    ([name, value]) => `${inOneLine(name).replaceAll('_', ' ')}: ${inOneLine(String(value))}`,
  )
}

/** Text that people wrote may hold what moves a cursor, or turns the reading direction. */
function inOneLine(text: string): string {
  return text
    .slice(0, LONGEST_VALUE)
    .replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .toWellFormed()
}
