import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  type RejectedLogEventsInfo,
} from '@aws-sdk/client-cloudwatch-logs'
import type { Credentials } from '../domain/credentials.ts'
import { type ShipTarget, shownTarget } from '../domain/ship-target.ts'
import { HOUR, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Dropped, LogReceiver, ShippedLine } from '../ports/log-receiver.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn } from './deadline.ts'
import { type Fault, isRefusal, nameOfFault, toFault } from './fault.ts'
import { toIdentity } from './sts-caller.ts'

/** Half a megabyte, with the SDK's own tries. */
const SEND_TIMEOUT = 20 * SECOND

/** A call's events lie no further apart. */
const SPAN_MAX = 24 * HOUR

interface CloudWatchReceiverOptions {
  readonly target: Extract<ShipTarget, { kind: 'cloudwatch' }>
  readonly transport: AWSTransport
  readonly region: string
  /** The profile whose settings (FIPS, CA bundle) hold for the calls. */
  readonly profile: string
  /** Asked for each batch: credentials end and are renewed during a run. */
  readonly credentials: (signal: AbortSignal) => Promise<Credentials>
  /** Milliseconds for one batch with its retries. */
  readonly timeoutMs?: number
}

/**
 * A log stream of CloudWatch Logs, which is made if need be; its group must be there. Of lines of
 * one batch those of an earlier time come first, those of the same time as in the log.
 */
export class CloudWatchReceiver implements LogReceiver {
  readonly #options: CloudWatchReceiverOptions

  constructor(options: CloudWatchReceiverOptions) {
    this.#options = options
  }

  async send(lines: readonly ShippedLine[], signal: AbortSignal): Promise<Dropped | undefined> {
    const { timeoutMs = SEND_TIMEOUT } = this.#options
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const client = await abandonOn(bounded, this.#open(bounded))
      const dropped: Dropped[] = []
      for (const part of partsOf(lines)) {
        const one = await this.#put(client, part, bounded)
        if (one) dropped.push(one)
      }
      return sum(dropped)
    } catch (error) {
      throw this.#failure(error)
    }
  }

  async #open(signal: AbortSignal): Promise<CloudWatchLogsClient> {
    const { transport, region, profile, credentials } = this.#options
    const options = await transport.clientOptions('logs', { region, profile })
    return new CloudWatchLogsClient({
      ...options,
      credentials: toIdentity(await credentials(signal)),
    })
  }

  async #put(
    client: CloudWatchLogsClient,
    lines: readonly ShippedLine[],
    abortSignal: AbortSignal,
  ): Promise<Dropped | undefined> {
    const { group: logGroupName, stream: logStreamName } = this.#options.target
    const logEvents = lines.map(({ text, time }) => ({ message: text, timestamp: time }))
    const command = new PutLogEventsCommand({ logGroupName, logStreamName, logEvents })
    const put = () => abandonOn(abortSignal, client.send(command, { abortSignal }))
    const { rejectedLogEventsInfo } = await put().catch(async (error: unknown) => {
      if (toFault(error).name !== 'ResourceNotFoundException') throw error
      await this.#createStream(client, abortSignal)
      return put()
    })
    return rejectedLogEventsInfo && droppedBy(rejectedLogEventsInfo, lines.length)
  }

  async #createStream(client: CloudWatchLogsClient, abortSignal: AbortSignal): Promise<void> {
    const { group: logGroupName, stream: logStreamName } = this.#options.target
    const command = new CreateLogStreamCommand({ logGroupName, logStreamName })
    await abandonOn(abortSignal, client.send(command, { abortSignal })).catch((error: unknown) => {
      // Somebody else was first.
      if (toFault(error).name !== 'ResourceAlreadyExistsException') throw error
    })
  }

  #failure(error: unknown): SentinelError {
    const { target } = this.#options
    const name = shownTarget(target)
    if (error instanceof SentinelError) {
      const { message, hint, cause } = error
      return new SentinelError('SHIPPING_FAILED', `${name} was not called: ${message}`, {
        hint,
        cause,
      })
    }
    const fault = toFault(error)
    const code = CHANGEABLE.has(fault.name) ? 'SHIPPING_REFUSED' : 'SHIPPING_FAILED'
    const message = `${name} did not take the log: ${nameOfFault(fault)}`
    return new SentinelError(code, message, { hint: hintFor(fault, target.group), cause: fault })
  }
}

/** What stays as it is until somebody changes the group, the setting or a permission. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'InvalidParameterException',
  'ResourceNotFoundException',
])

function hintFor(fault: Fault, group: string): string {
  switch (fault.name) {
    case 'ResourceNotFoundException':
      return `make the log group ${group} in this region, or correct log_ship`
    case 'AccessDeniedException':
      return 'allow logs:PutLogEvents and logs:CreateLogStream on the log group to the caller'
    case 'InvalidParameterException':
      return 'correct log_ship: cloudwatch:GROUP/STREAM'
    default:
      return isRefusal(fault)
        ? 'log in again, or name other credentials with --aws-profile'
        : 'look at the network and at the region; the log waits meanwhile'
  }
}

/** Lines in the order of their times, in parts that one call takes. */
function partsOf(lines: readonly ShippedLine[]): readonly (readonly ShippedLine[])[] {
  const parts: ShippedLine[][] = []
  for (const line of lines.toSorted((one, other) => one.time - other.time)) {
    const part = parts.at(-1)
    const since = part?.[0]?.time ?? line.time
    if (part && line.time - since < SPAN_MAX) part.push(line)
    else parts.push([line])
  }
  return parts
}

/** What an answer says was let go: the indices are the ends and the beginning of ranges. */
function droppedBy(rejected: RejectedLogEventsInfo, count: number): Dropped | undefined {
  const { expiredLogEventEndIndex: expired = 0, tooOldLogEventEndIndex: tooOld = 0 } = rejected
  const { tooNewLogEventStartIndex: tooNew = count } = rejected
  const early = Math.min(Math.max(expired, tooOld), count)
  const late = Math.max(count - Math.max(tooNew, early), 0)
  const why = [
    ...(early > 0 ? ['older than 14 days, or than the log group keeps'] : []),
    ...(late > 0 ? ['more than 2 hours ahead of its time'] : []),
  ]
  return early + late === 0 ? undefined : { count: early + late, why: why.join('; ') }
}

function sum(dropped: readonly Dropped[]): Dropped | undefined {
  if (dropped.length === 0) return undefined
  return {
    count: dropped.reduce((total, { count }) => total + count, 0),
    why: [...new Set(dropped.map(({ why }) => why))].join('; '),
  }
}
