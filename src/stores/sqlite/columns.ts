import type { Instant } from '../../domain/time.ts'
import { toTimestamp } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import type { Row } from './connection.ts'

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** The text in a column that always has one. This and the others throw `STORE_INVALID`. */
export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw invalid(row, column)
  return value
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (!Number.isSafeInteger(value)) throw invalid(row, column)
  return value as number
}

/** So many bytes, in hex. */
export function bytes(row: Row, column: string, length: number): string {
  const value = row[column]
  if (value instanceof Uint8Array && value.length === length) {
    return Buffer.from(value).toString('hex')
  }
  throw invalid(row, column)
}

export function instant(row: Row, column: string): Instant {
  const value = text(row, column)
  const at = TIMESTAMP.test(value) ? Date.parse(value) : Number.NaN
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(at) || toTimestamp(at) !== value) throw invalid(row, column)
  return at
}

/** The field `name`, read from a column that may be empty: no field then. */
export function optional<Name extends string, Value>(
  name: Name,
  row: Row,
  column: string,
  read: (row: Row, column: string) => Value,
): { [name in Name]?: Value } {
  if (row[column] === null) return {}
  return { [name]: read(row, column) } as { [name in Name]: Value }
}

/** What a row that cannot be understood is refused with. */
export function invalid(row: Row, column: string): SentinelError {
  return new SentinelError('STORE_INVALID', `the record ${row.id} has no valid ${column}`, {
    hint: 'look at who else writes to the store, and delete the record if it is of no use',
  })
}
