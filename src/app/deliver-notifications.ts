import type { LogRecord } from '../domain/log-record.ts'
import { isNamed, type QueuedNotification, receiverOf } from '../domain/notification.ts'
import type { Policy } from '../domain/policy/types.ts'
import { HOUR, type Instant, MINUTE, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { Outbox } from '../ports/outbox.ts'

/** How long after each try the next one is due; after the last of these, always as long. */
const BACK_OFF = [30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR]
const LONGEST_BACK_OFF = 6 * HOUR

/** What could not be delivered for that long is given up. */
const LIFE = 7 * 24 * HOUR

/** Longer than any sender takes: a try that began before that is over, or its process is dead. */
const UNDER_WAY = 8 * SECOND

/** How many are sent at the same time. */
const WIDTH = 4

/** How many are fetched at a time. */
const BATCH = 100

const LOOK_EVERY_MS = 1000

/** How long taking one off the outbox may last, whatever else the time is over for. */
const REMOVAL_MS = 3000

interface DeliveryDeps {
  readonly outbox: Outbox
  readonly notifier: Notifier
  /** Only what this names is called: who can write to a store does not choose whom we call. */
  readonly policy: Pick<Policy, 'notify'>
  readonly clock: Pick<Clock, 'aws'>
  readonly notices: Pick<Notices, 'warn'>
  readonly record: (record: LogRecord) => Promise<void>
  /** Hears of each as it is settled. */
  readonly onSettled?: (delivery: Delivery) => void
  /** Hears that there is only what others may be trying just now. */
  readonly onWait?: () => void
}

interface DeliveryOrder {
  /** Milliseconds. */
  readonly within: number
  /** `due`: what its back-off lets be tried. `all`: whatever nobody is trying just now. */
  readonly which: 'due' | 'all'
  /**
   * Ids that are left alone; grows by what was tried. For outboxes that may be one and the same.
   */
  readonly tried?: Set<string>
}

/** What became of one notification. */
export type Delivery = { readonly notification: QueuedNotification } & (
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'failed'; readonly error: SentinelError; readonly nextAt: Instant }
  /** Taken off the outbox all the same. */
  | { readonly outcome: 'given up'; readonly error: SentinelError }
)

/**
 * Delivers what waits in an outbox, several at a time, each at least once and in the usual case
 * once: it is claimed, sent, then taken off; whoever dies in between leaves it to the next. Rejects
 * as the outbox does.
 */
export async function deliverDue(
  deps: DeliveryDeps,
  { within, which, tried = new Set() }: DeliveryOrder,
): Promise<readonly Delivery[]> {
  const deadline = AbortSignal.timeout(within)
  const deliveries: Delivery[] = []
  while (!deadline.aborted) {
    const left = await untried(deps, { which, tried, signal: deadline })
    const now = deps.clock.aws()
    const ready = left.filter((queued) => !isUnderWay(queued, now))
    if (left.length === 0) break
    if (ready.length === 0) {
      deps.onWait?.()
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      continue
    }
    await severally(ready, async (queued) => {
      if (deadline.aborted) return
      tried.add(queued.id)
      const delivery = await deliver(deps, queued, deadline)
      if (!delivery) return
      deliveries.push(delivery)
      deps.onSettled?.(delivery)
    })
  }
  return deliveries
}

/** Those that wait in an outbox, whenever they are to be tried again; at most `limit`. */
export function waiting(
  { outbox, clock }: Pick<DeliveryDeps, 'outbox' | 'clock'>,
  limit: number,
  signal: AbortSignal,
): Promise<readonly QueuedNotification[]> {
  return outbox.due(clock.aws() + LIFE, limit, signal)
}

/** When one that was tried `attempts` times, and is tried again at `now`, is tried after that. */
function nextTry(attempts: number, now: Instant): Instant {
  return now + (BACK_OFF[attempts] ?? LONGEST_BACK_OFF)
}

async function untried(
  deps: DeliveryDeps,
  {
    which,
    tried,
    signal,
  }: { which: DeliveryOrder['which']; tried: ReadonlySet<string>; signal: AbortSignal },
): Promise<readonly QueuedNotification[]> {
  // Those that failed a moment ago stand in front of the others.
  const limit = BATCH + tried.size
  const found =
    which === 'all'
      ? await waiting(deps, limit, signal)
      : await deps.outbox.due(deps.clock.aws(), limit, signal)
  return found.filter(({ id }) => !tried.has(id))
}

/** Whether somebody may be sending it at this moment: one that is due is nobody's. */
function isUnderWay({ attempts, nextAt }: QueuedNotification, now: Instant): boolean {
  if (attempts === 0 || nextAt <= now) return false
  const begunAt = nextAt - (nextTry(attempts - 1, now) - now)
  return now - begunAt < UNDER_WAY
}

async function deliver(
  deps: DeliveryDeps,
  queued: QueuedNotification,
  deadline: AbortSignal,
): Promise<Delivery | undefined> {
  const { outbox, notifier, clock, policy } = deps
  const nextAt = nextTry(queued.attempts, clock.aws())
  if (!(await outbox.claim(queued, nextAt, deadline))) return undefined
  try {
    if (!isNamed(policy, queued.target)) throw notNamed(queued)
    await notifier.send(queued, deadline)
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    if (hasCode(error, 'NOTIFICATION_REFUSED') || isTooOld(queued, clock.aws())) {
      return giveUp(deps, queued, error)
    }
    return { notification: queued, outcome: 'failed', error, nextAt }
  }
  await takeOff(deps, queued)
  return { notification: queued, outcome: 'delivered' }
}

/** What nobody found for days still gets its tries. */
function isTooOld({ at, attempts }: QueuedNotification, now: Instant): boolean {
  return now - at >= LIFE && attempts >= BACK_OFF.length
}

/**
 * Told and noted before it is taken off: who dies in between is followed by one who tells again.
 */
async function giveUp(
  deps: DeliveryDeps,
  queued: QueuedNotification,
  error: SentinelError,
): Promise<Delivery> {
  const { id, event } = queued
  deps.notices.warn(`nobody will be told of ${event}: ${error.message}`, error.hint)
  try {
    await deps.record({
      type: 'notification.given_up',
      notification_id: id,
      event,
      receiver: receiverOf(queued.target),
      code: error.code,
      reason: error.message,
    })
  } catch (unwritten) {
    // The warning was heard; a log that is full must not make it come back for ever.
    if (!hasCode(unwritten, 'LOG_UNAVAILABLE')) throw unwritten
  }
  await takeOff(deps, queued)
  return { notification: queued, outcome: 'given up', error }
}

/** What cannot be taken off is tried again by its back-off: told, since receivers see a repeat. */
async function takeOff(
  { outbox, notices }: DeliveryDeps,
  { id, event }: QueuedNotification,
): Promise<void> {
  try {
    await outbox.remove(id, AbortSignal.timeout(REMOVAL_MS))
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    notices.warn(`the notification of ${event} stays in the outbox: ${error.message}`, error.hint)
  }
}

function notNamed({ target }: QueuedNotification): SentinelError {
  const message = `the policy names no ${receiverOf(target)}, which is not called then`
  return new SentinelError('NOTIFICATION_FAILED', message, {
    hint: 'name the same policy as the command that announced it',
  })
}

/** Does `work` on every item, a few at a time, to the end; then rejects if anything went wrong. */
async function severally<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const worker = async () => {
    for (const item of left) await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: WIDTH }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
