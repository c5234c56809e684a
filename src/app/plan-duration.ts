import { formatDuration } from '../domain/duration.ts'
import { SentinelError } from '../errors.ts'

/** The shortest life that STS gives, in seconds. */
export const DURATION_MIN = 900
/** The longest life STS gives to a role assumed with another role's credentials, in seconds. */
export const CHAINED_MAX = 3600
/** How long before a grant's end the credentials it allowed are to end, in seconds. */
const GRANT_MARGIN = 10

export interface DurationLimits {
  /** All in seconds. */
  readonly asked: number
  /** The policy's. */
  readonly cap?: number | undefined
  /** Whether the base credentials are a role's themselves. */
  readonly isChained: boolean
  readonly grantRemaining?: number | undefined
}

export interface DurationPlan {
  readonly seconds: number
  /** Why it is shorter than what was asked for; absent when it is not. */
  readonly note?: string
}

/**
 * How long the next credentials may live: the smallest of what was asked for and of every limit.
 * Throws `DURATION_TOO_SHORT` when that is less than STS can give.
 */
export function planDuration({
  asked,
  cap = Infinity,
  isChained,
  grantRemaining = Infinity,
}: DurationLimits): DurationPlan {
  const limits: readonly [seconds: number, why: string][] = [
    [asked, 'asked for'],
    [cap, 'the policy allows no more'],
    [isChained ? CHAINED_MAX : Infinity, 'STS allows a chained role no more'],
    [Math.floor(grantRemaining) - GRANT_MARGIN, 'the grant ends then'],
  ]
  const [seconds, why] = limits.reduce((least, limit) => (limit[0] < least[0] ? limit : least))
  if (seconds < DURATION_MIN) throw tooShort(seconds, why)
  return seconds === asked
    ? { seconds }
    : { seconds, note: `${formatDuration(seconds)} instead of ${formatDuration(asked)}: ${why}` }
}

function tooShort(seconds: number, why: string): SentinelError {
  const left = formatDuration(seconds)
  return new SentinelError(
    'DURATION_TOO_SHORT',
    `only ${left} may be issued (${why}), and STS issues no less than 15m`,
    { hint: 'ask for 15m or more, or for a grant that lasts longer' },
  )
}
