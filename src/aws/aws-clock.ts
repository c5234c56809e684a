import { formatDuration } from '../domain/duration.ts'
import { drift, type Instant, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

/** More than this, and STS refuses signatures; nothing that is timed can be trusted. */
const SKEW_LIMIT = 5 * MINUTE

/** A `Date` header has whole seconds and an answer takes its time: less than this tells nothing. */
const NOISE = 2 * SECOND

const SAMPLES = 5

interface Sample {
  readonly offset: number
  readonly at: Moment
}

/** The machine's two clocks, in milliseconds. */
interface LocalClocks {
  wall(): number
  monotonic(): number
}

/** A {@link Clock} that corrects the local wall clock by the median of the last few lessons. */
export class AWSClock implements Clock {
  readonly #local: LocalClocks
  #samples: readonly Sample[] = []
  /** Of the samples: asked for at every credential, and learned at every answer of AWS. */
  #offset = 0

  constructor(local: LocalClocks) {
    this.#local = local
  }

  now(): Moment {
    return { wall: this.#local.wall(), monotonic: this.#local.monotonic() }
  }

  aws(): Instant {
    if (Math.abs(this.#offset) > SKEW_LIMIT) throw skewed(this.#offset)
    return this.#local.wall() + this.#offset
  }

  learn(awsTime: Instant, at: Moment): void {
    if (!Number.isFinite(awsTime)) return
    // What was learned before somebody set the clock says nothing about the clock as it is now.
    const valid = this.#samples.filter((sample) => drift(sample.at, at) <= NOISE)
    // The header cuts the fraction off: half a second is the best guess at it.
    const offset = awsTime + SECOND / 2 - at.wall
    this.#samples = [...valid, { offset, at }].slice(-SAMPLES)
    this.#offset = offsetOf(this.#samples)
  }
}

function offsetOf(samples: readonly Sample[]): number {
  const offsets = samples.map(({ offset }) => offset).toSorted((a, b) => a - b)
  const median = offsets[Math.floor(offsets.length / 2)] ?? 0
  return Math.abs(median) < NOISE ? 0 : median
}

function skewed(offset: number): SentinelError {
  const by = formatDuration(Math.abs(offset) / SECOND)
  const way = offset > 0 ? 'behind' : 'ahead of'
  return new SentinelError('CLOCK_SKEWED', `the local clock is ${by} ${way} AWS`, {
    hint: 'set the clock of this machine, by NTP if it can be',
  })
}
