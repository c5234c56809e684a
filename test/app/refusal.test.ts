import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { adviceOf, refusalOf } from '../../src/app/refusal.ts'
import { decide } from '../../src/domain/policy/evaluate.ts'
import type { AccessInput, Policy, Remedy } from '../../src/domain/policy/types.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  anInput,
  aPolicy,
  aRule,
  users,
} from '../fixtures/policies.ts'

function refused(policy: Partial<Policy>, input: Partial<AccessInput> = {}) {
  return refusalOf(decide(aPolicy(policy), anInput(input)), 'prod')
}

suite('refusalOf', () => {
  test("tells the rule's own reason to the user and to the client", () => {
    const rules = [aRule({ name: 'freeze', effect: 'deny', reason: 'release week' })]
    const { code, message, hint, reply } = refused({ rules })
    assert.equal(code, 'POLICY_DENIED')
    assert.equal(message, 'profile prod is refused: rule "freeze" denies it: release week')
    assert.equal(hint, 'see each rule, and what would change it: sentinel why')
    assert.equal(reply, 'refused: rule "freeze" denies it: release week')
  })

  test('says when no rule matched', () => {
    assert.equal(refused({}).message, 'profile prod is refused: no rule matches')
  })

  test('advises every remedy, the nearest first', () => {
    const rules = [aRule({ effect: 'require_approval' })]
    const approvals = [anApprovalRule({ approvers: users('bob', 'carol') })]
    const breakGlass = [aBreakGlassRule()]
    assert.equal(
      refused({ rules, approvals, breakGlass }).hint,
      'ask bob or carol for approval: sentinel request prod --justification WHY; ' +
        'or in an emergency: sentinel breakglass prod --reason-code incident --justification WHY',
    )
    assert.match(refused({ rules: [aRule({ effect: 'require_server' })] }).hint ?? '', /--server$/)
  })

  test('says what became of the grant that lifted it before', () => {
    const decision = decide(aPolicy({ rules: [aRule({ effect: 'require_approval' })] }), anInput())
    const { message, reply } = refusalOf(decision, 'prod', 'request mz was revoked by bob: off')
    assert.match(message, /requires approval; request mz was revoked by bob: off$/)
    assert.match(reply ?? '', /requires approval; request mz was revoked by bob: off$/)
  })

  test('keeps the ARNs of roles from the client', () => {
    const profiles = [{ profile: 'prod', role: 'arn:aws:iam::999999999999:role/Other' }]
    const { message, reply } = refused({ profiles, rules: [aRule()] })
    assert.match(message, /stands for arn:aws:iam::444455556666:role\/Prod/)
    assert.equal(reply, undefined)
  })

  test('shows how an unstamped profile is made a gated one', () => {
    const target = { account: '444455556666', stamped: false }
    const { code, message, hint, reply } = refused({ rules: [aRule()] }, { target })
    assert.equal(code, 'PROFILE_UNSTAMPED')
    assert.match(message, /^profile prod has no role for Sentinel to assume: rule "a rule"/)
    assert.match(hint ?? '', /role_arn = .* source_profile = prod-base$/)
    assert.match(reply ?? '', /^the profile has no role to assume/)
  })
})

suite('adviceOf', () => {
  const advice: [remedy: Remedy, text: string][] = [
    [{ kind: 'server' }, 'run it through the credential server: sentinel exec --server'],
    [
      { kind: 'server_session' },
      'have it tracked in DynamoDB: sentinel exec --server --session-table TABLE',
    ],
    [
      { kind: 'server_session', store: 'dynamodb:eu-central-1:s' },
      'run it as a server, which is tracked in dynamodb:eu-central-1:s: sentinel exec --server',
    ],
    [
      { kind: 'window', rule: 'hours', opensAt: Date.UTC(2026, 0, 15, 8) },
      'try again from 2026-01-15T08:00:00Z, when rule "hours" applies',
    ],
    [
      { kind: 'request', profile: 'prod', approvers: ['bob'] },
      'ask bob for approval: sentinel request prod --justification WHY',
    ],
    [
      { kind: 'request', profile: 'prod', approvers: [] },
      'ask for it: sentinel request prod --justification WHY',
    ],
    [
      { kind: 'break_glass', profile: 'prod', reasonCode: 'security' },
      'in an emergency: sentinel breakglass prod --reason-code security --justification WHY',
    ],
    [
      { kind: 'break_glass', profile: "bob's" },
      "in an emergency: sentinel breakglass 'bob'\\''s' --reason-code incident --justification WHY",
    ],
  ]
  for (const [remedy, text] of advice) {
    test(`says how: ${text}`, () => assert.equal(adviceOf(remedy), text))
  }
})
