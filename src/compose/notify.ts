import { deliverDue } from '../app/deliver-notifications.ts'
import type { ValidPolicy } from '../deps.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { Secret } from '../domain/secret.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { Outbox } from '../ports/outbox.ts'
import type { AWS } from './aws.ts'
import type { Signer } from './signer.ts'
import type { World } from './world.ts'

/** How long a command that did something else stays to deliver: once the patience of a sender. */
const WITHIN = 6 * SECOND

const FLUSH = 'later commands try again; or run: sentinel notify flush'

/** What delivers notifications. It is loaded, and `signer` asked, when there is one. */
export function openNotifier(world: World, aws: AWS, signer: () => Promise<Signer>): Notifier {
  let made: Promise<Notifier> | undefined
  return {
    async send(notification, signal) {
      made ??= load(world, aws, signer)
      return (await made).send(notification, signal)
    },
  }
}

async function load(
  { env, host, settings, clock }: World,
  aws: AWS,
  signer: () => Promise<Signer>,
): Promise<Notifier> {
  const { createNotifier } = await import('../notify/notifier.ts')
  const secret = env.SENTINEL_WEBHOOK_SECRET || undefined
  return createNotifier({
    version: host.version,
    proxy: settings.find('proxy')?.value,
    secret: secret === undefined ? undefined : new Secret(secret),
    now: () => clock.aws(),
    topics: {
      async publish(message, signal) {
        const [{ SNSTopics }, { transport }] = await Promise.all([
          import('../aws/sns.ts'),
          aws.sdk(),
        ])
        return new SNSTopics({ transport, signer }).publish(message, signal)
      },
    },
  })
}

interface DeliveryDeps {
  readonly outbox: Outbox
  readonly notifier: Notifier
  readonly policy: ValidPolicy
  readonly record: (record: LogRecord) => Promise<void>
}

/** What `OpenedGrants.deliver` is: never rejects but for bugs, and says what is left. */
export function createDelivery(world: World, deps: DeliveryDeps): () => Promise<void> {
  const { notices, clock } = world
  const { policy } = deps.policy
  return async () => {
    try {
      const order = { within: WITHIN, which: 'due' } as const
      const deliveries = await deliverDue({ ...deps, policy, notices, clock }, order)
      for (const { notification, ...delivery } of deliveries) {
        if (delivery.outcome !== 'failed') continue
        const { message } = delivery.error
        notices.warn(`${notification.event} was not announced yet: ${message}`, FLUSH)
      }
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      notices.warn(`the outbox could not be emptied: ${error.message}`, FLUSH)
    }
  }
}
