import type { GrantFlags } from '../deps.ts'
import { EVENT_STATUSES, type EventStatus, LONGEST_EVENT } from '../domain/break-glass.ts'
import { formatDuration, requireDuration } from '../domain/duration.ts'
import { REASON_CODES } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import type { OptionSpecs } from './command.ts'
import { POLICY_OPTIONS } from './issue-options.ts'
import { quoted } from './session-words.ts'

/** What every command about break-glass events understands: the store, and the policy. */
export const BREAK_GLASS_OPTIONS = {
  'breakglass-table': {
    type: 'string',
    value: 'TABLE',
    summary: 'The break-glass events in this DynamoDB table',
  },
  ...POLICY_OPTIONS,
} as const satisfies OptionSpecs

const OUTCOMES = ['justified', 'misuse'] as const

/** Seconds. */
const SHORTEST = 15 * 60

/** Reads `--reason-code`. Throws `USAGE`. */
export function readReasonCode(text: string): (typeof REASON_CODES)[number] {
  return readWord(text, REASON_CODES, 'reason code')
}

/** Reads `--outcome`. Throws `USAGE`. */
export function readOutcome(text: string): (typeof OUTCOMES)[number] {
  return readWord(text, OUTCOMES, 'outcome')
}

/** Reads `--status`. Throws `USAGE`. */
export function readEventStatus(text: string): EventStatus {
  return readWord(text, EVENT_STATUSES, 'status')
}

/** Parses `--duration`: how long an event may be asked to live. Throws `USAGE`. */
export function readEventDuration(text: string): number {
  const seconds = requireDuration('--duration', text)
  if (seconds >= SHORTEST && seconds <= LONGEST_EVENT) return seconds
  throw new SentinelError('USAGE', `--duration ${formatDuration(seconds)} is not possible`, {
    hint: 'a break-glass event lives 15m to 4h',
  })
}

/** The flags that lead another command to the same events, each after a blank. */
export function breakGlassFlags(options: GrantFlags): string {
  return (['breakglass-table', 'policy', 'policy-parameter'] as const)
    .flatMap((name) => {
      const value = options[name]
      return value === undefined ? [] : [` --${name} ${quoted(value)}`]
    })
    .join('')
}

function readWord<Word extends string>(text: string, words: readonly Word[], what: string): Word {
  const word = words.find((known) => known === text)
  if (word !== undefined) return word
  const near = nearest(text, words)
  throw new SentinelError('USAGE', `unknown ${what} "${text}"`, {
    hint: near ? `did you mean ${near}?` : `give one of ${words.join(', ')}`,
  })
}
