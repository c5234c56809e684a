import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns'
import type { Credentials } from '../domain/credentials.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { TopicMessage, TopicPublisher } from '../ports/topic-publisher.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn } from './deadline.ts'
import { type Fault, nameOfFault, toFault } from './fault.ts'
import { toIdentity } from './sts-caller.ts'

const PUBLISH_TIMEOUT = 5 * SECOND

/**
 * What is wrong with the topic or the message, whoever sends it. A missing permission is none of
 * these: somebody else may have it.
 */
const FINAL: ReadonlySet<string> = new Set([
  'InvalidParameterException',
  'InvalidParameterValueException',
  'NotFoundException',
  'ValidationException',
])

/** Who signs: asked for each message, as the failures of these are those of the message. */
interface TopicSigner {
  /** The profile whose settings (FIPS, CA bundle) hold for the calls. */
  readonly profile: { readonly name: string }
  readonly credentials: () => Promise<Credentials>
}

interface SNSTopicsOptions {
  readonly transport: AWSTransport
  readonly signer: () => Promise<TopicSigner>
  /** Milliseconds for one message with its retries. */
  readonly timeoutMs?: number
}

/** Topics of SNS, each in the region of its ARN. */
export class SNSTopics implements TopicPublisher {
  readonly #options: SNSTopicsOptions

  constructor(options: SNSTopicsOptions) {
    this.#options = options
  }

  async publish(message: TopicMessage, signal: AbortSignal): Promise<void> {
    const { timeoutMs = PUBLISH_TIMEOUT } = this.#options
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const client = await abandonOn(abortSignal, this.#open(message))
      const command = new PublishCommand(toInput(message))
      await abandonOn(abortSignal, client.send(command, { abortSignal }))
    } catch (error) {
      throw failure(message, error)
    }
  }

  async #open({ topicArn }: TopicMessage): Promise<SNSClient> {
    const { transport, signer } = this.#options
    const { profile, credentials } = await signer()
    const [, , , region = ''] = topicArn.split(':')
    const options = await transport.clientOptions('sns', { region, profile: profile.name })
    return new SNSClient({ ...options, credentials: toIdentity(await credentials()) })
  }
}

function toInput({ topicArn, subject, body, event, id }: TopicMessage): PublishCommandInput {
  return {
    TopicArn: topicArn,
    Subject: subject,
    Message: body,
    MessageAttributes: {
      event: { DataType: 'String', StringValue: event },
      id: { DataType: 'String', StringValue: id },
    },
    ...(topicArn.endsWith('.fifo') && { MessageGroupId: event, MessageDeduplicationId: id }),
  }
}

function failure({ topicArn }: TopicMessage, error: unknown): SentinelError {
  if (error instanceof SentinelError) {
    const { message, hint, cause } = error
    const text = `sns ${topicArn} was not called: ${message}`
    return new SentinelError('NOTIFICATION_FAILED', text, { hint, cause })
  }
  const fault = toFault(error)
  const code = FINAL.has(fault.name) ? 'NOTIFICATION_REFUSED' : 'NOTIFICATION_FAILED'
  const message = `sns ${topicArn} did not take the message: ${nameOfFault(fault)}`
  return new SentinelError(code, message, { hint: hintFor(fault), cause: fault })
}

function hintFor({ name, status }: Fault): string {
  if (FINAL.has(name)) return 'check the ARN of the topic in the policy'
  if (status === 403) return 'allow sns:Publish, and kms:GenerateDataKey for an encrypted topic'
  return 'try again, and look at the network and at the region'
}
