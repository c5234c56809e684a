import type { Notifier } from '../ports/notifier.ts'
import type { TopicPublisher } from '../ports/topic-publisher.ts'
import { payloadOf } from './payload.ts'
import { titleOf } from './words.ts'

/** Publishes notifications to topics: the JSON of a webhook, under a subject for e-mail. */
export function createTopicSender({ publish }: TopicPublisher): Notifier['send'] {
  return (notification, signal) => {
    const { id, event, target } = notification
    const subject = titleOf(notification)
    const body = payloadOf(notification)
    return publish({ topicArn: target.address, subject, body, event, id }, signal)
  }
}
