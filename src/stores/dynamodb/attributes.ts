import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'

/** A row of a table, as the SDK sees it. */
export type Item = Readonly<Record<string, AttributeValue>>

export const text = (value: string): AttributeValue => ({ S: value })
export const integer = (value: number): AttributeValue => ({ N: String(value) })
export const flag = (value: boolean): AttributeValue => ({ BOOL: value })
export const time = (instant: Instant): AttributeValue => ({ S: toTimestamp(instant) })
/** Bytes that are given, and read back, in hex. */
export const binary = (hex: string): AttributeValue => ({ B: Buffer.from(hex, 'hex') })

/** The attributes of one row, each read as what it has to be; else `STORE_INVALID`. */
export interface Row {
  has(name: string): boolean
  text(name: string): string
  /** Not negative. */
  integer(name: string): number
  instant(name: string): Instant
  flag(name: string): boolean
  /** So many bytes, in hex. */
  binary(name: string, length: number): string
  /** What `read` makes of the row when it has `name`: nothing otherwise. */
  optional<Value>(name: string, read: (name: string) => Value): Value | undefined
  /** Says that the row is not one that Sentinel wrote. */
  invalid(problem: string): SentinelError
}

/** Opens `item`, of the table at `location`, for reading. */
export function openRow(item: Item, location: string): Row {
  const has = (name: string) => Object.hasOwn(item, name)

  function invalid(problem: string): SentinelError {
    const row = item.id?.S === undefined ? 'a row' : `the row ${item.id.S}`
    return new SentinelError('STORE_INVALID', `${row} of ${location} is not valid: ${problem}`, {
      hint: 'delete the row, or correct what wrote it',
    })
  }

  function read(name: string, kind: 'S' | 'N'): string {
    const value = has(name) ? (item[name] as { S?: unknown; N?: unknown })[kind] : undefined
    if (typeof value === 'string') return value
    throw unreadable(name)
  }

  function unreadable(name: string): SentinelError {
    return invalid(`${name} is ${has(name) ? 'of another type' : 'missing'}`)
  }

  const row: Row = {
    has,
    invalid,
    text: (name) => read(name, 'S'),
    integer(name) {
      const digits = read(name, 'N')
      if (/^\d{1,16}$/.test(digits) && Number.isSafeInteger(Number(digits))) return Number(digits)
      throw invalid(`${name} is not a whole number`)
    },
    instant(name) {
      const written = read(name, 'S')
      const instant = Date.parse(written)
      // Only one spelling sorts as text, and 30 February would be read as a day in March.
      if (!Number.isNaN(instant) && toTimestamp(instant) === written) return instant
      throw invalid(`${name} is not a time`)
    },
    flag(name) {
      const value = has(name) ? item[name]?.BOOL : undefined
      if (typeof value === 'boolean') return value
      throw unreadable(name)
    },
    binary(name, length) {
      const bytes = has(name) ? item[name]?.B : undefined
      if (!(bytes instanceof Uint8Array)) throw unreadable(name)
      if (bytes.length === length) return Buffer.from(bytes).toString('hex')
      throw invalid(`${name} has not ${length} bytes`)
    },
    optional: (name, read) => (has(name) ? read(name) : undefined),
  }
  return row
}
