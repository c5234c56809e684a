import type { Instant, Moment } from '../domain/time.ts'

/** Reads time. Everything that needs time is given one of these. */
export interface Clock {
  /** Both local clocks, for ages and for noticing that the machine slept. */
  now(): Moment

  /**
   * AWS time: the local wall clock plus the offset last learned from AWS. Throws `CLOCK_SKEWED`
   * when that offset is more than 5 minutes.
   */
  aws(): Instant

  /** Tells the clock what time it was at AWS when the local clocks read `at`. */
  learn(awsTime: Instant, at: Moment): void
}
