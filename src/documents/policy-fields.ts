/**
 * What a policy's rules are made of: names, users, windows of time, conditions.
 *
 * @module
 */
import * as z from 'zod'
import { matchesGlob } from '../domain/policy/glob.ts'
import { isTimezone, parseTimeOfDay } from '../domain/policy/time-window.ts'
import { MODES, NOTIFY_EVENTS, WEEKDAYS, type Weekday } from '../domain/policy/types.ts'
import { parseUserPattern } from '../domain/policy/user-pattern.ts'
import { nearest } from '../near-miss.ts'
import { account, rolePattern } from './aws-fields.ts'
import { choice, flag, formed, type IssueAdvice, line, list, mapping, text } from './fields.ts'

/** Longer than an account, a role and a session together. */
const USER_MAX = 256

/** A pattern over principals, and its text as written. */
export const user = text({
  noun: 'a pattern for users',
  description:
    '"*" for everybody, a name for IAM users and Identity Center sessions, or a kind and a ' +
    'name: iam:NAME, sso:NAME, role:ROLE/SESSION, federated:NAME, web:PROVIDER/SUBJECT, root.',
  pattern: /^(?:\*|root|[\w+=,.@*-]+|(?:iam|sso|role|federated|web):\S+)$/,
  parse: (text) =>
    text.length <= USER_MAX ? { text, pattern: parseUserPattern(text) } : undefined,
})

export function users(description: string) {
  return list(user, 'a list of users').meta({ description })
}

export function profiles(description: string) {
  const profile = line('a profile', "A profile's name, or a pattern with *.")
  return list(profile, 'a list of profiles').meta({ description })
}

const timezone = text({
  noun: 'an IANA time zone',
  description: 'An IANA zone such as Europe/Berlin or UTC. Offsets are none: they know no summer.',
  pattern: /^[A-Za-z][\w+/-]*$/,
  parse: (text) => (isTimezone(text) ? text : undefined),
  advise(text) {
    if (/^(?:UTC|GMT)?[+-]/.test(text))
      return 'name a place: an offset does not know of summer time'
    const near = nearest(text, Intl.supportedValuesOf('timeZone'))
    return near === undefined
      ? 'write a zone such as Europe/Berlin or UTC'
      : `did you mean "${near}"?`
  },
})

const MINUTES_A_DAY = 24 * 60

const start = text({
  noun: 'a time of day from 00:00 to 23:59',
  description: 'The first minute of the window.',
  pattern: /^(?:[01]\d|2[0-3]):[0-5]\d$/,
  parse(text) {
    const minute = parseTimeOfDay(text)
    return minute === MINUTES_A_DAY ? undefined : minute
  },
  hint: 'write it with two digits each, as "09:00"',
})

const end = text({
  noun: 'a time of day from 00:00 to 24:00',
  description: 'The first minute after the window.',
  pattern: /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/,
  parse: parseTimeOfDay,
  hint: 'write it with two digits each, as "17:00"',
})

export const timeWindow = mapping('a window of time, as { days: [monday], timezone: UTC }', {
  days: z.exactOptional(
    list(
      choice('a weekday', 'A day, in the zone of the window.', WEEKDAYS),
      'a list of weekdays',
    ).meta({ description: 'Left out: every day.' }),
  ),
  hours: z.exactOptional(
    mapping('hours, as { start: "09:00", end: "17:00" }', { start, end }).meta({
      description: 'Left out: the whole day.',
    }),
  ),
  timezone,
  overnight: z.exactOptional(flag('The window ends on the day after the one it belongs to.')),
})
  .superRefine((window, context) => {
    const problem = windowProblem(window)
    if (problem === undefined) return
    const { message, ...advice } = problem
    context.addIssue({ code: 'custom', message, params: advice })
  })
  .transform(({ overnight = false, ...window }) => ({ ...window, overnight }))
  .meta({ description: 'When the rule matches. It governs issuing: cap durations too.' })

interface WindowFields {
  readonly days?: readonly Weekday[]
  readonly hours?: { readonly start: number; readonly end: number }
  readonly overnight?: boolean
}

function windowProblem({
  days,
  hours,
  overnight = false,
}: WindowFields): (IssueAdvice & { readonly message: string }) | undefined {
  if (hours === undefined) {
    if (days === undefined) {
      const message = 'a window of time needs days or hours'
      return { message, hint: 'add one of them, or remove the window' }
    }
    const message = 'a window without hours is never overnight'
    return overnight
      ? { message, key: 'overnight', hint: 'remove overnight, or add hours' }
      : undefined
  }
  const [start, end] = [clock(hours.start), clock(hours.end)]
  if (hours.end > hours.start) {
    const message = `the window ${start} to ${end} ends on the day it starts`
    return overnight
      ? { message, key: 'overnight', hint: 'remove overnight, or exchange start and end' }
      : undefined
  }
  if (overnight) return undefined
  return {
    message:
      `the window ${start} to ${end} can be read in two ways: ${start} until ${end} of the ` +
      `next day, or ${end} until ${start} of one day`,
    key: 'hours',
    hint: 'add overnight: true for the first; exchange start and end for the second',
  }
}

function clock(minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60]
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

export const conditions = mapping('conditions, as { profiles: [prod] }, or {} for everything', {
  profiles: z.exactOptional(profiles('Profiles asked for. They must be bound in "profiles".')),
  users: z.exactOptional(users('Who asks.')),
  roles: z.exactOptional(
    list(rolePattern('A role ARN, or a pattern with *.'), 'a list of role ARNs').meta({
      description: 'Roles that are really served, whatever the profile is called.',
    }),
  ),
  accounts: z.exactOptional(
    list(account('An account id.'), 'a list of account ids').meta({
      description: 'Accounts of the roles that are really served.',
    }),
  ),
  mode: z.exactOptional(
    list(choice('a mode', 'A way to ask for credentials.', MODES), 'a list of modes').meta({
      description: 'How credentials are asked for.',
    }),
  ),
  time: z.exactOptional(timeWindow),
}).meta({ description: 'All that are there must match; what is left out matches anything.' })

export const notifyEvent = formed({
  noun: 'an event or a pattern of events',
  description: 'An event such as request.created, or a pattern such as break_glass.*.',
  pattern: /^[a-z_.*]+$/,
}).superRefine((pattern, context) => {
  if (NOTIFY_EVENTS.some((event) => matchesGlob(pattern, event))) return
  const near = nearest(pattern, NOTIFY_EVENTS)
  const known = `use one of: ${NOTIFY_EVENTS.join(', ')}`
  const advice: IssueAdvice = { hint: near === undefined ? known : `did you mean "${near}"?` }
  const message = `no event is called "${pattern}"`
  context.addIssue({ code: 'custom', message, params: advice })
})
