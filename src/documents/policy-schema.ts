/**
 * The policy as people write it: every key, in one place. docs/policy.md explains it.
 *
 * @module
 */
import * as z from 'zod'
import { EFFECTS, MODES, type PolicyTest, REASON_CODES } from '../domain/policy/types.ts'
import { account, roleArn, rolePattern, storeLocation, topicArn, webhookURL } from './aws-fields.ts'
import {
  camelKeys,
  choice,
  count,
  duration,
  flag,
  type IssueAdvice,
  line,
  list,
  mapping,
  text,
} from './fields.ts'
import { conditions, notifyEvent, profiles, timeWindow, user, users } from './policy-fields.ts'

const effect = choice('an effect', 'What the rule says to a request that it matches.', EFFECTS)

const rule = mapping('a rule', {
  name: line('the name of a rule', 'Stands in records and explanations. No two are the same.'),
  effect,
  conditions,
  reason: z.exactOptional(line('a reason', 'Shown to whoever the rule decides about.')),
  max_duration: z.exactOptional(
    duration('The longest life of credentials.', { from: '15m', to: '12h' }),
  ),
  max_server_duration: z.exactOptional(
    duration('The same in server mode, besides max_duration.', { from: '15m', to: '12h' }),
  ),
  unstamped: z.exactOptional(
    z.literal('allow', { error: 'allow' }).meta({
      description: 'Accepts profiles without a role, whose credentials carry no stamp.',
    }),
  ),
}).transform(({ unstamped, ...rule }) => ({
  ...camelKeys(rule),
  unstamped: unstamped === 'allow',
}))

const approval = mapping('an approval rule', {
  name: line('the name of an approval rule', 'Stands in records. No two are the same.'),
  profiles: profiles('Profiles that may be requested.'),
  users: users('Who may request.'),
  approvers: users('Who may approve: never the requester.'),
  required: z
    .exactOptional(count('How many approvals it takes: 1 by default.', { minimum: 1, maximum: 10 }))
    .meta({ default: 1 }),
  max_duration: z.exactOptional(
    duration('The longest life of an approval.', { from: '15m', to: '8h' }),
  ),
  auto_approve: z.exactOptional(
    mapping('auto-approval, as { users: [alice], max_duration: 1h }', {
      users: z.exactOptional(users('Who needs to wait for nobody.')),
      time: z.exactOptional(timeWindow),
      max_duration: z.exactOptional(
        duration('The longest life of such an approval.', { from: '15m', to: '8h' }),
      ),
    })
      .refine((auto) => Object.keys(auto).length > 0, {
        message: 'auto_approve is empty, and would approve everything',
        params: { hint: 'name users, time or max_duration' } satisfies IssueAdvice,
      })
      .transform(camelKeys)
      .meta({ description: 'Approves at once what all of these match.', minProperties: 1 }),
  ),
}).transform(({ required = 1, ...rule }) => ({ ...camelKeys(rule), required }))

function quota(description: string) {
  return mapping('a quota, as { count: 3, window: 24h }', {
    count: count('How many events.', { minimum: 1, maximum: 1000 }),
    window: duration('In how long a time, up to now.', { from: '15m', to: '31d' }),
  }).meta({ description })
}

const breakGlass = mapping('a break-glass rule', {
  name: line('the name of a break-glass rule', 'Stands in records. No two are the same.'),
  profiles: profiles('Profiles that may be entered.'),
  users: users('Who may break glass.'),
  reviewers: z.exactOptional(users("Who reviews afterwards: by default the profile's approvers.")),
  reason_codes: z.exactOptional(
    list(
      choice('a reason code', 'A code to be given.', REASON_CODES),
      'a list of reason codes',
    ).meta({ description: 'Codes that are accepted: all by default.' }),
  ),
  max_duration: z.exactOptional(
    duration('The longest life of an event.', { from: '15m', to: '4h' }),
  ),
  cooldown: z.exactOptional(
    duration('From the end of one event to the start of the next.', { from: '1m', to: '7d' }),
  ),
  max_per_user: z.exactOptional(quota('How often one person may.')),
  max_per_profile: z.exactOptional(quota('How often all together may, for one profile.')),
  review_within: z.exactOptional(
    duration('From the end of an event to its review.', { from: '15m', to: '31d' }),
  ),
  block_when_overdue: z.exactOptional(flag('Refuses the next event while a review is overdue.')),
  overrides_deny: z.exactOptional(flag('Lifts an explicit deny too.')),
})
  .superRefine(({ block_when_overdue, review_within }, context) => {
    if (block_when_overdue !== true || review_within !== undefined) return
    const advice: IssueAdvice = { hint: 'add review_within: 72h', key: 'block_when_overdue' }
    const message = 'no review is ever overdue without review_within'
    context.addIssue({ code: 'custom', message, params: advice })
  })
  .transform(
    ({
      reason_codes = REASON_CODES,
      block_when_overdue = false,
      overrides_deny = false,
      ...rule
    }) => ({
      ...camelKeys(rule),
      reasonCodes: reason_codes,
      blockWhenOverdue: block_when_overdue,
      overridesDeny: overrides_deny,
    }),
  )

const notification = mapping('a notification', {
  events: list(notifyEvent, 'a list of events').meta({ description: 'What is announced.' }),
  webhook: z.exactOptional(webhookURL('Where signed JSON is posted to.')),
  slack: z.exactOptional(webhookURL('The address of a webhook that Slack understands.')),
  sns: z.exactOptional(topicArn('The ARN of a topic to publish to.')),
}).refine(({ webhook, slack, sns }) => [webhook, slack, sns].filter(Boolean).length === 1, {
  message: 'a notification needs one of webhook, slack and sns',
  params: { hint: 'write one notification for each address' } satisfies IssueAdvice,
})

const instant = text({
  noun: 'a point in time',
  description: 'A point in time with its offset: 2026-01-14T23:00:00+01:00.',
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/,
  parse: parseInstant,
  hint: 'write it with an offset, as 2026-01-14T23:00:00+01:00',
})

function parseInstant(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    // A RangeError is how Temporal says that there is no such time: 30 February.
    return undefined
  }
}

const oneUser = user.superRefine(({ text, pattern }, context) => {
  if (pattern.kind !== 'any' && !text.includes('*')) return
  const advice: IssueAdvice = { hint: 'write one user, as iam:alice or sso:x@corp.example' }
  context.addIssue({ code: 'custom', message: 'a test is about one user', params: advice })
})

const policyTest = mapping('a test', {
  name: line('the name of a test', 'Says what is true. No two are the same.'),
  given: mapping('a request, as { user: "iam:alice", profile: prod, mode: cli }', {
    user: oneUser.transform(({ text }) => text).meta({ description: 'Who asks.' }),
    profile: line('the name of a profile', 'What is asked for.'),
    mode: choice('a mode', 'How it is asked for.', MODES),
    at: z.exactOptional(instant),
    role: z.exactOptional(roleArn('The role that the profile really stands for.')),
  }).meta({ description: 'A request.' }),
  expect: effect.meta({ description: 'The effect that decides about the request.' }),
}).transform((test): PolicyTest => test)

/** The document. Its output is a policy but for `profiles`, whose order only the document knows. */
export const policyDocument = mapping('a policy', {
  version: z.literal('1', { error: 'the version "1"' }).meta({ description: 'Always "1".' }),
  principal_accounts: z.exactOptional(
    list(account('An account id.'), 'a list of account ids').meta({
      description:
        'Accounts whose IAM users and Identity Center sessions names without a kind mean.',
    }),
  ),
  profiles: z.exactOptional(
    z
      .record(
        line('a profile', "A profile's name, or a pattern with *."),
        mapping('a binding, as { role: "arn:aws:iam::111122223333:role/NAME" }', {
          role: rolePattern('The role that the profile must stand for, or a pattern with *.'),
        }),
        { error: 'bindings, as { prod: { role: "arn:aws:iam::111122223333:role/NAME" } }' },
      )
      .refine((profiles) => Object.keys(profiles).length > 0, {
        message: 'the mapping is empty',
        params: { hint: 'bind a profile to its role, or leave the key out' } satisfies IssueAdvice,
      })
      .meta({ description: 'What the name of a profile must stand for.', minProperties: 1 }),
  ),
  strict_profiles: z.exactOptional(
    flag('Makes it an error to allow a profile that is bound to no role or account.'),
  ),
  stores: z.exactOptional(
    mapping('stores, as { sessions: local }', {
      sessions: z.exactOptional(storeLocation('Where sessions are tracked.')),
      requests: z.exactOptional(storeLocation('Where requests and approvals are kept.')),
      break_glass: z.exactOptional(storeLocation('Where break-glass events are kept.')),
    })
      .transform(camelKeys)
      .meta({ description: 'Stores that nobody may replace by a flag or a setting.' }),
  ),
  session_outage: z.exactOptional(
    choice('allow or deny', 'What happens when the session store is silent for longer.', [
      'allow',
      'deny',
    ]),
  ),
  session_grace: z.exactOptional(
    duration('How long credentials are served without an answer of the session store.', {
      from: '10s',
      to: '15m',
    }),
  ),
  rules: list(
    rule,
    'a list of rules',
    'write at least one rule: without any, everything is denied',
  ).meta({ description: 'Tried in order: the first that matches decides, and none denies.' }),
  approvals: z.exactOptional(
    list(approval, 'a list of approval rules').meta({
      description: 'Who may approve what. The first that matches counts.',
    }),
  ),
  break_glass: z.exactOptional(
    list(breakGlass, 'a list of break-glass rules').meta({
      description: 'Who may enter what in an emergency. The first that matches counts.',
    }),
  ),
  notify: z.exactOptional(
    list(notification, 'a list of notifications').meta({ description: 'Who is told of what.' }),
  ),
  tests: z.exactOptional(
    list(policyTest, 'a list of tests').meta({
      description: 'What the policy must say: run by sentinel policy test.',
    }),
  ),
})

/** The JSON Schema of a policy as it is written, for editors: it knows less than `parsePolicy`. */
export function policyJsonSchema(): object {
  return {
    title: 'Sentinel policy',
    ...z.toJSONSchema(policyDocument, { io: 'input', target: 'draft-2020-12' }),
  }
}
