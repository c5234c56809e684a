import { createHmac } from 'node:crypto'
import { receiverOf } from '../domain/notification.ts'
import type { Secret } from '../domain/secret.ts'
import { type Instant, SECOND } from '../domain/time.ts'
import type { Notifier } from '../ports/notifier.ts'
import { assertTaken } from './assert-taken.ts'
import { payloadOf } from './payload.ts'
import type { Post } from './post.ts'

interface WebhookDeps {
  readonly post: Post
  /** Signs what is posted. Absent: it is posted unsigned. */
  readonly secret?: Secret | undefined
  readonly now: () => Instant
}

/**
 * Who sends decides about 401 and 403, by the secret in their environment: a machine without the
 * right one must not end a notification that another could deliver.
 */
const PASSING = [401, 403, 408, 429]

/** Posts notifications as signed JSON. */
export function createWebhook({ post, secret, now }: WebhookDeps): Notifier['send'] {
  return async (notification, signal) => {
    const { target } = notification
    const receiver = receiverOf(target)
    const body = payloadOf(notification)
    const headers = {
      'Content-Type': 'application/json',
      'Sentinel-Event': notification.event,
      'Sentinel-Notification-Id': notification.id,
      ...(secret && { 'Sentinel-Signature': signatureOf(body, secret, now()) }),
    }
    const status = await post({ receiver, address: target.address, headers, body }, signal)
    assertTaken(status, { receiver, passing: PASSING })
  }
}

/** `t=1768392000,v1=…`: HMAC-SHA256, in hex, of the time of sending, a full stop and the body. */
function signatureOf(body: string, secret: Secret, now: Instant): string {
  const time = Math.floor(now / SECOND)
  const mac = createHmac('sha256', secret.reveal()).update(`${time}.${body}`).digest('hex')
  return `t=${time},v1=${mac}`
}
