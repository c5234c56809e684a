import { type TimeWindow, WEEKDAYS, type Weekday } from '../../../src/domain/policy/types.ts'

interface Wall {
  readonly weekday: Weekday
  readonly minute: number
}

const formats = new Map<string, Intl.DateTimeFormat>()
const openMinutes = new Map<string, Set<number>>()

/** The clock in `timezone` as Intl prints it: another road to the time than the one under test. */
export function readWall(timezone: string, at: number): Wall {
  const format =
    formats.get(timezone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  formats.set(timezone, format)
  const [, weekday = '', hour, minute] = /^(\w+),? (\d\d):(\d\d)$/.exec(format.format(at)) ?? []
  return { weekday: weekday.toLowerCase() as Weekday, minute: Number(hour) * 60 + Number(minute) }
}

/** Whether the minute that `wall` shows is one of those that `window`, written out, consists of. */
export function isWithinByCalendar(window: TimeWindow, { weekday, minute }: Wall): boolean {
  const { days, hours, overnight } = window
  const key = JSON.stringify([days, hours, overnight])
  const minutes = openMinutes.get(key) ?? writeOut(window)
  openMinutes.set(key, minutes)
  return minutes.has(WEEKDAYS.indexOf(weekday) * 1440 + minute)
}

/** Every minute of the week that `window` is open. */
function writeOut({ days = WEEKDAYS, hours, overnight }: TimeWindow): Set<number> {
  const open = new Set<number>()
  for (const day of days) {
    const midnight = WEEKDAYS.indexOf(day) * 1440
    const start = hours?.start ?? 0
    const end = (hours?.end ?? 1440) + (overnight ? 1440 : 0)
    for (let minute = start; minute < end; minute++) open.add((midnight + minute) % (7 * 1440))
  }
  return open
}
