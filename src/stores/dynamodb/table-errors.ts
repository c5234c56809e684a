import { locationOf, type WantedTable } from '../../domain/table.ts'
import { hasCode, SentinelError } from '../../errors.ts'
import { tableError } from './faults.ts'

/** All that making a table asks for: what has to be allowed to whoever does it. */
export const TABLE_ACTIONS = [
  'dynamodb:CreateTable',
  'dynamodb:DescribeTable',
  'dynamodb:DescribeTimeToLive',
  'dynamodb:UpdateTimeToLive',
  'dynamodb:DescribeContinuousBackups',
  'dynamodb:UpdateContinuousBackups',
]
const KMS_ACTIONS = ['kms:DescribeKey', 'kms:CreateGrant']

/** Translates what the client threw when it was asked for `action` to make `table`. */
export function creationError(error: unknown, action: string, table: WantedTable): SentinelError {
  if (error instanceof SentinelError) return error
  const { name = '', message = '' } = error instanceof Error ? error : {}
  const what = `dynamodb:${action} on ${locationOf(table)}`
  const cause = { name }
  if (name === 'AccessDeniedException') {
    const actions = table.kmsKey === undefined ? TABLE_ACTIONS : [...TABLE_ACTIONS, ...KMS_ACTIONS]
    return new SentinelError('STORE_UNAVAILABLE', `AWS does not allow ${what} to the caller`, {
      hint: `allow ${actions.join(', ')}, or name another caller with --aws-profile`,
      cause,
    })
  }
  if (name === 'ValidationException' || name === 'LimitExceededException') {
    // AWS says in words alone what it does not like, and quotes nothing but the request.
    const sentence = message.slice(0, 300).replace(/\.$/, '')
    return new SentinelError('STORE_UNAVAILABLE', `AWS refused ${what}: ${sentence}`, {
      hint: 'mend what it says, and run this again: it goes on where it stopped',
      cause,
    })
  }
  return tableError(error, { location: locationOf(table), action }, false)
}

/** Whether `error`, translated, is that what answers has no such call: it is not AWS itself. */
export function isUnknownCall(error: unknown): boolean {
  if (!hasCode(error, 'STORE_UNAVAILABLE')) return false
  const { name } = (error.cause ?? {}) as { readonly name?: unknown }
  return name === 'UnknownOperationException'
}
