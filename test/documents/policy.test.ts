import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { checkPolicy, parsePolicy } from '../../src/documents/policy.ts'
import { hasCode } from '../../src/errors.ts'
import { COMPLETE, policyWhen, policyWith, SAMPLE } from './documents.ts'

/** All problems, as `line:column message | hint`. */
function problemsOf(text: string): string[] {
  const { problems, policy } = checkPolicy(text, 'p')
  assert.equal(policy === undefined, problems.length > 0)
  return problems.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint ?? ''}`,
  )
}

suite('parsePolicy', () => {
  test('reads the policy of the design, without a warning', () => {
    const { policy, warnings } = parsePolicy(SAMPLE, 'sample')

    assert.deepEqual(warnings, [])
    assert.deepEqual(
      policy.rules.map(({ name, effect }) => `${name}: ${effect}`),
      [
        'contractors-out: deny',
        'dev: allow',
        'prod-hours: require_server_session',
        'prod: require_approval',
      ],
    )
    assert.deepEqual(policy.rules[2]?.conditions, {
      profiles: ['prod'],
      users: [
        { text: 'alice', pattern: { kind: 'person', name: 'alice' } },
        { text: 'sso:*@corp.example', pattern: { kind: 'sso', name: '*@corp.example' } },
      ],
      time: {
        days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
        hours: { start: 540, end: 1020 },
        timezone: 'Europe/Berlin',
        overnight: false,
      },
    })
    assert.equal(policy.rules[2]?.maxServerDuration, 1800)
    assert.deepEqual(policy.stores, {
      sessions: 'dynamodb:eu-central-1:sentinel-sessions',
      requests: 'dynamodb:eu-central-1:sentinel-requests',
      breakGlass: 'dynamodb:eu-central-1:sentinel-breakglass',
    })
  })

  test('reads every key there is', () => {
    const { policy, warnings } = parsePolicy(COMPLETE, 'complete')

    assert.deepEqual(warnings, [])
    assert.deepEqual(policy.principalAccounts, ['111122223333', '012345678901'])
    assert.equal(policy.strictProfiles, true)
    assert.equal(policy.sessionOutage, 'deny')
    assert.equal(policy.sessionGrace, 90)
    const [night, dev] = policy.rules
    assert.deepEqual(night?.conditions.time, {
      days: ['saturday', 'sunday'],
      hours: { start: 1320, end: 360 },
      timezone: 'America/New_York',
      overnight: true,
    })
    assert.equal(night?.reason, 'nobody works at night')
    assert.deepEqual(
      [dev?.unstamped, dev?.maxDuration, dev?.maxServerDuration],
      [true, 43_200, 900],
    )
    assert.deepEqual(policy.approvals[0]?.autoApprove, {
      users: [{ text: 'sso:oncall-*', pattern: { kind: 'sso', name: 'oncall-*' } }],
      time: { days: ['monday'], timezone: 'UTC', overnight: false },
      maxDuration: 3600,
    })
    assert.equal(policy.approvals[0]?.required, 2)
    const [breakGlass] = policy.breakGlass
    assert.deepEqual(breakGlass?.maxPerProfile, { count: 10, window: 604_800 })
    assert.deepEqual([breakGlass?.cooldown, breakGlass?.reviewWithin], [1800, 259_200])
    assert.deepEqual([breakGlass?.blockWhenOverdue, breakGlass?.overridesDeny], [true, true])
    assert.equal(policy.notify[1]?.slack, 'http://127.0.0.1:8080/slack')
    assert.equal(policy.tests[0]?.given.at, Date.UTC(2026, 0, 17, 23))
  })

  test('fills in what may be left out', () => {
    const { policy } = parsePolicy(
      policyWith(`approvals: [{ name: a, profiles: [prod], users: ["*"], approvers: [bob] }]
break_glass: [{ name: b, profiles: [prod], users: [bob] }]`),
      'p',
    )
    assert.equal(policy.approvals[0]?.required, 1)
    const [breakGlass] = policy.breakGlass
    assert.deepEqual(breakGlass?.reasonCodes, [
      'incident',
      'maintenance',
      'security',
      'recovery',
      'other',
    ])
    assert.deepEqual([breakGlass?.blockWhenOverdue, breakGlass?.overridesDeny], [false, false])
    assert.deepEqual([policy.strictProfiles, policy.notify, policy.tests], [false, [], []])
    assert.equal('sessionGrace' in policy, false)
  })

  test('keeps bindings in the order written, even for names that look like numbers', () => {
    const { policy } = parsePolicy(
      `version: "1"
profiles:
  "b*": { role: "arn:aws:iam::111122223333:role/B" }
  "7": { role: "arn:aws:iam::111122223333:role/Seven" }
  constructor: { role: "arn:aws:iam::111122223333:role/C" }
rules: [{ name: r, effect: deny, conditions: {} }]`,
      'p',
    )
    assert.deepEqual(
      policy.profiles?.map(({ profile }) => profile),
      ['b*', '7', 'constructor'],
    )
  })

  test('throws the first problem with its place, and says that there are more', () => {
    const text = 'version: 1\nrules: []\nprofile: 3\n'
    assert.throws(
      () => parsePolicy(text, 'file:/p.yaml'),
      (error) => {
        assert.ok(hasCode(error, 'POLICY_INVALID'))
        assert.equal(
          error.message,
          'file:/p.yaml:1:10: expected the version "1", found the number 1',
        )
        assert.equal(
          error.hint,
          'quote it: "1"; see 2 more problems with: sentinel policy validate',
        )
        return true
      },
    )
  })

  test('throws for YAML that cannot be read strictly', () => {
    assert.throws(() => parsePolicy('version: &a "1"', 'ssm:/p'), {
      code: 'POLICY_INVALID',
      message: 'ssm:/p:1:10: anchors are not allowed',
      hint: 'write the value out where it is used',
    })
  })

  test('gives warnings with their place', () => {
    const { warnings } = parsePolicy(
      'version: "1"\nrules:\n- name: a\n  effect: deny\n  conditions:\n    users: [bob]',
      'p',
    )
    assert.deepEqual(warnings, ['p:6:13: "bob" means users of that name in every AWS account'])
  })
})

suite('checkPolicy refuses', () => {
  const documents: [what: string, text: string, ...problems: RegExp[]][] = [
    ['nothing', '', /^1:1 expected a policy, found nothing/],
    ['a list', '- a', /^1:1 expected a policy, found a list/],
    [
      'a policy without rules',
      'version: "1"',
      /^1:1 the key "rules" is missing \| write a list of rules$/,
    ],
    ['an empty list of rules', 'version: "1"\nrules: []', /^2:8 the list is empty \| .*denied$/],
    [
      'rules without a value',
      'version: "1"\nrules:',
      /^2:7 expected a list of rules, found nothing/,
    ],
    [
      'another version',
      'version: "2"\nrules: [{ name: a, effect: deny, conditions: {} }]',
      /^1:10 "2" is not the version "1"/,
    ],
    [
      'no version',
      'rules: [{ name: a, effect: deny, conditions: {} }]',
      /^1:1 the key "version" is missing/,
    ],
    [
      'a number for the version',
      'version: 1.0\nrules: [{ name: a, effect: deny, conditions: {} }]',
      /^1:10 expected the version "1", found the number 1.0 \| write the version "1"$/,
    ],
    [
      'rules that are no rules',
      'version: "1"\nrules: [a, 1]',
      /^2:9 expected a rule, found the text "a"/,
      /^2:12 expected a rule, found the number 1/,
    ],
    [
      'rules in a mapping',
      'version: "1"\nrules:\n  name: a',
      /^3:3 expected a list of rules, found a mapping/,
    ],
  ]
  for (const [what, text, ...expected] of documents) {
    test(what, () => {
      const problems = problemsOf(text)
      assert.equal(problems.length, expected.length, problems.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern)
    })
  }

  // Each added to a valid policy from line 7 on.
  const additions: [what: string, text: string, ...problems: RegExp[]][] = [
    [
      'an unknown key',
      'approvers: []',
      /^7:1 "approvers" is not a key of a policy \| did you mean "approvals"\?$/,
    ],
    [
      'a key like no other',
      'zzz: 1',
      /^7:1 "zzz" is not a key of a policy \| use one of: version, principal_accounts,/,
    ],
    [
      'an empty list of approvals',
      'approvals: []',
      /^7:12 the list is empty \| .*leave the key out$/,
    ],
    [
      'an approval rule without approvers',
      'approvals:\n- name: a\n  profiles: [p]\n  users: ["*"]',
      /^8:3 the key "approvers" is missing/,
    ],
    [
      'no approvals required',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"], required: 0 }',
      /^8:71 0 is not a whole number from 1 to 10/,
    ],
    [
      'one and a half approvals',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"], required: 1.5 }',
      /^8:71 1.5 is not a whole number/,
    ],
    [
      'approvals in words',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"], required: two }',
      /^8:71 expected a whole number from 1 to 10, found the text "two"/,
    ],
    [
      'more approvals than approvers',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: [bob, bob], required: 2 }',
      /^8:76 2 approvals are required of fewer approvers/,
    ],
    [
      'two approval rules of a name',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"] }\n- { name: a, profiles: [q], users: ["*"], approvers: ["*"] }',
      /^9:11 the name "a" stands twice in approvals \| .*line 8/,
    ],
    [
      'approvals longer than 8h',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"], max_duration: 9h }',
      /^8:75 "9h" is not a duration from 15m to 8h \| write at most 8h$/,
    ],
    [
      'an empty auto_approve',
      'approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: ["*"], auto_approve: {} }',
      /^8:75 auto_approve is empty/,
    ],
    [
      'break-glass longer than 4h',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], max_duration: 5h }',
      /^8:57 "5h" is not a duration from 15m to 4h/,
    ],
    [
      'break-glass without users',
      'break_glass:\n- { name: a, profiles: [p] }',
      /^8:3 the key "users" is missing/,
    ],
    [
      'an unknown reason code',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], reason_codes: [incidents] }',
      /^8:58 "incidents" is not a reason code \| did you mean "incident"\?$/,
    ],
    [
      'a quota without a window',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], max_per_user: { count: 3 } }',
      /^8:57 the key "window" is missing/,
    ],
    [
      'a quota of nothing',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], max_per_user: { count: 0, window: 1h } }',
      /^8:66 0 is not a whole number from 1 to 1000/,
    ],
    [
      'a flag in quotes',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], overrides_deny: "true" }',
      /^8:59 expected true or false, found the text "true"/,
    ],
    [
      'a flag in YAML 1.1',
      'strict_profiles: yes',
      /^7:18 expected true or false, found the text "yes"/,
    ],
    [
      'overdue reviews without a term',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], block_when_overdue: true }',
      /^8:43 no review is ever overdue without review_within/,
    ],
    [
      'a cooldown of no time',
      'break_glass:\n- { name: a, profiles: [p], users: ["*"], cooldown: 0s }',
      /^8:53 "0s" is not a duration from 1m to 7d/,
    ],
    [
      'a webhook without TLS',
      'notify:\n- { events: ["*"], webhook: http://hooks.example/x }',
      /^8:29 this is not an https address/,
    ],
    [
      'a webhook with a password',
      'notify:\n- { events: ["*"], webhook: "https://u:secret@hooks.example/" }',
      /^8:29 this is not an https address/,
    ],
    [
      'a webhook that only looks local',
      'notify:\n- { events: ["*"], webhook: http://127.0.0.1.example/ }',
      /^8:29 this is not/,
    ],
    [
      'a webhook with blanks',
      'notify:\n- { events: ["*"], webhook: "https://hooks.example/ x" }',
      /^8:29 this is not/,
    ],
    [
      'a file as a webhook',
      'notify:\n- { events: ["*"], webhook: "file:///etc/passwd" }',
      /^8:29 this is not/,
    ],
    [
      'a topic that is none',
      'notify:\n- { events: ["*"], sns: sentinel }',
      /^8:25 "sentinel" is not the ARN of an SNS topic/,
    ],
    [
      'a notification to nobody',
      'notify:\n- { events: ["*"] }',
      /^8:3 a notification needs one of webhook, slack and sns/,
    ],
    [
      'a notification to two',
      'notify:\n- { events: ["*"], slack: https://a.example/, webhook: https://b.example/ }',
      /^8:3 a notification needs one of/,
    ],
    [
      'an unknown event',
      'notify:\n- { events: [request.create], webhook: https://a.example/ }',
      /^8:14 no event is called "request.create" \| did you mean "request.created"\?$/,
    ],
    [
      'a pattern of no event',
      'notify:\n- { events: ["breakglass.*"], webhook: https://a.example/ }',
      /^8:14 no event is called "breakglass.\*"/,
    ],
    [
      'a test about many',
      'tests:\n- { name: t, given: { user: "iam:*", profile: p, mode: cli }, expect: deny }',
      /^8:29 a test is about one user/,
    ],
    [
      'a test without a mode',
      'tests:\n- { name: t, given: { user: "iam:a", profile: p }, expect: deny }',
      /^8:21 the key "mode" is missing \| use one of: server, cli,/,
    ],
    [
      'a test at a local time',
      'tests:\n- { name: t, given: { user: "iam:a", profile: p, mode: cli, at: "2026-01-14T23:00:00" }, expect: deny }',
      /^8:65 "2026-01-14T23:00:00" is not a point in time/,
    ],
    [
      'a test on 30 February',
      'tests:\n- { name: t, given: { user: "iam:a", profile: p, mode: cli, at: "2026-02-30T23:00:00Z" }, expect: deny }',
      /^8:65 "2026-02-30T23:00:00Z" is not a point in time/,
    ],
    [
      'a test that expects nonsense',
      'tests:\n- { name: t, given: { user: "iam:a", profile: p, mode: cli }, expect: refuse }',
      /^8:71 "refuse" is not an effect/,
    ],
    [
      'a test of a pattern of roles',
      'tests:\n- { name: t, given: { user: "iam:a", profile: p, mode: cli, role: "arn:aws:iam::111122223333:role/*" }, expect: deny }',
      /^8:67 ".*" is not the ARN of a role/,
    ],
    ['two tests of a name', 'tests:\n- &t { name: t }', /^8:3 anchors/],
    [
      'an outage that waits',
      'session_outage: wait',
      /^7:17 "wait" is not allow or deny \| use one of: allow, deny$/,
    ],
    [
      'a grace of an hour',
      'session_grace: 1h',
      /^7:16 "1h" is not a duration from 10s to 15m \| write at most 15m$/,
    ],
    [
      'a store of an unknown kind',
      'stores: { sessions: redis:6379 }',
      /^7:21 "redis:6379" is not a place for a store/,
    ],
    [
      'a table in no region',
      'stores: { sessions: "dynamodb:eu:sentinel-sessions" }',
      /^7:21 "dynamodb:eu:sentinel-sessions" is not a place/,
    ],
    [
      'a table without a name',
      'stores: { sessions: "dynamodb:" }',
      /^7:21 "dynamodb:" is not a place/,
    ],
    [
      'the index of a table',
      'stores: { sessions: "arn:aws:dynamodb:eu-central-1:111122223333:table/a-b-c/index/x" }',
      /^7:21 ".*…" is not a place/,
    ],
    ['SQLite without a path', 'stores: { sessions: "sqlite:" }', /^7:21 "sqlite:" is not a place/],
    [
      'a store of its own',
      'stores: { session: local }',
      /^7:11 "session" is not a key of stores \| did you mean "sessions"\?$/,
    ],
  ]
  for (const [what, text, ...expected] of additions) {
    test(what, () => {
      const problems = problemsOf(policyWith(text))
      assert.equal(problems.length, expected.length, problems.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern)
    })
  }

  // Each the only rule's conditions, from line 6 and column 7 on.
  const conditions: [what: string, text: string, ...problems: RegExp[]][] = [
    [
      'a misspelt condition',
      'profile: [prod]',
      /^6:7 "profile" is not a key of conditions \| did you mean "profiles"\?$/,
    ],
    [
      'one profile without a list',
      'profiles: prod',
      /^6:17 expected a list of profiles, found the text "prod" \| write a list: \["prod"\]$/,
    ],
    [
      'no profiles',
      'profiles: []',
      /^6:17 the list is empty \| name what you mean, or leave the key out$/,
    ],
    ['profiles without a value', 'profiles:', /^6:16 expected a list of profiles, found nothing/],
    [
      'a profile with a blank',
      'profiles: ["prod "]',
      /^6:18 "prod " is not a profile \| write one line, without blanks/,
    ],
    ['a profile without a name', 'profiles: [""]', /^6:18 "" is not a profile/],
    ['a profile of two lines', 'profiles: ["a\\nb"]', /^6:18 "a\\nb" is not a profile/],
    [
      'a number for a user',
      'users: [12345]',
      /^6:15 expected a pattern for users, found the number 12345 \| quote it: "12345"$/,
    ],
    [
      'a truth for a user',
      'users: [true]',
      /^6:15 expected a pattern for users, found true \| quote it: "true"$/,
    ],
    [
      'a user of an unknown kind',
      'users: ["user:alice"]',
      /^6:15 not a user pattern: "user:alice": there is no kind "user"/,
    ],
    [
      'an ARN for a user',
      'users: ["arn:aws:iam::111122223333:user/alice"]',
      /^6:15 not a user pattern/,
    ],
    [
      'a user of a megabyte',
      `users: ["${'x'.repeat(2000)}"]`,
      /^6:15 "x{60}…" is not a pattern for users/,
    ],
    [
      'an account id without quotes',
      'accounts: [444455556666]',
      /^6:18 expected an account id of 12 digits, found the number 444455556666 \| quote it: "444455556666"$/,
    ],
    [
      'an account id that starts with 0',
      'accounts: [012345678901]',
      /^6:18 .* found the number 012345678901 \| quote it: "012345678901"$/,
    ],
    [
      'an account id that lost its 0',
      'accounts: ["12345678901"]',
      /^6:18 "12345678901" is not an account id of 12 digits \| write all 12 digits/,
    ],
    [
      'an account id with dashes',
      'accounts: ["1111-2222-3333"]',
      /^6:18 "1111-2222-3333" is not an account id/,
    ],
    [
      'a role by its name',
      'roles: [Admin]',
      /^6:15 "Admin" is not a role ARN or a pattern of one \| write arn:aws:iam::ACCOUNT:role\/NAME/,
    ],
    ['every role', 'roles: ["*"]', /^6:15 "\*" is not a role ARN/],
    [
      'the session of a role',
      'roles: ["arn:aws:sts::111122223333:assumed-role/A/b"]',
      /^6:15 .* \| write the ARN of the role, not of its session/,
    ],
    [
      'a role in an account of 11 digits',
      'roles: ["arn:aws:iam::11112222333:role/A"]',
      /^6:15 .* is not a role ARN/,
    ],
    [
      'a mode without a list',
      'mode: server',
      /^6:13 expected a list of modes, found the text "server" \| write a list: \["server"\]$/,
    ],
    ['an unknown mode', 'mode: [serve]', /^6:14 "serve" is not a mode \| did you mean "server"\?$/],
    [
      'a window without a zone',
      'time: { days: [monday] }',
      /^6:13 the key "timezone" is missing \| write an IANA time zone$/,
    ],
    [
      'a window of nothing',
      'time: { timezone: UTC }',
      /^6:13 a window of time needs days or hours/,
    ],
    [
      'an unknown zone',
      'time: { days: [monday], timezone: Europe/Berlim }',
      /^6:41 "Europe\/Berlim" is not an IANA time zone \| did you mean "Europe\/Berlin"\?$/,
    ],
    [
      'an offset for a zone',
      'time: { days: [monday], timezone: "+01:00" }',
      /^6:41 "\+01:00" is not an IANA time zone \| name a place/,
    ],
    [
      'an offset from UTC',
      'time: { days: [monday], timezone: UTC+1 }',
      /^6:41 "UTC\+1" is not an IANA time zone/,
    ],
    [
      'a zone in small letters',
      'time: { days: [monday], timezone: europe/berlin }',
      /^6:41 .* \| did you mean "Europe\/Berlin"\?$/,
    ],
    [
      'an abbreviated weekday',
      'time: { days: [mon], timezone: UTC }',
      /^6:22 "mon" is not a weekday \| did you mean "monday"\?$/,
    ],
    [
      'a weekday in capitals',
      'time: { days: [Monday], timezone: UTC }',
      /^6:22 "Monday" is not a weekday \| did you mean "monday"\?$/,
    ],
    [
      'a weekday in another language',
      'time: { days: [mittwoch], timezone: UTC }',
      /^6:22 "mittwoch" is not a weekday \| use one of: monday, tuesday/,
    ],
    [
      'hours without an end',
      'time: { hours: { start: "09:00" }, timezone: UTC }',
      /^6:22 the key "end" is missing/,
    ],
    [
      'hours in one digit',
      'time: { hours: { start: "9:00", end: "17:00" }, timezone: UTC }',
      /^6:31 "9:00" is not a time of day .* \| write it with two digits each/,
    ],
    [
      'a start at 24:00',
      'time: { hours: { start: "24:00", end: "06:00" }, timezone: UTC, overnight: true }',
      /^6:31 "24:00" is not a time of day from 00:00 to 23:59/,
    ],
    [
      'an end at 24:01',
      'time: { hours: { start: "09:00", end: "24:01" }, timezone: UTC }',
      /^6:45 "24:01" is not a time of day from 00:00 to 24:00/,
    ],
    [
      'hours as a number',
      'time: { hours: { start: 9, end: "17:00" }, timezone: UTC }',
      /^6:31 expected a time of day .* found the number 9/,
    ],
    [
      'a window that ends before it starts',
      'time: { hours: { start: "22:00", end: "06:00" }, timezone: UTC }',
      /^6:15 the window 22:00 to 06:00 can be read in two ways: 22:00 until 06:00 of the next day, or 06:00 until 22:00 of one day \| add overnight: true for the first; exchange start and end for the second$/,
    ],
    [
      'a window that ends as it starts',
      'time: { hours: { start: "09:00", end: "09:00" }, timezone: UTC }',
      /^6:15 the window 09:00 to 09:00 can be read in two ways/,
    ],
    [
      'a window that is not overnight',
      'time: { hours: { start: "09:00", end: "17:00" }, timezone: UTC, overnight: true }',
      /^6:71 the window 09:00 to 17:00 ends on the day it starts/,
    ],
    [
      'overnight without hours',
      'time: { days: [monday], timezone: UTC, overnight: true }',
      /^6:46 a window without hours is never overnight/,
    ],
  ]
  for (const [what, text, ...expected] of conditions) {
    test(what, () => {
      const problems = problemsOf(policyWhen(text))
      assert.equal(problems.length, expected.length, problems.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern)
    })
  }

  // Each the fields of the only rule, in line 2.
  const rules: [what: string, fields: string, ...problems: RegExp[]][] = [
    [
      'a rule without conditions',
      'name: a, effect: allow',
      /^2:9 the key "conditions" is missing \| write conditions, as .* or \{\} for everything$/,
    ],
    [
      'conditions without a value',
      'name: a, effect: allow, conditions: ',
      /^2:48 expected conditions, found nothing/,
    ],
    [
      'a misspelt key that is due, once',
      'name: a, effect: allow, condition: {}',
      /^2:35 "condition" is not a key of a rule \| did you mean "conditions"\?$/,
    ],
    ['a rule without a name', 'effect: deny, conditions: {}', /^2:9 the key "name" is missing/],
    [
      'a rule without an effect',
      'name: a, conditions: {}',
      /^2:9 the key "effect" is missing \| use one of: allow, deny, require_approval, /,
    ],
    [
      'an unknown effect',
      'name: a, effect: alow, conditions: {}',
      /^2:28 "alow" is not an effect \| did you mean "allow"\?$/,
    ],
    [
      'an effect in capitals',
      'name: a, effect: ALLOW, conditions: {}',
      /^2:28 "ALLOW" is not an effect \| did you mean "allow"\?$/,
    ],
    [
      'no effect at all',
      'name: a, effect: null, conditions: {}',
      /^2:28 expected an effect, found nothing/,
    ],
    [
      'a duration without a unit',
      'name: a, effect: deny, conditions: {}, max_duration: 30',
      /^2:64 expected a duration from 15m to 12h, found the number 30/,
    ],
    [
      'a duration in words',
      'name: a, effect: deny, conditions: {}, max_duration: 1 hour',
      /^2:64 "1 hour" is not a duration .* \| write it as 90s, 15m, 1h30m or 7d$/,
    ],
    [
      'a duration under 15m',
      'name: a, effect: deny, conditions: {}, max_duration: 14m59s',
      /^2:64 "14m59s" is not a duration from 15m to 12h \| write at least 15m$/,
    ],
    [
      'a duration over 12h',
      'name: a, effect: deny, conditions: {}, max_server_duration: 12h1s',
      /^2:71 "12h1s" is not .* \| write at most 12h$/,
    ],
    [
      'unstamped: deny',
      'name: a, effect: deny, conditions: {}, unstamped: deny',
      /^2:61 "deny" is not allow/,
    ],
    [
      'a reason of two lines',
      'name: a, effect: deny, conditions: {}, reason: "a\\nb"',
      /^2:58 "a\\nb" is not a reason/,
    ],
    [
      'camel case',
      'name: a, effect: deny, conditions: {}, maxDuration: 1h',
      /^2:50 "maxDuration" is not a key of a rule \| did you mean "max_duration"\?$/,
    ],
  ]
  for (const [what, fields, ...expected] of rules) {
    test(what, () => {
      const problems = problemsOf(`version: "1"\nrules: [{ ${fields} }]`)
      assert.equal(problems.length, expected.length, problems.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern)
    })
  }

  test('two rules of a name', () => {
    assert.match(
      problemsOf(
        policyWith('').replace('# line 6', '  - { name: base, effect: deny, conditions: {} }'),
      )[0]!,
      /^6:13 the name "base" stands twice in rules \| .*line 5/,
    )
  })

  test('two tests of a name', () => {
    const one = '- { name: t, given: { user: "iam:a", profile: p, mode: cli }, expect: deny }'
    assert.match(
      problemsOf(policyWith(`tests:\n${one}\n${one}`))[0]!,
      /^9:11 the name "t" stands twice in tests/,
    )
  })

  const bindings: [what: string, text: string, problem: RegExp][] = [
    ['no bindings', 'profiles: {}', /^3:11 the mapping is empty/],
    ['a binding without a role', 'profiles: { prod: {} }', /^3:19 the key "role" is missing/],
    [
      'a binding to an account',
      'profiles: { prod: { account: "1" } }',
      /^3:21 "account" is not a key of a binding|^3:19 the key "role"/,
    ],
    [
      'a binding that is text',
      'profiles: { prod: "arn:aws:iam::111122223333:role/A" }',
      /^3:19 expected a binding, found the text/,
    ],
    ['a binding to a name', 'profiles: { prod: { role: Prod } }', /^3:27 "Prod" is not a role ARN/],
    [
      'a binding of nobody',
      'profiles: { "": { role: "arn:aws:iam::111122223333:role/A" } }',
      /^3:13 "" is not a profile/,
    ],
  ]
  for (const [what, text, expected] of bindings) {
    test(what, () => {
      const problems = problemsOf(policyWith('').replace(/^profiles:.*$/m, text))
      assert.match(problems[0]!, expected)
    })
  }

  test('several things at once, in the order of the document', () => {
    const text = policyWhen('users: [1]\nmode: [x]').replace('effect: deny', 'effect: nope')
    assert.deepEqual(
      problemsOf(text).map((problem) => problem.split(' ')[0]),
      ['4:13', '6:15', '7:14'],
    )
  })

  test('a document of thousands of mistakes with a hundred of them', () => {
    const text = policyWith(`tests:\n${'- 1\n'.repeat(5000)}`)
    assert.equal(checkPolicy(text, 'p').problems.length, 100)
  })
})
