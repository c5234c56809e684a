import type { NotificationTarget } from '../domain/notification.ts'
import type { Secret } from '../domain/secret.ts'
import type { Instant } from '../domain/time.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { TopicPublisher } from '../ports/topic-publisher.ts'
import { createPost, type PostSettings } from './post.ts'
import { createSlack } from './slack.ts'
import { createTopicSender } from './sns.ts'
import { createWebhook } from './webhook.ts'

export interface NotifierOptions extends PostSettings {
  /** What webhooks are signed with. */
  readonly secret?: Secret | undefined
  readonly now: () => Instant
  readonly topics: TopicPublisher
}

/** Sends each notification in the way of its target. */
export function createNotifier({ secret, now, topics, ...settings }: NotifierOptions): Notifier {
  const post = createPost(settings)
  const senders: Readonly<Record<NotificationTarget['kind'], Notifier['send']>> = {
    webhook: createWebhook({ post, secret, now }),
    slack: createSlack({ post }),
    sns: createTopicSender(topics),
  }
  return {
    send: (notification, signal) => senders[notification.target.kind](notification, signal),
  }
}
