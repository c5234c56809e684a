import { type Instant, toTimestamp } from '../domain/time.ts'

/** A file of the log that is written no more, by its name. */
interface RotatedName {
  /** When it was moved aside; later ones have later times, which their names sort by as well. */
  readonly at: Instant
  readonly isCompressed: boolean
}

/** The name under which `log`, a path or a name, is kept when it is moved aside at `at`. */
export function rotatedName(log: string, at: Instant): string {
  return `${log}.${stampOf(at)}`
}

/** Reads what {@link rotatedName} made of `log`; `undefined` for anything else. */
export function readRotatedName(name: string, log: string): RotatedName | undefined {
  if (!name.startsWith(`${log}.`)) return undefined
  const [, stamp = '', ...digits] = STAMP.exec(name.slice(log.length + 1)) ?? []
  const [year, month, day, hour, minute, second, millisecond, end] = digits
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`)
  // February 30th is read as March 2nd, or not at all: it is no name of ours.
  if (Number.isNaN(at) || stampOf(at) !== stamp) return undefined
  return { at, isCompressed: end !== undefined }
}

const STAMP = /^((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z)(\.gz)?$/

/** `20260114T090000123Z`: no character that a file system or a shell takes for more. */
function stampOf(at: Instant): string {
  return toTimestamp(at).replace(/[-:.]/g, '')
}
