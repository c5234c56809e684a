import { setTimeout } from 'node:timers/promises'
import { deliverDue } from '../app/deliver-notifications.ts'
import type { ValidPolicy } from '../deps.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { Secret } from '../domain/secret.ts'
import { isShared } from '../domain/store-location.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { Outbox } from '../ports/outbox.ts'
import type { AWS } from './aws.ts'
import type { Signer } from './signer.ts'
import type { World } from './world.ts'

/** How long a command that did something else stays to deliver: once the patience of a sender. */
const WITHIN = 6 * SECOND

/** An index shows what was just written that much later: usually much sooner. */
const INDEX_LAG = SECOND / 2

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
  readonly store: Outbox & { readonly location: string }
  readonly notifier: Notifier
  readonly policy: ValidPolicy
  readonly record: (record: LogRecord) => Promise<void>
}

/** What `OpenedGrants.deliver` is: rejects for bugs alone, and says what is left. */
export function createDelivery(
  { notices, clock }: World,
  { store, policy: { policy }, ...deps }: DeliveryDeps,
): () => Promise<void> {
  const once = () =>
    deliverDue({ ...deps, outbox: store, policy, notices, clock }, { within: WITHIN, which: 'due' })
  return async () => {
    // Whatever may be left of another policy's, this one would not call.
    if (policy.notify.length === 0) return
    try {
      let deliveries = await once()
      if (deliveries.length === 0 && isShared(store.location)) {
        await setTimeout(INDEX_LAG)
        deliveries = await once()
      }
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
