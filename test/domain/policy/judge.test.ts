import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import type { AccessInput, Effect } from '../../../src/domain/policy/types.ts'
import { aGrant, anApprovalRule, anInput, aPolicy, aRule, PROD } from '../../fixtures/policies.ts'

const table = 'dynamodb:eu-central-1:sentinel-sessions'

suite('modes', () => {
  const cases: [
    effect: Effect,
    overrides: Partial<AccessInput>,
    store: string | undefined,
    allowed: boolean,
  ][] = [
    ['require_server', { mode: 'server' }, undefined, true],
    ['require_server', { mode: 'cli' }, undefined, false],
    ['require_server', { mode: 'credential_process' }, undefined, false],
    ['require_server_session', { mode: 'server', sessionStore: table }, undefined, true],
    [
      'require_server_session',
      { mode: 'server', sessionStore: 'arn:aws:dynamodb:eu-central-1:111122223333:table/s' },
      undefined,
      true,
    ],
    ['require_server_session', { mode: 'server', sessionStore: 'sqlite:/tmp/s' }, undefined, false],
    ['require_server_session', { mode: 'server', sessionStore: 'memory:' }, undefined, false],
    [
      'require_server_session',
      { mode: 'server', sessionStore: 'arn:aws:s3:::dynamodb:' },
      undefined,
      false,
    ],
    ['require_server_session', { mode: 'server' }, undefined, false],
    ['require_server_session', { mode: 'cli', sessionStore: table }, undefined, false],
    ['require_server_session', { mode: 'server', sessionStore: table }, table, true],
    ['require_server_session', { mode: 'server', sessionStore: `${table}2` }, table, false],
    ['require_server_session', { mode: 'server', sessionStore: 'sqlite:/s' }, 'sqlite:/s', true],
    ['require_server_session', { mode: 'server' }, table, false],
  ]
  for (const [effect, overrides, sessions, allowed] of cases) {
    const where = overrides.sessionStore ? `, tracked in ${overrides.sessionStore}` : ''
    const named = sessions ? `, the policy naming ${sessions}` : ''
    test(`${effect} ${allowed ? 'allows' : 'refuses'} ${overrides.mode}${where}${named}`, () => {
      const stores = sessions ? { sessions } : {}
      const decision = decide(aPolicy({ stores, rules: [aRule({ effect })] }), anInput(overrides))
      assert.equal(decision.outcome, allowed ? 'allow' : 'refuse')
    })
  }

  test('a mode condition holds for the modes it lists', () => {
    const rules = [aRule({ conditions: { mode: ['server', 'credential_process'] } })]
    const outcomes = (['server', 'cli', 'credential_process'] as const).map(
      (mode) => decide(aPolicy({ rules }), anInput({ mode })).outcome,
    )
    assert.deepEqual(outcomes, ['allow', 'refuse', 'allow'])
  })
})

suite('caps', () => {
  const cases: [rule: Parameters<typeof aRule>[0], mode: AccessInput['mode'], cap?: number][] = [
    [{}, 'server'],
    [{ maxDuration: 3600 }, 'cli', 3600],
    [{ maxDuration: 3600 }, 'server', 3600],
    [{ maxServerDuration: 900 }, 'server', 900],
    [{ maxServerDuration: 900 }, 'cli'],
    [{ maxServerDuration: 900 }, 'credential_process'],
    [{ maxDuration: 3600, maxServerDuration: 900 }, 'server', 900],
    [{ maxDuration: 900, maxServerDuration: 3600 }, 'server', 900],
    [{ maxDuration: 3600, maxServerDuration: 900 }, 'cli', 3600],
  ]
  for (const [rule, mode, cap] of cases) {
    test(`of ${JSON.stringify(rule)} in mode ${mode}: ${cap ?? 'none'}`, () => {
      const decision = decide(aPolicy({ rules: [aRule(rule)] }), anInput({ mode }))
      assert.deepEqual([decision.outcome, decision.maxDuration], ['allow', cap])
    })
  }
})

suite('profiles without a stamp', () => {
  const unstamped = anInput({ target: { account: '111122223333', stamped: false } })

  test('are refused by a rule that would allow, in its own words', () => {
    const decision = decide(aPolicy({ rules: [aRule()] }), unstamped)
    assert.deepEqual(
      [decision.outcome, decision.unstamped, decision.effect],
      ['refuse', true, 'allow'],
    )
    assert.match(decision.reason, /^rule "a rule" does not accept .* cannot be stamped$/)
  })

  test('are allowed by a rule that accepts them', () => {
    const decision = decide(aPolicy({ rules: [aRule({ unstamped: true })] }), unstamped)
    assert.deepEqual([decision.outcome, decision.unstamped], ['allow', undefined])
  })

  test('are refused as everything is where no rule allows', () => {
    assert.equal(decide(aPolicy(), unstamped).unstamped, undefined)
  })

  test('are lifted by no grant', () => {
    const target = { roleArn: PROD, account: '444455556666', stamped: false }
    const rules = [aRule({ effect: 'require_approval', unstamped: true })]
    const decision = decide(
      aPolicy({ rules, approvals: [anApprovalRule()] }),
      anInput({ target, grants: [aGrant()] }),
    )
    assert.deepEqual(
      [decision.outcome, decision.unstamped, decision.remedies],
      ['refuse', true, []],
    )
  })

  test('match no rule that asks for a role', () => {
    const rules = [aRule({ conditions: { roles: ['*'] }, unstamped: true })]
    assert.equal(decide(aPolicy({ rules }), unstamped).rule, undefined)
  })
})
