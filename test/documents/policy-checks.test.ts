import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { checkPolicy } from '../../src/documents/policy.ts'

const ACCOUNTS = 'version: "1"\nprincipal_accounts: ["111122223333"]\n'
const BOUND = `${ACCOUNTS}profiles: { "prod*": { role: "arn:aws:iam::444455556666:role/Prod" } }\n`

const STORES = 'stores: { requests: "dynamodb:requests", break_glass: "dynamodb:events" }'

/** Warnings of a valid policy that ends with `stores`, as `line:column message | hint`. */
function warningsOf(text: string, stores = STORES): string[] {
  const { policy, problems, warnings } = checkPolicy(`${text.trimEnd()}\n${stores}\n`, 'p')
  assert.ok(policy, JSON.stringify(problems))
  return warnings.map(({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint}`)
}

suite('a policy without principal_accounts', () => {
  const rule = (users: string) =>
    `version: "1"\nrules: [{ name: r, effect: deny, conditions: { users: ${users} } }]\n`

  test('is warned about at the first name without a kind, once', () => {
    const text = `${rule('["iam:a", bob, carol]')}approvals:\n- { name: a, profiles: [p], users: ["*"], approvers: [dave] }`
    assert.deepEqual(warningsOf(text), [
      '2:65 "bob" means users of that name in every AWS account | ' +
        'add principal_accounts with the accounts of your users',
    ])
  })

  for (const [where, extra] of [
    ['approvers', 'approvals: [{ name: a, profiles: [p], users: ["*"], approvers: [dave] }]'],
    ['requesters', 'approvals: [{ name: a, profiles: [p], users: [dave], approvers: ["iam:*"] }]'],
    [
      'auto-approval',
      'approvals: [{ name: a, profiles: [p], users: ["*"], approvers: ["iam:*"], auto_approve: { users: [dave] } }]',
    ],
    ['break-glass', 'break_glass: [{ name: a, profiles: [p], users: [dave] }]'],
    ['reviewers', 'break_glass: [{ name: a, profiles: [p], users: ["*"], reviewers: [dave] }]'],
  ] as const) {
    test(`is warned about for ${where}`, () => {
      const [warning = '', ...others] = warningsOf(`${rule('["*"]')}${extra}`)
      assert.match(warning, /^3:\d+ "dave" means users/)
      assert.deepEqual(others, [])
    })
  }

  test('is fine with kinds and with everybody', () => {
    assert.deepEqual(warningsOf(rule('["*", "sso:*@corp.example", root]')), [])
  })

  test('is fine with principal_accounts', () => {
    assert.deepEqual(
      warningsOf(rule('[bob]').replace('rules', 'principal_accounts: ["111122223333"]\nrules')),
      [],
    )
  })
})

suite('a policy without bindings', () => {
  const rule = (effect: string, conditions: string) =>
    `${ACCOUNTS}rules:\n- name: r\n  effect: ${effect}\n  conditions: { ${conditions} }\n`

  for (const effect of ['allow', 'require_approval', 'require_server', 'require_server_session']) {
    test(`is warned about when ${effect} goes by the name of a profile`, () => {
      assert.deepEqual(warningsOf(rule(effect, 'profiles: [prod]')), [
        '6:17 rule "r" goes by the names of profiles, which users choose themselves | ' +
          'bind the names in "profiles", or add roles or accounts to the conditions',
      ])
    })
  }

  test('is not valid then under strict_profiles', () => {
    const { policy, problems } = checkPolicy(
      `${rule('allow', 'profiles: [prod]')}strict_profiles: true`,
      'p',
    )
    assert.equal(policy, undefined)
    assert.match(problems[0]!.message, /^rule "r" goes by the names of profiles/)
    assert.deepEqual([problems[0]!.line, problems[0]!.column], [6, 17])
  })

  for (const [what, effect, conditions] of [
    ['roles', 'allow', 'profiles: [prod], roles: ["arn:aws:iam::111122223333:role/A"]'],
    ['accounts', 'allow', 'profiles: [prod], accounts: ["111122223333"]'],
    ['no profiles', 'allow', 'users: [alice]'],
    ['a deny', 'deny', 'profiles: [prod]'],
  ] as const) {
    test(`is fine with ${what}`, () => assert.deepEqual(warningsOf(rule(effect, conditions)), []))
  }
})

suite('a policy with bindings', () => {
  const rule = (profiles: string) =>
    `${BOUND}rules:\n- { name: r, effect: deny, conditions: { profiles: ${profiles} } }\n`

  test('is warned about for a profile that is not bound', () => {
    assert.deepEqual(warningsOf(rule('[prod, production-eu, staging]')), [
      '5:74 "staging" is bound to no role: rule "r" never matches it | ' +
        'add "staging" with its role to "profiles"',
    ])
  })

  test('is fine with patterns, which may mean bound ones', () => {
    assert.deepEqual(warningsOf(rule('["*", "stag*"]')), [])
  })

  test('needs no warning for approvals of profiles that no rule names', () => {
    const text = `${rule('[prod]')}approvals: [{ name: a, profiles: [other], users: ["*"], approvers: [bob] }]`
    assert.deepEqual(warningsOf(text), [])
  })
})

suite('a rule that matches everything', () => {
  const policy = (conditions: string, after: string) =>
    `${ACCOUNTS}rules:\n- { name: all, effect: deny, conditions: ${conditions} }\n${after}`
  const later = '- { name: later, effect: deny, conditions: {} }\n'

  test('is warned about before a rule, at that rule', () => {
    assert.deepEqual(warningsOf(policy('{}', later)), [
      '5:3 this rule never decides: rule "all" matches everything | ' +
        'move the rule that matches everything to the end',
    ])
  })

  test('is warned about once before several', () => {
    const [warning = '', ...others] = warningsOf(
      policy('{ users: [alice, "*"] }', later + later.replace('later', 'last')),
    )
    assert.match(warning, /^5:3 this rule and 1 more never decide: rule "all" matches everything/)
    assert.deepEqual(others, [])
  })

  test('is fine at the end', () => assert.deepEqual(warningsOf(policy('{}', '')), []))

  test('is none with a condition besides', () => {
    assert.deepEqual(warningsOf(policy('{ users: ["*"], mode: [cli] }', later)), [])
  })
})

suite('a policy by which anybody decides', () => {
  const policy = (rest: string) =>
    `${BOUND}rules: [{ name: r, effect: deny, conditions: {} }]\n${rest}\n`

  test('is warned about for approvers: a requester may come back as a role', () => {
    const rest =
      'approvals: [{ name: a, profiles: [p], users: ["*"], approvers: [bob, "role:Ops/*"] }]'
    assert.deepEqual(warningsOf(policy(rest)), [
      '5:70 "role:Ops/*" stands for no person: whoever may come as one can approve their own requests | ' +
        'name people, as bob, "iam:*" or "sso:*@corp.example"',
    ])
  })

  test('is warned about for reviewers', () => {
    const rest =
      'break_glass: [{ name: b, profiles: [p], users: ["*"], reviewers: ["federated:*"] }]'
    const [warning = '', ...others] = warningsOf(policy(rest))
    assert.match(warning, /^5:\d+ "federated:\*" stands .* can review their own events/)
    assert.deepEqual(others, [])
  })

  test('is none where people are named, by whatever kind', () => {
    const approvers = '[bob, "*", "iam:*", "sso:*@corp.example", "sso:Admin/*"]'
    const rest = `approvals: [{ name: a, profiles: [p], users: ["*"], approvers: ${approvers} }]`
    assert.deepEqual(warningsOf(policy(rest)), [])
  })
})

suite('grants that are kept where callers choose', () => {
  const policy = (rest: string) =>
    `${BOUND}rules: [{ name: r, effect: deny, conditions: {} }]\n${rest}\n`
  const approvals = 'approvals: [{ name: a, profiles: [p], users: ["*"], approvers: [bob] }]'
  const breakGlass = 'break_glass: [{ name: b, profiles: [p], users: ["*"] }]'

  test('are warned about for each kind', () => {
    assert.deepEqual(warningsOf(policy(`${approvals}\n${breakGlass}`), ''), [
      "5:1 approvals without stores.requests: callers' own settings say where grants are kept | " +
        'add a place that only Sentinel writes: stores: { requests: "dynamodb:TABLE" }',
      "6:1 break_glass without stores.break_glass: callers' own settings say where grants are kept | " +
        'add a place that only Sentinel writes: stores: { break_glass: "dynamodb:TABLE" }',
    ])
  })

  test('are not where the policy names the place of that kind', () => {
    const stores = 'stores: { requests: "dynamodb:requests" }'
    const [warning = '', ...others] = warningsOf(
      policy(`${stores}\n${approvals}\n${breakGlass}`),
      '',
    )
    assert.match(warning, /^7:1 break_glass without/)
    assert.deepEqual(others, [])
  })
})
