import { receiverOf } from '../domain/notification.ts'
import type { Notifier } from '../ports/notifier.ts'
import { assertTaken } from './assert-taken.ts'
import type { Post } from './post.ts'
import { detailsOf, titleOf } from './words.ts'

const PASSING = [408, 429]

/** Posts notifications as messages to incoming webhooks as Slack has them. */
export function createSlack({ post }: { readonly post: Post }): Notifier['send'] {
  return async (notification, signal) => {
    const { target } = notification
    const receiver = receiverOf(target)
    const title = `*${escaped(titleOf(notification))}*`
    const details = detailsOf(notification).map(escaped)
    const body = JSON.stringify({ text: [title, ...details].join('\n') })
    const headers = { 'Content-Type': 'application/json' }
    const status = await post({ receiver, address: target.address, headers, body }, signal)
    assertTaken(status, { receiver, passing: PASSING })
  }
}

/** By these three, text could mention everyone in a channel, or pass for a link. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
