import { SentinelError } from '../../errors.ts'

/** Primary result codes of SQLite: the low byte of what it reports. */
const BUSY = 5
const LOCKED = 6
const PROTOCOL = 15

/** What cannot be understood, rather than not be had: an error in SQL is a table not as we know. */
const INVALID: Record<number, string> = {
  1: 'is not laid out as it should be',
  11: 'is damaged',
  19: 'holds what it may not hold',
  20: 'is not laid out as it should be',
  24: 'is damaged',
  26: 'is no SQLite database',
}

const UNAVAILABLE: Record<number, string> = {
  3: 'may not be used',
  8: 'is read-only',
  13: 'cannot grow: the disk is full',
  14: 'cannot be opened',
}

/** Whether `error` says that another process has the lock just now. */
export function isBusy(error: unknown): boolean {
  const result = resultOf(error)
  return result === BUSY || result === LOCKED || result === PROTOCOL
}

/** What the user is told of `error`, which met work on the database at `path`. */
export function toFault(error: unknown, path: string): unknown {
  const result = resultOf(error)
  if (result === undefined) return toOtherFault(error, path)

  const invalid = INVALID[result]
  if (invalid) return invalidFault(error, `${path} ${invalid}`)
  const what = UNAVAILABLE[result] ?? `cannot be used (SQLite error ${result})`
  return new SentinelError('STORE_UNAVAILABLE', `${path} ${what}`, {
    hint: 'see to the disk and to who may write there, then try again',
    cause: error,
  })
}

/** What the system or Node says of the file; anything else is a bug and stays what it is. */
function toOtherFault(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === 'ERR_OUT_OF_RANGE') {
    return invalidFault(error, `${path} holds a number that is too large`)
  }
  if (!('syscall' in error)) return error
  return new SentinelError('STORE_UNAVAILABLE', `${path} cannot be opened (${error.code})`, {
    hint: 'see to the disk and to who may write there, then try again',
    cause: error,
  })
}

function invalidFault(error: unknown, message: string): SentinelError {
  return new SentinelError('STORE_INVALID', message, {
    hint: 'name another file, or move this one away: what was tracked in it is then gone',
    cause: error,
  })
}

function resultOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
