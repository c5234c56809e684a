import { SentinelError } from '../errors.ts'

const UNITS = { d: 86_400, h: 3600, m: 60, s: 1 } as const

/** Parses `90s`, `15m`, `1h30m` or `7d` to seconds; `undefined` when `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text)
  if (match === null || text === '') return undefined
  const [, d = 0, h = 0, m = 0, s = 0] = match
  const seconds = Number(d) * UNITS.d + Number(h) * UNITS.h + Number(m) * UNITS.m + Number(s)
  return seconds > 0 ? seconds : undefined
}

/** As {@link parseDuration}; throws `USAGE` naming `what` instead of answering `undefined`. */
export function requireDuration(what: string, text: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw new SentinelError('USAGE', `${what} is not a duration: "${text}"`, {
    hint: 'write a duration as 90s, 15m, 1h30m or 7d',
  })
}

/** The shortest form that {@link parseDuration} reads back: `1h30m`. */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds))
  let text = ''
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}
