/** A message for everyone who subscribed to a topic. */
export interface TopicMessage {
  readonly topicArn: string
  /** For e-mail: ASCII, one line, at most 100 characters. */
  readonly subject: string
  readonly body: string
  /** What subscriptions filter by. */
  readonly event: string
  /** The same in every try: a FIFO topic drops repeats by it. */
  readonly id: string
}

/** Publishes to topics. */
export interface TopicPublisher {
  /** Rejects as `Notifier.send` does. */
  publish(message: TopicMessage, signal: AbortSignal): Promise<void>
}
