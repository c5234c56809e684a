/** A point in time: milliseconds since the epoch, in AWS time unless a name says otherwise. */
export type Instant = number

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/**
 * A reading of both clocks. Only two readings together tell an age: the wall clock is set by
 * people, the monotonic one stands still while a laptop sleeps.
 */
export interface Moment {
  /** Milliseconds since the epoch, of the local clock, not corrected. */
  readonly wall: number
  /** Milliseconds since some fixed point, never set back. */
  readonly monotonic: number
}

/** Milliseconds from `earlier` to `later`, by whichever clock says more. Never negative. */
export function elapsed(earlier: Moment, later: Moment): number {
  return Math.max(later.wall - earlier.wall, later.monotonic - earlier.monotonic, 0)
}

/** How far the wall clock moved against the monotonic one between two readings, either way. */
export function drift(earlier: Moment, later: Moment): number {
  return Math.abs(later.wall - earlier.wall - (later.monotonic - earlier.monotonic))
}

/** `2026-01-14T09:00:00Z`: RFC 3339 in whole seconds, rounded down so that an end never lies. */
export function toSeconds(instant: Instant): string {
  return `${new Date(Math.floor(instant / SECOND) * SECOND).toISOString().slice(0, 19)}Z`
}

/** `2026-01-14T09:00Z`: as {@link toSeconds}, where there is little room. */
export function toMinutes(instant: Instant): string {
  return `${toSeconds(instant).slice(0, 16)}Z`
}

/** `2026-01-14T09:00:00.000Z`: the form in records, which sorts as text. */
export function toTimestamp(instant: Instant): string {
  return new Date(instant).toISOString()
}
