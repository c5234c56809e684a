import { SentinelError } from '../errors.ts'
import type { Dropped, LogReceiver } from '../ports/log-receiver.ts'
import type { OpenShipQueue, ShipQueue } from '../ports/ship-queue.ts'

export interface ShipLogDeps {
  readonly openQueue: OpenShipQueue
  /** Asked for each batch: what it takes to reach the receiver may fail as sending may. */
  readonly openReceiver: (signal: AbortSignal) => Promise<LogReceiver>
}

/** What came of shipping. */
export interface Shipped {
  /** Lines that the receiver has now. */
  readonly lines: number
  /** Lines that it let go, and why. */
  readonly dropped: number
  readonly why?: string | undefined
}

interface ShipLogOptions {
  readonly signal: AbortSignal
  /** Hears how many lines the receiver has. */
  readonly onProgress: (lines: number) => void
  /** Waits a moment: for a file that was just moved aside. */
  readonly pause: () => Promise<void>
}

/**
 * Ships what is in the log and was not shipped yet; `undefined` when another process is at it.
 * Rejects as the queue and the receiver do, and with `INTERRUPTED` when `signal` aborts: what was
 * taken by then is not sent again.
 */
export async function shipLog(
  deps: ShipLogDeps,
  { signal, onProgress, pause }: ShipLogOptions,
): Promise<Shipped | undefined> {
  await using queue = await deps.openQueue()
  if (!queue) return undefined
  let total: Shipped = { lines: 0, dropped: 0 }
  for (;;) {
    const sent = await shipNext(queue, deps.openReceiver, signal)
    if (sent.lines === 0 && !sent.mayMoreFollow) return total
    if (sent.lines === 0) await pause()
    const { count = 0, why = total.why } = sent.dropped ?? {}
    total = { lines: total.lines + sent.lines - count, dropped: total.dropped + count, why }
    onProgress(total.lines)
  }
}

/** One batch that was sent. */
interface Sent {
  /** How many lines, dropped ones too. */
  readonly lines: number
  readonly dropped?: Dropped | undefined
  readonly mayMoreFollow: boolean
}

/** Sends the next lines of `queue`, if there are any. Rejects as {@link shipLog} does. */
export async function shipNext(
  queue: ShipQueue,
  openReceiver: ShipLogDeps['openReceiver'],
  signal: AbortSignal,
): Promise<Sent> {
  if (signal.aborted) throw interrupted()
  const { lines, mayMoreFollow } = await queue.next()
  if (lines.length === 0) return { lines: 0, mayMoreFollow }
  try {
    const dropped = await (await openReceiver(signal)).send(lines, signal)
    await queue.taken(dropped?.count ?? 0)
    return { lines: lines.length, dropped, mayMoreFollow }
  } catch (error) {
    // What failed for lack of time says nothing about the receiver.
    if (signal.aborted && error instanceof SentinelError) throw interrupted(error)
    if (error instanceof SentinelError) await queue.failed(error)
    throw error
  }
}

function interrupted(cause?: SentinelError): SentinelError {
  return new SentinelError('INTERRUPTED', 'shipping the log was interrupted', { cause })
}
