import { type Delivery, deliverDue, waiting } from '../../app/deliver-notifications.ts'
import { patience } from '../../app/patience.ts'
import { sweepBreakGlass, sweepRequests } from '../../app/sweep-events.ts'
import type { Deps, OpenedOutboxes } from '../../deps.ts'
import type { QueuedNotification } from '../../domain/notification.ts'
import { SECOND } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import { BREAK_GLASS_OPTIONS } from '../break-glass-options.ts'
import { defineCommand } from '../command.ts'
import { describeFlush, type FlushReport, flushFields } from '../notify-report.ts'
import { REQUEST_OPTIONS } from '../request-options.ts'

/** For each outbox: what is left then waits for the next time. */
const WITHIN = 60 * SECOND

const MOST_SHOWN = 1000

export default defineCommand({
  usage: 'notify flush',
  summary: 'Deliver the notifications that wait, and announce what time has done',
  examples: [
    'notify flush',
    'notify flush --request-table sentinel-requests --breakglass-table sentinel-breakglass',
    'notify flush --output json',
  ],
  options: { ...REQUEST_OPTIONS, ...BREAK_GLASS_OPTIONS },

  async run({ options }, deps) {
    await using outboxes = await deps.openOutboxes(options)
    const { fault, ...report } = await flush(deps, outboxes)
    deps.out.print(describeFlush(report, { isPartial: fault !== undefined }), flushFields(report))
    if (fault) throw fault
    const missing = report.deliveries.filter(({ outcome }) => outcome !== 'delivered').length
    if (missing > 0) throw undelivered(missing)
    return undefined
  },
})

interface Flushed extends FlushReport {
  /** Of a store that did not do its part; the others did. */
  readonly fault: SentinelError | undefined
}

async function flush(deps: Deps, outboxes: OpenedOutboxes): Promise<Flushed> {
  const { out } = deps
  const notices: Pick<Deps['notices'], 'warn'> = {
    warn(...warning) {
      out.progress('')
      deps.notices.warn(...warning)
    },
  }
  const announced = await sweep({ ...deps, notices }, outboxes)
  const tried = new Set<string>()
  const deliveries: Delivery[] = []
  const left = new Map<string, QueuedNotification>()
  let fault: SentinelError | undefined
  for (const outbox of [outboxes.requests, outboxes.breakGlass]) {
    if (outbox === undefined) continue
    const onSettled = (delivery: Delivery) => {
      deliveries.push(delivery)
      out.progress(`${deliveries.length} tried`)
    }
    const onWait = () => out.progress('waiting for tries that may be under way elsewhere')
    const { policy } = outboxes.policy
    const delivering = { ...deps, ...outboxes, notices, policy, outbox, onSettled, onWait }
    try {
      await deliverDue(delivering, { within: WITHIN, which: 'all', tried })
      for (const queued of await waiting(delivering, MOST_SHOWN, patience())) {
        if (!tried.has(queued.id)) left.set(queued.id, queued)
      }
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      fault ??= error
    }
  }
  out.progress('')
  return { announced, deliveries, waiting: [...left.values()], fault }
}

type SweepDeps = Pick<Deps, 'out' | 'clock' | 'digest' | 'newId'> & {
  readonly notices: Pick<Deps['notices'], 'warn'>
}

/** Best effort: who may deliver may not be allowed to settle requests, or to write events. */
async function sweep(
  { notices, out, clock, digest, newId }: SweepDeps,
  { requests, breakGlass, policy: { policy } }: OpenedOutboxes,
): Promise<number> {
  const common = { policy, clock, digest, newId }
  const onPage = (seen: number) => out.progress(`${seen} looked at`)
  const sweeps = [
    async () => (requests ? sweepRequests({ ...common, store: requests }, onPage) : 0),
    async () => (breakGlass ? sweepBreakGlass({ ...common, store: breakGlass }, onPage) : 0),
  ]
  let announced = 0
  for (const run of sweeps) {
    try {
      announced += await run()
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
      notices.warn(`what expired may not be announced: ${error.message}`, error.hint)
    }
  }
  return announced
}

function undelivered(count: number): SentinelError {
  const what = count === 1 ? '1 notification' : `${count} notifications`
  return new SentinelError('NOTIFICATION_FAILED', `${what} could not be delivered`, {
    hint: 'look at who is to receive them; what failed is tried again by later commands',
  })
}
