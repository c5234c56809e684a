import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import type { AccessInput, Effect, Policy } from '../../../src/domain/policy/types.ts'
import { aGrant, anApprovalRule, anInput, aPolicy, aRule, PROD } from '../../fixtures/policies.ts'

suite('bound profiles', () => {
  const profiles = [
    { profile: 'prod', role: PROD },
    { profile: 'dev*', role: 'arn:aws:iam::777788889999:role/*' },
    { profile: 'dev-eu', role: PROD },
  ]
  const DEV = {
    roleArn: 'arn:aws:iam::777788889999:role/Dev',
    account: '777788889999',
    stamped: true,
  }
  const { roleArn: _, ...noRole } = DEV
  const named = (profile: string, effect: Effect = 'allow') =>
    aRule({ name: `${effect} ${profile}`, effect, conditions: { profiles: [profile] } })
  const bound = (...rules: Policy['rules']) => aPolicy({ profiles, rules })

  const cases: [what: string, Policy, Partial<AccessInput>, outcome: string, rule?: string][] = [
    ['a bound name and its role', bound(named('prod')), {}, 'allow', 'allow prod'],
    [
      'a name bound by a glob',
      bound(named('dev*')),
      { profile: 'dev-us', target: DEV },
      'allow',
      'allow dev*',
    ],
    [
      'a role edited into the profile',
      bound(named('*')),
      { profile: 'dev', target: anInput().target },
      'refuse',
    ],
    [
      'a role edited, under a rule without profiles',
      bound(aRule()),
      { profile: 'dev', target: anInput().target },
      'refuse',
    ],
    [
      'a bound name without a role',
      bound(aRule({ unstamped: true })),
      { target: noRole },
      'refuse',
    ],
    [
      'what only a later binding allows',
      bound(aRule()),
      { profile: 'dev-eu', target: anInput().target },
      'refuse',
    ],
    ['a name that is not bound', bound(named('*')), { profile: 'stage' }, 'refuse'],
    [
      'a name not bound, under a rule without profiles',
      bound(aRule()),
      { profile: 'stage' },
      'allow',
      'a rule',
    ],
    [
      'a name not bound that a deny names',
      bound(named('st*', 'deny'), aRule()),
      { profile: 'stage' },
      'refuse',
      'deny st*',
    ],
    [
      'a name not bound that requires approval',
      bound(named('stage', 'require_approval')),
      { profile: 'stage' },
      'refuse',
    ],
    ['an empty block', aPolicy({ profiles: [], rules: [named('prod')] }), {}, 'refuse'],
    [
      'any name without a block',
      aPolicy({ rules: [named('*')] }),
      { profile: 'x', target: DEV },
      'allow',
      'allow *',
    ],
  ]
  for (const [what, policy, overrides, outcome, rule] of cases) {
    test(`${outcome} ${what}`, () => {
      const decision = decide(policy, anInput(overrides))
      assert.deepEqual([decision.outcome, decision.rule?.name], [outcome, rule])
    })
  }

  test('a mismatch is final, and names both roles', () => {
    const decision = decide(
      aPolicy({ profiles, rules: [aRule()], approvals: [anApprovalRule({ profiles: ['*'] })] }),
      anInput({ target: DEV, grants: [aGrant({ roleArn: DEV.roleArn })] }),
    )
    assert.deepEqual(decision, {
      outcome: 'refuse',
      effect: 'deny',
      basis: 'policy',
      reason: `profile "prod" stands for ${DEV.roleArn}, and the policy binds it to ${PROD}`,
      remedies: [],
    })
  })

  test('no grant is for a name that is not bound', () => {
    const stage = { profile: 'stage', grants: [aGrant({ profile: 'stage' })] }
    const approvals = [anApprovalRule({ profiles: ['*'] })]
    const decision = decide(aPolicy({ profiles, approvals }), anInput(stage))
    assert.deepEqual([decision.outcome, decision.remedies], ['refuse', []])
    assert.match(decision.reason, /^no rule matches: .*"stage"/)
  })
})
