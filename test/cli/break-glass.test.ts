import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { unanswerable } from '../../src/cli/confirm.ts'
import type { BreakGlassRule } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import {
  anEvent,
  anEventId,
  anEventReview,
  aStoreOfStatuses,
  aStoreWithEvents,
} from '../fixtures/break-glass.ts'
import { POLICY, sentinel, TARGET } from '../fixtures/break-glass-cli.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  anSSOPrincipal,
  aPrincipal,
  aRule,
  NOON,
  users,
} from '../fixtures/policies.ts'
import { WAITING } from '../fixtures/requests.ts'

const WHY = 'orders are lost since ten to noon'
const LINE = ['breakglass', 'prod', '--reason-code', 'incident', '--justification', WHY]
const PROD_LINE = [...LINE, '--yes']

/** {@link POLICY}, with another rule for break-glass. */
function withRule(overrides: Partial<BreakGlassRule>) {
  return { ...POLICY, breakGlass: [aBreakGlassRule({ ...POLICY.breakGlass[0], ...overrides })] }
}

suite('sentinel breakglass', () => {
  test('says what holds now, until when, who was told, who reviews it and how to end it', async () => {
    const { status, stdout, stderr } = await sentinel(PROD_LINE)
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.equal(
      stdout,
      `BREAK-GLASS: alice is let into prod until 2026-01-14T13:00:00Z (1h)
  event      newaaaaaaaaaaaaaaaaa, by rule "on-call"
  role       arn:aws:iam::444455556666:role/Prod
  reason     incident: orders are lost since ten to noon
  announced  to webhook hooks.example
  review     by carol, until 2026-01-17T13:00:00Z
  use it     sentinel exec prod -- COMMAND
  close it   sentinel breakglass close newaaaaaaaaaaaaaaaaa
`,
    )
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  test('begins an event under its rule, and announces it with it', async () => {
    const store = new MemoryBreakGlassStore()
    const outcome = await sentinel(PROD_LINE, { store })
    const filed = await store.get(anEventId('newa'), WAITING)
    assert.deepEqual(
      filed?.event,
      anEvent({ id: anEventId('newa'), startedAt: NOON, justification: WHY }),
    )
    const [notification, ...others] = outcome.delivered
    assert.deepEqual(others, [])
    assert.equal(notification?.event, 'break_glass.started')
    const { id, status, user, profile, justification, ends_at } = notification?.fields ?? {}
    assert.deepEqual(
      { id, status, user, profile, justification, ends_at },
      {
        id: anEventId('newa'),
        status: 'live',
        user: 'alice',
        profile: 'prod',
        justification: WHY,
        ends_at: '2026-01-14T13:00:00.000Z',
      },
    )
    assert.equal(outcome.profile, 'prod')
    assert.ok(outcome.isStoreClosed)
  })

  test('records who did it, why, and under which policy', async () => {
    const { records } = await sentinel(PROD_LINE)
    assert.deepEqual(records, [
      {
        type: 'break_glass.started',
        subject_id: anEventId('newa'),
        subject_person: 'iam:111122223333/alice',
        profile: 'prod',
        role_arn: 'arn:aws:iam::444455556666:role/Prod',
        rule: 'on-call',
        reason_code: 'incident',
        expires_at: '2026-01-14T13:00:00.000Z',
        justification: WHY,
        duration_seconds: 3600,
        user: 'alice',
        person: 'iam:111122223333/alice',
        principal: 'arn:aws:iam::111122223333:user/alice',
        principal_id: 'AIDAALICE',
        policy: { reference: 'policy.yaml', sha256: 'ab'.repeat(32) },
        grant_store: 'memory:',
      },
    ])
  })

  test('prints the same for programs', async () => {
    const { stdout } = await sentinel([...PROD_LINE, '--output', 'json'])
    const { outcome, event, announced_to, reviewers } = JSON.parse(stdout)
    assert.deepEqual(
      [outcome, event.status, event.started_at, event.closed_at, event.reviews],
      ['started', 'live', '2026-01-14T12:00:00.000Z', null, []],
    )
    assert.deepEqual([announced_to, reviewers], [['webhook hooks.example'], ['carol']])
  })

  test('never shows the whole address of a webhook', async () => {
    const { stdout, stderr, records } = await sentinel([...PROD_LINE, '--output', 'json'])
    assert.doesNotMatch(stdout + stderr + JSON.stringify(records), /services|secret/)
  })

  test('says when nobody is told and nobody reviews', async () => {
    const { reviewers: _, ...rule } = aBreakGlassRule()
    const policy = { ...POLICY, breakGlass: [rule], approvals: [], notify: [] }
    const { stdout } = await sentinel(PROD_LINE, { policy })
    assert.match(stdout, /^ {2}announced +to nobody: the policy notifies of it nowhere$/m)
    assert.match(stdout, /^ {2}review +by nobody: the policy names no reviewers, when it is over$/m)
  })

  test('names the approvers of the profile where the rule names no reviewers', async () => {
    const { reviewers: _, ...rule } = aBreakGlassRule()
    const { stdout } = await sentinel(PROD_LINE, { policy: { ...POLICY, breakGlass: [rule] } })
    assert.match(stdout, /^ {2}review +by bob, when it is over$/m)
  })

  test('leads on to the same store', async () => {
    const { stdout, flags } = await sentinel([...PROD_LINE, '--breakglass-table', 'bg'])
    assert.equal(flags?.['breakglass-table'], 'bg')
    assert.match(stdout, /breakglass close new\w+ --breakglass-table bg$/m)
  })

  test('takes a profile that is named like a command', async () => {
    const { stdout } = await sentinel([
      ...['breakglass', '--profile', 'list', '--yes', '--reason-code', 'incident'],
      ...['--justification', WHY],
    ])
    assert.match(stdout, /alice is let into list until/)
  })

  suite('asks for the name of the profile', () => {
    test('and says before what will be done', async () => {
      const typed: string[] = []
      const { status, questions } = await sentinel(LINE, {
        typeName: async (_question, name) => void typed.push(name),
      })
      assert.equal(status, 0)
      assert.deepEqual(typed, ['prod'])
      assert.deepEqual(questions, [
        'Break glass: alice into prod for 1h as arn:aws:iam::444455556666:role/Prod; ' +
          'announced to webhook hooks.example and reviewed afterwards by carol. Type prod:',
      ])
    })

    for (const [why, error, exit] of [
      ['nobody can be asked', unanswerable('--yes'), 5],
      ['nobody answered', new SentinelError('INTERRUPTED', 'not answered'), 130],
    ] as const) {
      test(`and does nothing when ${why}`, async () => {
        const store = new MemoryBreakGlassStore()
        const typeName = () => Promise.reject(error)
        const { status, records, stdout } = await sentinel(LINE, { store, typeName })
        assert.equal(status, exit)
        assert.equal(stdout, '')
        assert.deepEqual(records, [])
        assert.deepEqual(await store.find('', WAITING), [])
      })
    }

    test('not before it is known that the policy allows it', async () => {
      const { status, questions } = await sentinel(LINE, { policy: { ...POLICY, breakGlass: [] } })
      assert.equal(status, 3)
      assert.deepEqual(questions, [])
    })
  })

  suite('lives', () => {
    const lives: [asked: string[], rule: Partial<BreakGlassRule>, until: string][] = [
      [[], {}, '13:00'],
      [[], { maxDuration: 1800 }, '12:30'],
      [['--duration', '15m'], {}, '12:15'],
      [['--duration', '2h'], {}, '14:00'],
    ]
    for (const [asked, rule, until] of lives) {
      const cap = rule.maxDuration === undefined ? '2h' : `${rule.maxDuration / 60}m`
      test(`until ${until} with ${asked.join(' ') || 'no duration'} and at most ${cap}`, async () => {
        const { stdout } = await sentinel([...PROD_LINE, ...asked], { policy: withRule(rule) })
        assert.ok(stdout.includes(`until 2026-01-14T${until}:00Z`), stdout)
      })
    }

    test('4h at most where the rule says nothing', async () => {
      const policy = { ...POLICY, breakGlass: [aBreakGlassRule()] }
      const { stdout } = await sentinel([...PROD_LINE, '-d', '4h'], { policy })
      assert.match(stdout, /until 2026-01-14T16:00:00Z \(4h\)/)
    })
  })

  suite('refuses as misuse of the command line', () => {
    const change = (flag: string, value: string) => {
      const line = PROD_LINE.filter((_, index) => index < LINE.indexOf(flag))
      const rest = LINE.slice(LINE.indexOf(flag) + 2)
      return [...line, flag, value, ...rest, '--yes']
    }
    const mistakes: [what: string, line: string[], stderr: RegExp][] = [
      [
        'no reason code',
        ['breakglass', 'prod', '--justification', WHY],
        /--reason-code is required/,
      ],
      ['no justification', LINE.slice(0, 4), /--justification is required/],
      [
        'an unknown reason code',
        change('--reason-code', 'incidnet'),
        /unknown reason code "incidnet"\nhint: did you mean incident\?/,
      ],
      [
        'a justification that is too short',
        change('--justification', 'nineteen characters'),
        /--justification has 19 characters\nhint: say in 20 to 1000/,
      ],
      [
        'a justification that is too long',
        change('--justification', 'x'.repeat(1001)),
        /--justification has 1001 characters/,
      ],
      ['less than 15m', [...PROD_LINE, '-d', '14m59s'], /--duration 14m59s is not possible/],
      [
        'more than 4h',
        [...PROD_LINE, '-d', '4h1s'],
        /--duration 4h1s is not possible\nhint: .*15m/,
      ],
      ['no profile', ['breakglass', ...LINE.slice(2)], /no profile is given/],
    ]
    for (const [what, line, expected] of mistakes) {
      test(what, async () => {
        const { status, stdout, stderr } = await sentinel(line)
        assert.equal(status, 2)
        assert.equal(stdout, '')
        assert.match(stderr, expected)
      })
    }

    test('but not a justification of exactly 20 or 1000 characters', async () => {
      for (const text of ['x'.repeat(20), '🔥'.repeat(1000)]) {
        assert.equal((await sentinel(change('--justification', text))).status, 0)
      }
    })
  })

  suite('refuses by policy, and begins nothing:', () => {
    const denied = {
      ...POLICY,
      rules: [aRule({ name: 'contractors', effect: 'deny', reason: 'not theirs' })],
    }
    const refusals: [what: string, scene: Parameters<typeof sentinel>[1], stderr: RegExp][] = [
      [
        'no rule covers, and an approval would',
        { policy: { ...POLICY, breakGlass: [] } },
        /no break-glass rule lets alice into prod: rule "prod" requires approval\nhint: ask bob for approval: sentinel request prod/,
      ],
      [
        'no rule covers, and an approval would, which nobody gives themselves',
        {
          policy: {
            ...POLICY,
            breakGlass: [],
            approvals: [anApprovalRule({ approvers: users('alice', 'bob') })],
          },
        },
        /hint: ask bob for approval: sentinel request prod/,
      ],
      [
        'no rule covers, and nothing else would help',
        { policy: { ...POLICY, breakGlass: [], approvals: [] } },
        /hint: see each rule with: sentinel policy explain prod/,
      ],
      [
        'a rule for others',
        { policy: withRule({ users: users('bob') }) },
        /no break-glass rule lets alice into prod/,
      ],
      [
        'an explicit deny',
        { policy: denied },
        /no break-glass rule lets alice into prod: rule "contractors" denies it: not theirs/,
      ],
      [
        'a profile that stands for another role',
        {
          policy: {
            ...POLICY,
            profiles: [{ profile: 'prod', role: 'arn:aws:iam::444455556666:role/Other' }],
          },
        },
        /profile "prod" stands for .*role\/Prod, and the policy binds it to .*role\/Other/,
      ],
      [
        'a profile without a role',
        { target: { ...TARGET, stamped: false } },
        /profile prod has no role for Sentinel to assume/,
      ],
      [
        'a reason code that the rule does not take',
        { policy: withRule({ reasonCodes: ['security'] }) },
        /rule "on-call" takes no reason code incident\nhint: give one that it takes: security/,
      ],
    ]
    for (const [what, scene, expected] of refusals) {
      test(what, async () => {
        const store = new MemoryBreakGlassStore()
        const { status, stdout, stderr, records } = await sentinel(PROD_LINE, { store, ...scene })
        assert.equal(status, 3)
        assert.equal(stdout, '')
        assert.match(stderr, expected)
        assert.deepEqual(records, [])
        assert.deepEqual(await store.find('', WAITING), [])
      })
    }

    test('more than the rule gives', async () => {
      const { status, stderr } = await sentinel([...PROD_LINE, '-d', '3h'])
      assert.equal(status, 3)
      assert.match(stderr, /rule "on-call" does not give 3h\nhint: ask for 2h or less/)
    })

    test('but an explicit deny gives way to a rule that says so', async () => {
      const policy = { ...withRule({ overridesDeny: true }), rules: denied.rules }
      assert.equal((await sentinel(PROD_LINE, { policy })).status, 0)
    })
  })

  suite('has nothing to break', () => {
    test('where the policy allows it as it is', async () => {
      const store = new MemoryBreakGlassStore()
      const policy = { ...POLICY, rules: [aRule()] }
      const { status, stdout, records } = await sentinel(PROD_LINE, { policy, store })
      assert.equal(status, 0)
      assert.equal(
        stdout,
        'prod is allowed already, no glass was broken: sentinel exec prod -- COMMAND\n',
      )
      assert.deepEqual(records, [])
      assert.deepEqual(await store.find('', WAITING), [])
    })

    test('where a server may have it, and no event would lift the rest', async () => {
      const policy = { ...POLICY, rules: [aRule({ effect: 'require_server' })] }
      const { stdout } = await sentinel([...PROD_LINE, '--output', 'json'], { policy })
      assert.deepEqual(JSON.parse(stdout), { outcome: 'allowed', event: null })
    })

    test('but what is refused in one way may be broken into, with a word on the other', async () => {
      const server = aRule({ conditions: { mode: ['server'] } })
      const { status, stdout, stderr } = await sentinel(PROD_LINE, {
        policy: { ...POLICY, rules: [server] },
      })
      assert.equal(status, 0)
      assert.match(stdout, /^BREAK-GLASS/)
      assert.match(stderr, /note: prod is allowed already, .*: sentinel exec prod --server --/)
    })
  })

  suite('is held against what came before:', () => {
    test('a live event is there already', async () => {
      const store = await aStoreWithEvents({ event: anEvent() })
      const { status, stderr } = await sentinel(PROD_LINE, { store })
      assert.equal(status, 4)
      assert.match(stderr, /error: break-glass event live\w+ of alice for prod is live until/)
      assert.match(stderr, /hint: .*sentinel breakglass close livea+/)
    })

    test('a live event of the same person by another permission set', async () => {
      const store = new MemoryBreakGlassStore()
      const first = await sentinel(PROD_LINE, { store, by: anSSOPrincipal('alice', 'Developer') })
      const second = await sentinel(PROD_LINE, { store, by: anSSOPrincipal('alice', 'Admin') })
      assert.deepEqual([first.status, second.status], [0, 4])
    })

    test('the cooldown, with the time when it may be tried again', async () => {
      const event = anEvent({ startedAt: NOON - 70 * MINUTE })
      const store = await aStoreWithEvents({ event })
      const policy = withRule({ cooldown: 1800 })
      const { status, stderr } = await sentinel(PROD_LINE, { store, policy })
      assert.equal(status, 3)
      assert.match(stderr, /hint: try again at 2026-01-14T12:20:00Z/)
      const clock = new FakeClock(NOON + 20 * MINUTE)
      assert.equal((await sentinel(PROD_LINE, { store, policy, clock })).status, 0)
    })

    test('the quota, with the time when it may be tried again', async () => {
      const event = anEvent({ startedAt: NOON - 5 * HOUR })
      const store = await aStoreWithEvents({ event })
      const policy = withRule({ maxPerUser: { count: 1, window: 86_400 } })
      const { status, stderr } = await sentinel(PROD_LINE, { store, policy })
      assert.equal(status, 3)
      assert.match(stderr, /not again before 2026-01-15T07:00:00Z/)
    })

    test('an overdue review, where the rule says so', async () => {
      const store = await aStoreOfStatuses()
      const policy = withRule({ blockWhenOverdue: true })
      const { status, stderr } = await sentinel(PROD_LINE, { store, policy })
      assert.equal(status, 3)
      assert.match(stderr, /error: break-glass event overdue\w+ .*no other may begin/)
    })

    test('an overdue review is told where it does not stand in the way', async () => {
      const store = await aStoreOfStatuses()
      const { status, stderr } = await sentinel(PROD_LINE, { store })
      assert.equal(status, 0)
      assert.match(
        stderr,
        /^warning: break-glass event overduea+ of alice for overdue was to be reviewed until 2026-01-14T11:00:00Z\nhint: have it reviewed: sentinel breakglass review overduea+ /,
      )
    })

    test('but not that of somebody else', async () => {
      const store = await aStoreOfStatuses()
      const policy = withRule({ blockWhenOverdue: true })
      const { status, stderr } = await sentinel(PROD_LINE, { store, policy, by: aPrincipal('bob') })
      assert.deepEqual([status, stderr], [0, ''])
    })

    test('nor one that was reviewed', async () => {
      const event = anEvent({ startedAt: NOON - 100 * HOUR })
      const reviews = [anEventReview(event)]
      const store = await aStoreWithEvents({ event, reviews })
      const policy = withRule({ blockWhenOverdue: true })
      assert.equal((await sentinel(PROD_LINE, { store, policy })).status, 0)
    })

    test('a refusal is recorded after what was recorded ahead', async () => {
      const store = await aStoreWithEvents({ event: anEvent() })
      const { records } = await sentinel(PROD_LINE, { store })
      assert.deepEqual(
        records.map(({ type, subject_id, outcome, code }) => [type, subject_id, outcome, code]),
        [
          ['break_glass.started', anEventId('newa'), undefined, undefined],
          ['break_glass.refused', anEventId('newa'), 'refused', 'BREAK_GLASS_LIVE'],
        ],
      )
    })
  })

  test('lets one of 16 at the same time in', async () => {
    const store = new MemoryBreakGlassStore()
    const policy = withRule({ maxPerUser: { count: 1, window: 86_400 } })
    const ends = await Promise.all(
      Array.from({ length: 16 }, () => sentinel(PROD_LINE, { store, policy })),
    )
    assert.equal(ends.filter(({ status }) => status === 0).length, 1)
    assert.equal(ends.filter(({ status }) => status === 3).length, 15)
  })
})
