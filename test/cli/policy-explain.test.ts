import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Policy } from '../../src/domain/policy/types.ts'
import { sentinel } from '../fixtures/audit-cli.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  aPolicy,
  aRule,
  PROD,
  users,
} from '../fixtures/policies.ts'

const ALICE = ['--user', 'iam:alice', '--role', PROD, '--at', '2026-01-14T12:00:00Z']
const POLICY = aPolicy({
  rules: [
    aRule({ name: 'freeze', effect: 'deny', conditions: { profiles: ['frozen'] } }),
    aRule({
      name: 'evening',
      conditions: {
        profiles: ['prod'],
        time: { hours: { start: 18 * 60, end: 20 * 60 }, overnight: false, timezone: 'UTC' },
      },
      maxDuration: 1800,
    }),
    aRule({ name: 'prod', effect: 'require_approval', conditions: { profiles: ['prod'] } }),
  ],
  approvals: [
    anApprovalRule({
      profiles: ['prod', 'frozen'],
      approvers: users('bob', 'carol'),
      required: 2,
      maxDuration: 7200,
      autoApprove: { maxDuration: 1800 },
    }),
  ],
  breakGlass: [
    aBreakGlassRule({
      reasonCodes: ['security', 'other'],
      maxDuration: 900,
      cooldown: 1800,
      maxPerUser: { count: 3, window: 86_400 },
      reviewWithin: 259_200,
      blockWhenOverdue: true,
    }),
  ],
})

const explain = (words: string[], policy: Policy = POLICY) =>
  sentinel(['policy', 'explain', ...words], {
    policy: { policy, reference: 'policy.yaml', sha256: 'ab', problems: [], warnings: [] },
  })

suite('sentinel policy explain', () => {
  test('shows every rule, the nearest one, and every way to access', async () => {
    const { status, stdout } = await explain(['prod', ...ALICE])
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `arn:aws:iam::123456789012:user/alice asks for prod (cli) at 2026-01-14T12:00:00Z

✗ 1. freeze (deny)
    ✗ profiles: prod, wanted frozen
✗ 2. evening (allow)
    ✓ profiles: prod, wanted prod
    ✗ time: wednesday 12:00, wanted every day 18:00-20:00 UTC
✓ 3. prod (require_approval)  ← decides
    ✓ profiles: prod, wanted prod

refuse: rule "prod" requires approval
nearest: rule 2. evening (allow) would let it be, with:
    time: wednesday 12:00, wanted every day 18:00-20:00 UTC (next from 2026-01-14T18:00:00Z)
to change it: try again from 2026-01-14T18:00:00Z, when rule "evening" applies
to change it: approval by bob and carol (rule "approvers", for 2h at most)
    the rule approves by itself at this time, for 30m at most
    sentinel request prod --duration 1h --justification "…"
in an emergency: break the glass (rule "on-call": reason security or other; 15m at most; 30m after the last one; 3 in 1d a person; no review of yours overdue; reviewed within 3d)
    sentinel breakglass prod --reason-code security --duration 15m --justification "…"
`,
    )
  })

  test('supposes a grant that is live, and says so', async () => {
    const { stdout } = await explain(['prod', ...ALICE, '--grant', 'approval'])
    assert.match(stdout, /^as if an approval by rule "approvers" were live until 2026-01-14T14:00/m)
    assert.match(stdout, /^allow: approval hypothetical lifts rule "prod" until /m)
    const json = await explain(['prod', ...ALICE, '--grant', 'break-glass', '--output', 'json'])
    assert.partialDeepStrictEqual(JSON.parse(json.stdout), {
      asked: { grant: 'break_glass', session_store: null },
      decision: { outcome: 'allow', basis: 'break_glass', maxDuration: 900 },
      nearest: null,
      approval: null,
      break_glass: null,
    })
  })

  test('supposes a grant that lifts nothing too', async () => {
    const { stdout } = await explain(['frozen', ...ALICE, '--grant', 'approval'])
    assert.match(stdout, /^refuse: rule "freeze" denies it$/m)
  })

  test('refuses to suppose a grant that no rule gives', async () => {
    const { status, stderr } = await explain(['dev', ...ALICE, '--grant', 'approval'])
    assert.equal(status, 3)
    assert.match(stderr, /there is no such grant to suppose: no approvals rule covers dev/)
    const other = await explain(['frozen', ...ALICE, '--grant', 'break-glass'])
    assert.match(other.stderr, /no break_glass rule covers frozen/)
  })

  suite('--session-store', () => {
    const tracked = (sessions: string) =>
      aPolicy({ rules: [aRule({ effect: 'require_server_session' })], stores: { sessions } })
    const cases: [named: string, given: string, outcome: string][] = [
      ['local', 'local', 'allow'],
      ['dynamodb:sessions', 'dynamodb:eu-central-1:sessions', 'allow'],
      ['dynamodb:sessions', 'dynamodb:others', 'refuse'],
      ['memory:', 'memory:', 'refuse'],
    ]
    for (const [named, given, outcome] of cases) {
      test(`${given} is ${outcome}d where the policy names ${named}`, async () => {
        const words = ['prod', ...ALICE, '--mode', 'server', '--session-store', given]
        const { stdout } = await explain([...words, '--output', 'json'], tracked(named))
        assert.equal(JSON.parse(stdout).decision.outcome, outcome)
      })
    }

    test('is of a server alone', async () => {
      const { status, stderr } = await explain(['prod', ...ALICE, '--session-store', 'local'])
      assert.equal(status, 2)
      assert.match(stderr, /hint: add --mode server/)
    })

    test('is a location', async () => {
      const words = ['prod', ...ALICE, '--mode', 'server', '--session-store', 'redis:']
      assert.match((await explain(words)).stderr, /no location of a store: "redis:"/)
    })
  })

  test('says that no rule is asked about a name that is bound to another role', async () => {
    const profiles = [{ profile: 'prod', role: 'arn:aws:iam::999999999999:role/Other' }]
    const { stdout } = await explain(['prod', ...ALICE], { ...POLICY, profiles })
    assert.match(stdout, /^no rule is asked: the name is bound to arn:.*Other$/m)
    assert.doesNotMatch(stdout, /decides|nearest/)
  })

  test('words what is needed and may not be enough as that', async () => {
    const policy = aPolicy({
      rules: [aRule({ name: 'bobs', conditions: { users: users('iam:bob') } })],
    })
    const { stdout } = await explain(['prod', ...ALICE], policy)
    assert.match(stdout, /^nearest: rule 1\. bobs \(allow\) would need at least:$/m)
  })

  const mistakes: [words: string[], told: RegExp][] = [
    [
      ['prod', ...ALICE, '--grant', 'aproval'],
      /unknown grant "aproval"\nhint: did you mean approval/,
    ],
    [['prod', ...ALICE, '--mode', 'sever'], /unknown mode "sever"\nhint: did you mean server/],
  ]
  for (const [words, told] of mistakes) {
    test(`refuses ${words.slice(-2).join(' ')}`, async () => {
      const { status, stderr } = await explain(words)
      assert.equal(status, 2)
      assert.match(stderr, told)
    })
  }
})
