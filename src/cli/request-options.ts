import type { GrantFlags } from '../deps.ts'
import { LONGEST_ASK, REQUEST_STATUSES, type RequestStatus } from '../domain/access-request.ts'
import { formatDuration, requireDuration } from '../domain/duration.ts'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import type { OptionSpecs } from './command.ts'
import { POLICY_OPTIONS } from './issue-options.ts'
import { quoted } from './session-words.ts'

/** What every command about requests understands: the store, and the policy. */
export const REQUEST_OPTIONS = {
  'request-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'The requests in this DynamoDB table',
  },
  ...POLICY_OPTIONS,
} as const satisfies OptionSpecs

/** Seconds: no access is asked or approved for less, since STS issues for no less. */
const SHORTEST = 15 * 60

/** Parses `--duration`: what may be asked or approved for. Throws `USAGE`. */
export function readAccessDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = requireDuration('--duration', text)
  if (seconds >= SHORTEST && seconds <= LONGEST_ASK) return seconds
  throw new SentinelError('USAGE', `--duration ${formatDuration(seconds)} is not possible`, {
    hint: 'access is asked for, and approved, for 15m to 8h',
  })
}

/** Reads why access is asked for. Throws `USAGE`. */
export function readJustification(text: string): string {
  return readText('--justification', text, { least: 10, most: 500 })
}

/** Reads what a reviewer says. Throws `USAGE`. */
export function readComment(text: string | undefined): string | undefined {
  return text === undefined ? undefined : readText('--comment', text, { least: 1, most: 500 })
}

/** Reads `--status`. Throws `USAGE`. */
export function readRequestStatus(text: string): RequestStatus {
  const status = REQUEST_STATUSES.find((known) => known === text)
  if (status) return status
  const near = nearest(text, REQUEST_STATUSES)
  throw new SentinelError('USAGE', `unknown status "${text}"`, {
    hint: near ? `did you mean ${near}?` : `a request is ${REQUEST_STATUSES.join(', ')}`,
  })
}

/** Reads `--limit`. Throws `USAGE`. */
export function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SentinelError('USAGE', `--limit is not a number of rows: "${text}"`, {
    hint: 'write a whole number from 1',
  })
}

/** The flags that lead another command to the same requests, each after a blank. */
export function requestFlags(options: GrantFlags): string {
  return (['request-table', 'policy', 'policy-parameter'] as const)
    .flatMap((name) => {
      const value = options[name]
      return value === undefined ? [] : [` --${name} ${quoted(value)}`]
    })
    .join('')
}

/** Reads what somebody says for the record, given with `flag`. Throws `USAGE`. */
export function readText(
  flag: string,
  given: string,
  { least, most }: { readonly least: number; readonly most: number },
): string {
  const text = given.trim()
  const { length } = [...text]
  if (length >= least && length <= most) return text
  throw new SentinelError('USAGE', `${flag} has ${length} characters`, {
    hint: `say in ${least} to ${most} characters why, for whoever reads the record`,
  })
}
