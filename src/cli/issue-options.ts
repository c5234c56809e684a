import { formatDuration, requireDuration } from '../domain/duration.ts'
import { SentinelError } from '../errors.ts'
import type { OptionSpecs } from './command.ts'

/** Which policy decides. */
export const POLICY_OPTIONS = {
  policy: { type: 'string', value: 'PATH', summary: 'Decide by the policy in this file' },
  'policy-parameter': {
    type: 'string',
    value: 'NAME',
    summary: 'Decide by the policy in this SSM parameter',
  },
} as const satisfies OptionSpecs

/** Where sessions are tracked. */
export const SESSION_STORE_OPTIONS = {
  'session-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'Track sessions in this DynamoDB table',
  },
  'session-store': {
    type: 'string',
    value: 'LOCATION',
    summary: 'Track sessions in local, sqlite:PATH or dynamodb:[REGION:]TABLE',
  },
} as const satisfies OptionSpecs

/** Where requests and break-glass events are kept. */
export const GRANT_STORE_OPTIONS = {
  'request-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'Look for approvals in this DynamoDB table',
  },
  'breakglass-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'Look for break-glass events in this DynamoDB table',
  },
} as const satisfies OptionSpecs

/** What every command understands that issues credentials. */
export const ISSUE_OPTIONS = {
  ...POLICY_OPTIONS,
  duration: {
    type: 'string',
    short: 'd',
    value: 'DURATION',
    summary: 'How long the credentials are to live (default: 1h)',
  },
  'no-session': {
    type: 'boolean',
    short: 'n',
    summary: 'With MFA: pass the code to AssumeRole, make no MFA session',
  },
  'log-file': { type: 'string', value: 'PATH', summary: 'Write the decision log to PATH' },
  'log-stderr': { type: 'boolean', summary: 'Write the decision log to stderr as well' },
  'accept-policy-reset': {
    type: 'boolean',
    summary: 'Accept a policy parameter that was deleted and made again',
  },
} as const satisfies OptionSpecs

const SHORTEST = 15 * 60
const LONGEST = 12 * 3600

/** Parses the value of a duration flag to seconds, within what STS can give. Throws `USAGE`. */
export function readDuration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = requireDuration(`--${flag}`, text)
  if (seconds >= SHORTEST && seconds <= LONGEST) return seconds
  throw new SentinelError('USAGE', `--${flag} ${formatDuration(seconds)} is not possible`, {
    hint: 'STS issues credentials for 15m to 12h',
  })
}
