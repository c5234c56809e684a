import { formatDuration } from '../domain/duration.ts'
import { SentinelError } from '../errors.ts'

/** The shortest life that STS gives, in seconds. */
const DURATION_MIN = 900
/** The longest life that every role allows, and a chained one at most, in seconds. */
export const SAFE_MAX = 3600
/** How long before a grant's end the credentials it allowed are to end, in seconds. */
const GRANT_MARGIN = 10

/** A grant that is shorter, in seconds, is over before any credentials can be had of it. */
export const LEAST_USABLE_GRANT = DURATION_MIN + GRANT_MARGIN

export interface DurationLimits {
  /** All in seconds. */
  readonly asked: number
  /** The policy's. */
  readonly cap?: number | undefined
  /** Whether the base credentials are a role's themselves. */
  readonly isChained: boolean
  /** The role's own maximum, where STS has refused a longer life. */
  readonly roleMax?: number | undefined
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
  roleMax = Infinity,
  grantRemaining = Infinity,
}: DurationLimits): DurationPlan {
  const limits: readonly [seconds: number, why: string][] = [
    [asked, `${formatDuration(asked)} was asked for`],
    [cap, 'the policy allows no more'],
    [isChained ? SAFE_MAX : Infinity, 'STS allows a chained role no more'],
    [roleMax, 'the role allows no more'],
    [Math.floor(grantRemaining) - GRANT_MARGIN, 'the grant ends before'],
  ]
  const [seconds, why] = limits.reduce((least, limit) => (limit[0] < least[0] ? limit : least))
  if (seconds < DURATION_MIN) throw tooShort(why)
  return seconds === asked
    ? { seconds }
    : { seconds, note: `${formatDuration(seconds)} instead of ${formatDuration(asked)}: ${why}` }
}

/** The seconds that are left stay out of it: one refusal keeps one text while they run down. */
function tooShort(why: string): SentinelError {
  return new SentinelError('DURATION_TOO_SHORT', `STS issues no less than 15m, but ${why}`, {
    hint: 'ask for 15m or more; what a grant gives is to be used while 15m of it are left',
  })
}
