import type { Notification } from '../domain/notification.ts'
import { toTimestamp } from '../domain/time.ts'
import { detailsOf, titleOf } from './words.ts'

/** What a program is told: the body of a webhook, and the message of a topic. */
export function payloadOf(notification: Notification): string {
  const { id, event, at, fields } = notification
  const text = [titleOf(notification), ...detailsOf(notification)].join('\n')
  return JSON.stringify({ version: '1', id, event, time: toTimestamp(at), text, data: fields })
}
