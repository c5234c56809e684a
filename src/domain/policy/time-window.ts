/**
 * Windows of time, read off the clock on a wall in their zone: in a gap of daylight saving time no
 * clock shows the minutes left out, and in an hour that comes twice both passes count.
 *
 * @module
 */
import type { Instant } from '../time.ts'
import { type TimeWindow, WEEKDAYS, type Weekday } from './types.ts'

const MINUTES_A_DAY = 24 * 60

/** A window opens within a week unless a gap swallows it; no gap swallows it twice in a row. */
const HORIZON_DAYS = 15

/** What the clock and the calendar on a wall show. */
export interface WallClock {
  readonly weekday: Weekday
  /** Of the day, from 0 to 1439. */
  readonly minute: number
}

/** Whether `text` is an IANA zone as the tz database spells it. Offsets (`+01:00`) are none. */
export function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false
  try {
    return new Temporal.ZonedDateTime(0n, text).timeZoneId === text
  } catch {
    // A RangeError is how Temporal says that it knows no such zone.
    return false
  }
}

/** Parses `09:00` to minutes of the day, `24:00` to 1440; `undefined` when `text` is no time. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (match === null) return text === '24:00' ? MINUTES_A_DAY : undefined
  return Number(match[1]) * 60 + Number(match[2])
}

/** What a wall clock in `timezone` shows at `at`. */
export function wallClock(timezone: string, at: Instant): WallClock {
  const { dayOfWeek, hour, minute } = zoned(timezone, at).toPlainDateTime()
  return { weekday: WEEKDAYS[dayOfWeek - 1]!, minute: hour * 60 + minute }
}

/** Whether `window` is open while the clock on its wall shows `now`. */
export function isOpen(window: TimeWindow, now: WallClock): boolean {
  const { start, end } = window.hours ?? { start: 0, end: MINUTES_A_DAY }
  if (!window.overnight)
    return hasDay(window, now.weekday) && start <= now.minute && now.minute < end
  return (
    (hasDay(window, now.weekday) && start <= now.minute) ||
    (hasDay(window, dayBefore(now.weekday)) && now.minute < end)
  )
}

/** Whether `at` lies in `window`. */
export function isWithin(window: TimeWindow, at: Instant): boolean {
  return isOpen(window, wallClock(window.timezone, at))
}

/**
 * The first instant, not before `at`, that lies in `window`. `undefined` when none does within 15
 * days, which takes a window that is always empty.
 */
export function nextOpening(window: TimeWindow, at: Instant): Instant | undefined {
  // A wall clock comes into a window only as it reaches the start, or as the zone sets it.
  const from = zoned(window.timezone, Math.ceil(at))
  const candidates = [Math.ceil(at), ...starts(window, from), ...transitions(from)]
  return candidates
    .filter((candidate) => candidate >= at)
    .sort((a, b) => a - b)
    .find((candidate) => isWithin(window, candidate))
}

function starts(window: TimeWindow, from: Temporal.ZonedDateTime): Instant[] {
  const { start } = window.hours ?? { start: 0 }
  const time = { hour: Math.floor(start / 60), minute: start % 60 }
  const today = from.toPlainDate()
  // From yesterday on: a clock set back at midnight shows yesterday's evening again.
  return Array.from({ length: HORIZON_DAYS + 2 }, (_, days) => today.add({ days: days - 1 }))
    .filter((date) => hasDay(window, WEEKDAYS[date.dayOfWeek - 1]!))
    .flatMap((date) => {
      const wall = date.toPlainDateTime(time)
      return (['earlier', 'later'] as const).map(
        (disambiguation) =>
          wall.toZonedDateTime(window.timezone, { disambiguation }).epochMilliseconds,
      )
    })
}

function transitions(from: Temporal.ZonedDateTime): Instant[] {
  const horizon = from.epochMilliseconds + HORIZON_DAYS * MINUTES_A_DAY * 60_000
  const found: Instant[] = []
  let next = from.getTimeZoneTransition('next')
  while (next !== null && next.epochMilliseconds <= horizon) {
    found.push(next.epochMilliseconds)
    next = next.getTimeZoneTransition('next')
  }
  return found
}

function zoned(timezone: string, at: Instant): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(timezone)
}

function hasDay({ days }: TimeWindow, weekday: Weekday): boolean {
  return days === undefined || days.includes(weekday)
}

function dayBefore(weekday: Weekday): Weekday {
  return WEEKDAYS[(WEEKDAYS.indexOf(weekday) + 6) % 7]!
}
