import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { explainAccess } from '../../src/app/explain-access.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { aBreakGlassRule, anApprovalRule, anInput, aPolicy, aRule } from '../fixtures/policies.ts'

const commandsOf = (policy: Partial<Policy>, profile = 'prod', flags = '') =>
  explainAccess(aPolicy(policy), anInput({ profile }), flags).commands

suite('the commands of an explanation', () => {
  const any = { profiles: ['*'] }

  test('ask for an hour, or what the rule gives', () => {
    assert.deepEqual(
      commandsOf({ approvals: [anApprovalRule()], breakGlass: [aBreakGlassRule()] }),
      {
        request: 'sentinel request prod --duration 1h --justification "…"',
        breakGlass:
          'sentinel breakglass prod --reason-code incident --duration 1h --justification "…"',
      },
    )
    const short = {
      approvals: [anApprovalRule({ maxDuration: 1800 })],
      breakGlass: [aBreakGlassRule({ maxDuration: 900, reasonCodes: ['security', 'other'] })],
    }
    assert.deepEqual(commandsOf(short), {
      request: 'sentinel request prod --duration 30m --justification "…"',
      breakGlass:
        'sentinel breakglass prod --reason-code security --duration 15m --justification "…"',
    })
  })

  test('lead to the same policy', () => {
    const { request } = commandsOf({ approvals: [anApprovalRule()] }, 'prod', ' --policy p.yaml')
    assert.match(request ?? '', / --policy p\.yaml$/)
  })

  const profiles: [profile: string, words: string][] = [
    ["bob's", `sentinel request 'bob'\\''s' `],
    ['show', 'sentinel request --profile=show '],
    ['-x', 'sentinel request --profile=-x '],
    ['$(id)', `sentinel request '$(id)' `],
  ]
  for (const [profile, words] of profiles) {
    test(`name ${profile} as a shell and sentinel take it`, () => {
      const { request } = commandsOf({ approvals: [anApprovalRule(any)] }, profile)
      assert.equal(request?.slice(0, words.length), words)
    })
  }

  test('are none where they would lead to nothing', () => {
    const policy = { rules: [aRule({ effect: 'deny' })], approvals: [anApprovalRule()] } as const
    assert.deepEqual(commandsOf(policy), {})
  })
})
