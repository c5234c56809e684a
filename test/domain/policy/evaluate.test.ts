import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import { explain } from '../../../src/domain/policy/explain.ts'
import type { AccessInput, Effect, Policy } from '../../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../../src/domain/time.ts'
import {
  anInput,
  anSSOPrincipal,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
  users,
} from '../../fixtures/policies.ts'

const officeHours = {
  days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
  hours: { start: 9 * 60, end: 17 * 60 },
  overnight: false,
  timezone: 'Europe/Berlin',
} as const

/** The policy of design § 4, but for its bound profiles. */
const policy = aPolicy({
  principalAccounts: ['111122223333'],
  rules: [
    aRule({
      name: 'contractors-out',
      effect: 'deny',
      conditions: { users: users('sso:*@contractor.example') },
    }),
    aRule({
      name: 'dev',
      conditions: { profiles: ['dev*'], users: users('*') },
      reason: 'development access',
    }),
    aRule({
      name: 'prod-hours',
      effect: 'require_server_session',
      conditions: {
        profiles: ['prod'],
        users: users('alice', 'sso:*@corp.example'),
        time: officeHours,
      },
      maxServerDuration: 1800,
    }),
    aRule({ name: 'prod', effect: 'require_approval', conditions: { profiles: ['prod'] } }),
  ],
})

const table = 'dynamodb:eu-central-1:sentinel-sessions'
const on = (iso: string) => ({ at: Date.parse(iso) })
const server = { mode: 'server', sessionStore: table } as const
const dev = { profile: 'dev' } as const
const as = (principal: AccessInput['principal']) => ({ principal })

suite('decide', () => {
  const cases: [
    when: string,
    Partial<AccessInput>,
    outcome: string,
    effect: Effect,
    rule?: string,
  ][] = [
    [
      'by a tracked server in office hours',
      server,
      'allow',
      'require_server_session',
      'prod-hours',
    ],
    [
      'by a server without a session',
      { mode: 'server' },
      'refuse',
      'require_server_session',
      'prod-hours',
    ],
    ['by the command line', {}, 'refuse', 'require_server_session', 'prod-hours'],
    [
      'at closing time',
      { ...server, ...on('2026-01-14T17:00+01:00') },
      'refuse',
      'require_approval',
      'prod',
    ],
    [
      'for a person of another account',
      { ...server, ...as({ ...aPrincipal(), account: '999999999999' }) },
      'refuse',
      'require_approval',
      'prod',
    ],
    [
      'for a kinded person of another account',
      { ...server, ...as({ ...anSSOPrincipal('x@corp.example'), account: '999999999999' }) },
      'allow',
      'require_server_session',
      'prod-hours',
    ],
    ['on dev', dev, 'allow', 'allow', 'dev'],
    ['on another dev', { profile: 'dev-eu' }, 'allow', 'allow', 'dev'],
    [
      'under an earlier deny',
      { ...dev, ...as(anSSOPrincipal('x@contractor.example')) },
      'refuse',
      'deny',
      'contractors-out',
    ],
    ['on a profile no rule names', { profile: 'stage' }, 'refuse', 'deny'],
  ]
  for (const [when, overrides, outcome, effect, rule] of cases) {
    test(`${outcome}s ${when}`, () => {
      const decision = decide(policy, anInput(overrides))
      assert.deepEqual(
        [decision.outcome, decision.effect, decision.rule?.name, decision.basis],
        [outcome, effect, rule, 'policy'],
      )
    })
  }

  test('refuses everything under a policy without rules', () => {
    assert.deepEqual(decide(aPolicy(), anInput()), {
      outcome: 'refuse',
      effect: 'deny',
      basis: 'policy',
      reason: 'no rule matches',
      remedies: [],
    })
  })

  test('lets the first of two matching rules decide', () => {
    const rules = [aRule({ name: 'no', effect: 'deny' }), aRule({ name: 'yes' })]
    assert.deepEqual(decide(aPolicy({ rules }), anInput()).rule, { name: 'no', index: 0 })
    assert.deepEqual(decide(aPolicy({ rules: rules.toReversed() }), anInput()).rule, {
      name: 'yes',
      index: 0,
    })
  })

  test('says what the rule says, and the reason its author gave', () => {
    const reasonOf = (overrides: Partial<AccessInput>, on = policy) =>
      decide(on, anInput(overrides)).reason
    assert.equal(reasonOf(dev), 'rule "dev" allows it: development access')
    assert.equal(
      reasonOf({}),
      'rule "prod-hours" requires server mode with a session tracked in DynamoDB',
    )
    assert.equal(
      reasonOf({ mode: 'server' }, { ...policy, stores: { sessions: table } }),
      `rule "prod-hours" requires a session tracked in ${table}`,
    )
    assert.equal(reasonOf(on('2026-01-14T20:00Z')), 'rule "prod" requires approval')
    assert.equal(reasonOf({ profile: 'stage' }), 'no rule matches')
  })

  test('throws rather than pass over a condition it does not know', () => {
    const rule = { ...aRule(), conditions: { usres: ['alice'] } } as unknown as Policy['rules'][0]
    assert.throws(() => decide(aPolicy({ rules: [rule] }), anInput()), TypeError)
  })

  test('refuses under an effect it does not know', () => {
    const rule = { ...aRule(), effect: 'alow' } as unknown as Policy['rules'][0]
    assert.equal(decide(aPolicy({ rules: [rule] }), anInput()).outcome, 'refuse')
  })
})

suite('explain', () => {
  test('decides as decide does', () => {
    const input = anInput(on('2026-01-14T20:00Z'))
    assert.deepEqual(explain(policy, input).decision, decide(policy, input))
  })

  test('holds every condition of every rule against what was asked', () => {
    const { rules } = explain(policy, anInput({ at: NOON + 5 * HOUR + 7 * MINUTE }))
    assert.deepEqual(
      rules.map(({ name, index, effect, matched }) => [name, index, effect, matched]),
      [
        ['contractors-out', 0, 'deny', false],
        ['dev', 1, 'allow', false],
        ['prod-hours', 2, 'require_server_session', false],
        ['prod', 3, 'require_approval', true],
      ],
    )
    assert.deepEqual(rules[2]?.conditions, [
      { condition: 'profiles', matched: true, expected: ['prod'], actual: 'prod' },
      {
        condition: 'users',
        matched: true,
        expected: ['alice', 'sso:*@corp.example'],
        actual: 'iam:111122223333/alice',
      },
      {
        condition: 'time',
        matched: false,
        expected: ['monday, tuesday, wednesday, thursday, friday 09:00-17:00 Europe/Berlin'],
        actual: 'wednesday 18:07',
      },
    ])
  })

  test('tells of roles, accounts and modes too', () => {
    const conditions = { roles: ['arn:*'], accounts: ['4444*'], mode: ['server'] } as const
    const { rules } = explain(aPolicy({ rules: [aRule({ conditions })] }), anInput())
    assert.deepEqual(rules[0]?.conditions, [
      { condition: 'accounts', matched: true, expected: ['4444*'], actual: '444455556666' },
      { condition: 'roles', matched: true, expected: ['arn:*'], actual: PROD },
      { condition: 'mode', matched: false, expected: ['server'], actual: 'cli' },
    ])
  })

  test('says that a name is not bound', () => {
    const rules = [aRule({ conditions: { profiles: ['prod'] } })]
    const explanation = explain(aPolicy({ profiles: [], rules }), anInput())
    assert.deepEqual(explanation.rules[0]?.conditions, [
      {
        condition: 'profiles',
        matched: false,
        expected: ['prod'],
        actual: 'prod (not bound under profiles)',
      },
    ])
  })
})
