import type { Period } from '../app/join-trail.ts'
import { HOUR, type Instant, toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { assertPeriod } from './audit-options.ts'
import type { Input, OptionSpecs } from './command.ts'
import { readTime } from './read-time.ts'

/** What of CloudTrail is looked at, and for which roles. */
export const TRAIL_OPTIONS = {
  since: {
    type: 'string',
    value: 'TIME',
    summary: 'What happened since then: 2h, or a time (default: 24h)',
  },
  until: { type: 'string', value: 'TIME', summary: 'What happened until then (default: now)' },
  role: {
    type: 'string',
    value: 'ARN[,ARN…]',
    summary: 'Protect these roles too, * in them for anything; the policy and the log name others',
  },
  regions: {
    type: 'string',
    value: 'REGION[,…]',
    summary: "Look in these regions alone (default: the profiles' own, and us-east-1)",
  },
  'limit-lookups': {
    type: 'string',
    value: 'N',
    summary: 'Look up at most so many issuances that were not seen made (default: 100)',
  },
} as const satisfies OptionSpecs

type Options = Input<typeof TRAIL_OPTIONS>['options']

const KEPT = 90 * 24 * HOUR
const DEFAULT = { since: '24h', lookups: 100 } as const

/** The period of the {@link TRAIL_OPTIONS}. Throws `USAGE` for one that CloudTrail has not. */
export function readTrailPeriod({ since: from = DEFAULT.since, until: to }: Options, now: Instant) {
  const since = readTime('--since', from, now, 'ago')
  const until = to === undefined ? now : readTime('--until', to, now, 'ago')
  if (since < now - KEPT) {
    throw new SentinelError('USAGE', `CloudTrail keeps events for 90 days: ${from} is too long`, {
      hint: `look since ${toSeconds(now - KEPT + HOUR)} or later, or ask a trail of your own`,
    })
  }
  if (since >= now) {
    throw new SentinelError('USAGE', `--since ${from} is yet to come`, {
      hint: 'give a time that is over',
    })
  }
  assertPeriod({ since, until }, { since: from, until: to })
  return { since, until: Math.min(until, now) } satisfies Period
}

/** ARNs of roles, or globs over them. Names of roles may have commas. Throws `USAGE`. */
export function readRoles({ role }: Options): readonly string[] {
  const roles = role?.split(/,(?=arn:|\*)/) ?? []
  for (const pattern of roles) {
    if (/^(?:arn:[^ ]+|\*[^ ]*)$/.test(pattern)) continue
    throw new SentinelError('USAGE', `--role is not the ARN of a role: "${pattern}"`, {
      hint: 'write arn:aws:iam::444455556666:role/Prod, or *:role/Prod for that of any account',
    })
  }
  return roles
}

/** Throws `USAGE`. */
export function readRegions({ regions: text }: Options): readonly string[] | undefined {
  const regions = text?.split(',')
  for (const region of regions ?? []) {
    if (/^[a-z]{2,}(?:-[a-z]+)+-\d$/.test(region)) continue
    throw new SentinelError('USAGE', `--regions has what is no region: "${region}"`, {
      hint: 'write eu-central-1,us-east-1',
    })
  }
  return regions
}

/** Throws `USAGE`. */
export function readLookups({ 'limit-lookups': text }: Options): number {
  if (text === undefined) return DEFAULT.lookups
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new SentinelError('USAGE', `--limit-lookups is not a number: "${text}"`, {
    hint: 'write a whole number; 0 looks nothing up',
  })
}
