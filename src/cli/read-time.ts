import { parseDuration } from '../domain/duration.ts'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'

/**
 * Reads the value of `flag` as a time: a duration counted from `now`, back (`ago`) or forward
 * (`ahead`), or a date and time with a zone. Throws `USAGE`.
 */
export function readTime(
  flag: string,
  text: string,
  now: Instant,
  direction: 'ago' | 'ahead',
): Instant {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return now + (direction === 'ahead' ? 1000 : -1000) * seconds
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    // A RangeError is how Temporal says that this is no time, or one without a zone.
    throw new SentinelError('USAGE', `${flag} is neither a duration nor a time: "${text}"`, {
      hint: 'write 2h, or a time with its zone as 2026-01-14T23:00:00+01:00 or with Z',
    })
  }
}
