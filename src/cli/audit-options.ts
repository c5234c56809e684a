import {
  ACCESS_TYPES,
  BASES,
  OUTCOMES,
  RECORD_TYPES,
  type RecordFilter,
  type RecordType,
} from '../app/record-filter.ts'
import type { ArchiveSelection } from '../audit-deps.ts'
import { matchesGlob } from '../domain/policy/glob.ts'
import { EFFECTS, MODES } from '../domain/policy/types.ts'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { nearest } from '../near-miss.ts'
import type { Input, OptionSpecs } from './command.ts'
import { readTime } from './read-time.ts'

/** Which log is read, where its files are not named. */
export const ARCHIVE_OPTIONS = {
  'log-file': { type: 'string', value: 'PATH', summary: 'Read the decision log at PATH' },
} as const satisfies OptionSpecs

/** Which files of which log, of what a command was given. Throws `USAGE` for both at once. */
export function readArchive(
  args: readonly (string | undefined)[],
  { 'log-file': logFile }: Input<typeof ARCHIVE_OPTIONS>['options'],
): ArchiveSelection {
  const files = args.filter((file) => file !== undefined)
  if (files.length > 0 && logFile !== undefined) {
    throw new SentinelError('USAGE', '--log-file and files are both given', {
      hint: 'name the files alone',
    })
  }
  return { files, 'log-file': logFile }
}

/** From when until when. */
export const PERIOD_OPTIONS = {
  since: { type: 'string', value: 'TIME', summary: 'Only what was made since then: 2h, or a time' },
  until: { type: 'string', value: 'TIME', summary: 'Only what was made before: 2h, or a time' },
} as const satisfies OptionSpecs

/** What every record of an access may be picked by. */
export const RECORD_OPTIONS = {
  user: {
    type: 'string',
    value: 'USER',
    summary: 'Only what this user did: alice, sso:alice@corp.example, or with *',
  },
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'Only for this profile; * may stand in it',
  },
  rule: {
    type: 'string',
    value: 'RULE',
    summary: 'Only what this rule decided; * may stand in it',
  },
  mode: { type: 'string', value: 'MODE', summary: `Only in this mode: ${MODES.join(', ')}` },
  effect: {
    type: 'string',
    value: 'EFFECT',
    summary: `Only of this effect: ${EFFECTS.join(', ')}`,
  },
  outcome: { type: 'string', value: 'OUTCOME', summary: `Only what was ${OUTCOMES.join(', ')}` },
  basis: { type: 'string', value: 'BASIS', summary: `Only on this basis: ${BASES.join(', ')}` },
  session: {
    type: 'string',
    value: 'ID',
    summary: 'Only of this session: its id, or how it begins',
  },
  ...PERIOD_OPTIONS,
} as const satisfies OptionSpecs

type RecordOptions = Input<typeof RECORD_OPTIONS>['options']

/** Reads the {@link RECORD_OPTIONS}. Throws `USAGE`. */
export function readRecordFilter(options: RecordOptions, now: Instant): RecordFilter {
  const { user, profile, rule, mode, effect, outcome, basis, session } = options
  return {
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
    ...(rule !== undefined && { rule }),
    ...(mode !== undefined && { mode: readChoice('mode', mode, MODES) }),
    ...(effect !== undefined && { effect: readChoice('effect', effect, EFFECTS) }),
    ...(outcome !== undefined && { outcome: readChoice('outcome', outcome, OUTCOMES) }),
    ...(basis !== undefined && { basis: readChoice('basis', basis, BASES) }),
    ...(session !== undefined && { session }),
    ...readPeriod(options, now),
  }
}

/** Reads the {@link PERIOD_OPTIONS}. Throws `USAGE`, for a period that is none too. */
export function readPeriod(
  { since, until }: Input<typeof PERIOD_OPTIONS>['options'],
  now: Instant,
): { readonly since?: Instant; readonly until?: Instant } {
  const from = since === undefined ? undefined : readTime('--since', since, now, 'ago')
  const to = until === undefined ? undefined : readTime('--until', until, now, 'ago')
  if (from !== undefined && to !== undefined) {
    assertPeriod({ since: from, until: to }, { since, until })
  }
  return { ...(from !== undefined && { since: from }), ...(to !== undefined && { until: to }) }
}

/** Throws `USAGE` for a period that is none, by the `words` it was given in. */
export function assertPeriod(
  { since, until }: { readonly since: Instant; readonly until: Instant },
  words: { readonly since?: string | undefined; readonly until?: string | undefined },
): void {
  if (since < until) return
  throw new SentinelError('USAGE', `--until ${words.until} is not after --since ${words.since}`, {
    hint: 'durations are counted back from now: --since 2d --until 1d is the day before',
  })
}

/** Reads the value of `--NAME`, a `noun`, which is one of `choices`. Throws `USAGE`. */
export function readChoice<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
  noun: string = name,
): Choice {
  const choice = choices.find((known) => known === text)
  if (choice !== undefined) return choice
  const near = nearest(text, choices)
  throw new SentinelError('USAGE', `unknown ${noun} "${text}"`, {
    hint: near ? `did you mean ${near}?` : `--${name} is one of ${choices.join(', ')}`,
  })
}

/** Reads `--type`: types, or globs over them, by commas. Throws `USAGE`. */
export function readTypes(text: string): readonly RecordType[] {
  return text.split(',').flatMap((pattern) => {
    const types = RECORD_TYPES.filter((type) => matchesGlob(pattern, type))
    if (types.length > 0) return types
    return readChoice('type', pattern, RECORD_TYPES)
  })
}

/** The types that are shown where none is named, for help: what is left out. */
export const TYPES_LEFT_OUT = RECORD_TYPES.filter((type) => !ACCESS_TYPES.includes(type))
