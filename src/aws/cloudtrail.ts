import { setTimeout } from 'node:timers/promises'
import {
  CloudTrailClient,
  LookupEventsCommand,
  type LookupEventsCommandInput,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail'
import type { Credentials } from '../domain/credentials.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Trail, TrailEvent, TrailObserver, TrailQuery } from '../ports/trail.ts'
import { CallPace } from './call-pace.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { type Fault, isRefusal, nameOfFault, toFault } from './fault.ts'
import { toIdentity } from './sts-caller.ts'
import { parseTrailEvent } from './trail-event.ts'

const CALL_TIMEOUT = 10 * SECOND

const PAGE_SIZE = 50

/** Two a second, and a little air: calls that leave evenly do not arrive so. */
const INTERVAL = 520

/**
 * The account's two a second are shared with everybody who looks at events, the console too: that
 * is waited for longer, a minute or so, than for somebody who does not answer.
 */
const ATTEMPTS = { throttled: 8, unanswered: 3 } as const
const PAUSE = { first: SECOND, most: 20 * SECOND } as const

interface CloudTrailOptions {
  readonly transport: AWSTransport
  readonly clock: Pick<Clock, 'now'>
  /** The profile whose settings (FIPS, CA bundle) hold for the calls. */
  readonly profile: string
  /** Asked at each call: credentials end and are renewed during a long look. */
  readonly credentials: () => Promise<Credentials>
  /** From 0 up to 1. */
  readonly random: () => number
  /** Waits so many milliseconds; rejects when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  /** Milliseconds for one call. */
  readonly timeoutMs?: number
}

/** The event history of one account, in whatever region is asked for. */
export class CloudTrail implements Trail {
  readonly #options: CloudTrailOptions
  /** By region, as CloudTrail counts. */
  readonly #paces = new Map<string, CallPace>()

  constructor(options: CloudTrailOptions) {
    this.#options = options
  }

  async *lookup(
    query: TrailQuery,
    signal: AbortSignal,
    observer: TrailObserver = {},
  ): AsyncIterable<TrailEvent> {
    let token: string | undefined
    do {
      const { Events = [], NextToken } = await this.#page(query, token, signal)
      observer.onPage?.(Events.length)
      for (const { EventId, CloudTrailEvent } of Events) {
        const event = parseTrailEvent(CloudTrailEvent)
        if (event) yield event
        else observer.onUnreadable?.(EventId)
      }
      if (NextToken !== undefined && NextToken === token) {
        throw unavailable(query, { name: 'the same page again and again' })
      }
      token = NextToken
    } while (token !== undefined)
  }

  async #page(
    query: TrailQuery,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<LookupEventsCommandOutput> {
    try {
      for (let failures = 0; ; ) {
        await this.#paceIn(query.region).turn(signal)
        const answer = await this.#call(query, token, signal)
        if (!('fault' in answer)) return answer
        failures += 1
        if (failures >= attemptsFor(answer.fault)) throw unavailable(query, answer.fault)
        await this.#sleep(this.#pauseAfter(failures), signal)
      }
    } catch (error) {
      throw signal.aborted ? interrupted('looking at CloudTrail') : error
    }
  }

  async #call(query: TrailQuery, token: string | undefined, signal: AbortSignal) {
    const { transport, profile, credentials, timeoutMs = CALL_TIMEOUT } = this.#options
    const { region } = query
    const identity = toIdentity(await abandonOn(signal, credentials()))
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const client = new CloudTrailClient({
        ...(await transport.clientOptions('cloudtrail', { region, profile })),
        // Its own tries would not wait for their turn.
        maxAttempts: 1,
        credentials: identity,
      })
      const command = new LookupEventsCommand(toInput(query, token))
      return await abandonOn(abortSignal, client.send(command, { abortSignal }))
    } catch (error) {
      if (error instanceof SentinelError) throw error
      return { fault: toFault(error) }
    }
  }

  #paceIn(region: string): CallPace {
    const { now } = this.#options.clock
    const deps = { now: now.bind(this.#options.clock), sleep: this.#sleep.bind(this) }
    return this.#paces.getOrInsertComputed(region, () => new CallPace(INTERVAL, deps))
  }

  /** Between half of what it might be and all of it: whoever else was throttled comes back too. */
  #pauseAfter(failures: number): number {
    const full = Math.min(PAUSE.first * 2 ** (failures - 1), PAUSE.most)
    return full * (1 - this.#options.random() / 2)
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { sleep = wait } = this.#options
    await sleep(ms, signal)
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal })
}

function toInput({ since, until, by }: TrailQuery, token?: string): LookupEventsCommandInput {
  const [AttributeKey, AttributeValue] =
    'eventName' in by
      ? (['EventName', by.eventName] as const)
      : (['AccessKeyId', by.accessKeyId] as const)
  return {
    LookupAttributes: [{ AttributeKey, AttributeValue }],
    StartTime: new Date(Math.floor(since / SECOND) * SECOND),
    EndTime: new Date(Math.ceil(until / SECOND) * SECOND),
    MaxResults: PAGE_SIZE,
    ...(token !== undefined && { NextToken: token }),
  }
}

function attemptsFor(fault: Fault): number {
  if (isRefusal(fault)) return 1
  const { status = 500 } = fault
  return status < 500 ? ATTEMPTS.throttled : ATTEMPTS.unanswered
}

function unavailable({ region }: TrailQuery, fault: Fault): SentinelError {
  const message = `CloudTrail in ${region} could not be asked: ${nameOfFault(fault)}`
  return new SentinelError('TRAIL_UNAVAILABLE', message, { hint: hintFor(fault), cause: fault })
}

function hintFor(fault: Fault): string {
  const { name, status = 500 } = fault
  if (name === 'AccessDeniedException') {
    return 'allow cloudtrail:LookupEvents to the caller, or leave the region out with --regions'
  }
  if (name === 'InvalidTimeRangeException') return 'ask for a later --since: it keeps 90 days'
  if (isRefusal(fault)) return 'log in again, or name other credentials with --aws-profile'
  if (status < 500) return 'try again when fewer others look at the events of the account'
  return 'try again, and look at the network and at the regions'
}
