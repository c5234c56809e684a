import { parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'

/** The location that the value of a flag `--…-table` stands for. Throws `USAGE`. */
export function locationOfTable(flag: string, table: string): string {
  const location = table.startsWith('arn:') ? table : `dynamodb:${table}`
  if (parseStoreLocation(location)?.kind === 'dynamodb') return location
  throw new SentinelError('USAGE', `--${flag} is not the name of a table: "${table}"`, {
    hint: 'write TABLE, REGION:TABLE or the ARN of a table',
  })
}
