import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import type { AccessInput, Effect, Grant, Policy } from '../../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../../src/domain/time.ts'
import {
  aBreakGlassRule,
  aGrant,
  anApprovalRule,
  anInput,
  anSSOPrincipal,
  aPolicy,
  aRule,
  NOON,
  users,
} from '../../fixtures/policies.ts'

const glass = (overrides: Partial<Grant> = {}) =>
  aGrant({ id: 'bg-1', basis: 'break_glass', ...overrides })
const under = (effect: Effect, overrides: Partial<Policy> = {}) =>
  aPolicy({
    rules: [aRule({ name: 'rule', effect })],
    approvals: [anApprovalRule()],
    breakGlass: [aBreakGlassRule()],
    ...overrides,
  })
const overriding = { breakGlass: [aBreakGlassRule({ overridesDeny: true })] }
const noRules = { rules: [] }
const sso = anSSOPrincipal('alice', 'Developer')
const person = 'sso:alice'

type Row = [what: string, Policy, grants: Grant[], basis: string | undefined, Partial<AccessInput>?]

const rows: Row[] = [
  ['nothing', under('require_approval'), [], undefined],
  ['an approval', under('require_approval'), [aGrant()], 'approval'],
  ['break-glass', under('require_approval'), [glass()], 'break_glass'],
  ['an approval of the default deny', under('allow', noRules), [aGrant()], 'approval'],
  ['break-glass of the default deny', under('allow', noRules), [glass()], 'break_glass'],

  [
    'an approval at its first instant',
    under('require_approval'),
    [aGrant({ startsAt: NOON })],
    'approval',
  ],
  [
    'an approval of the future',
    under('require_approval'),
    [aGrant({ startsAt: NOON + 1 })],
    undefined,
  ],
  [
    'an approval at its last instant',
    under('require_approval'),
    [aGrant({ endsAt: NOON + 1 })],
    'approval',
  ],
  ['an approval that ends now', under('require_approval'), [aGrant({ endsAt: NOON })], undefined],
  [
    'an approval without an end',
    under('require_approval'),
    [aGrant({ endsAt: Number.NaN })],
    undefined,
  ],

  [
    'an approval of another profile',
    under('require_approval'),
    [aGrant({ profile: 'prod2' })],
    undefined,
  ],
  [
    'an approval of another role',
    under('require_approval'),
    [aGrant({ roleArn: 'arn:aws:iam::444455556666:role/Prod2' })],
    undefined,
  ],
  [
    'an approval of another person',
    under('require_approval'),
    [aGrant({ person: 'iam:111122223333/bob' })],
    undefined,
  ],
  ['an approval of a namesake', under('require_approval'), [aGrant({ person })], undefined],
  [
    'an approval by one permission set',
    under('require_approval'),
    [aGrant({ person })],
    'approval',
    { principal: sso },
  ],
  [
    'an approval by another permission set',
    under('require_approval'),
    [aGrant({ person })],
    'approval',
    { principal: anSSOPrincipal('alice', 'Admin') },
  ],

  [
    'an approval that no rule covers',
    under('require_approval', { approvals: [] }),
    [aGrant()],
    undefined,
  ],
  [
    'an approval of profiles not covered',
    under('require_approval', { approvals: [anApprovalRule({ profiles: ['dev*'] })] }),
    [aGrant()],
    undefined,
  ],
  [
    'an approval of users not covered',
    under('require_approval', { approvals: [anApprovalRule({ users: users('bob') })] }),
    [aGrant()],
    undefined,
  ],
  [
    'break-glass that only approvals cover',
    under('require_approval', { breakGlass: [] }),
    [glass()],
    undefined,
  ],
  [
    'an approval that only break-glass covers',
    under('require_approval', { approvals: [] }),
    [aGrant()],
    undefined,
  ],
  [
    'a grant of a basis nobody knows',
    under('require_approval'),
    [aGrant({ basis: 'policy' as 'approval' })],
    undefined,
  ],

  [
    'an approval under the rule that covers',
    under('require_approval', { approvals: [anApprovalRule({ name: 'strict', required: 2 })] }),
    [aGrant({ rule: 'strict', approvedBy: ['AIDABOB', 'AIDACAROL'] })],
    'approval',
  ],
  [
    'an approval under a laxer rule than the one that covers',
    under('require_approval', {
      approvals: [anApprovalRule({ name: 'strict' }), anApprovalRule({ name: 'lax' })],
    }),
    [aGrant({ rule: 'lax' })],
    undefined,
  ],
  [
    'an approval by fewer than the rule wants',
    under('require_approval', { approvals: [anApprovalRule({ required: 2 })] }),
    [aGrant({ approvedBy: ['AIDABOB'] })],
    undefined,
  ],
  [
    'an approval by who uses it',
    under('require_approval'),
    [aGrant({ approvedBy: [anInput().principal.uniqueId] })],
    undefined,
  ],

  ['an approval of a deny', under('deny'), [aGrant()], undefined],
  ['break-glass of a deny', under('deny'), [glass()], undefined],
  ['break-glass that overrides a deny', under('deny', overriding), [glass()], 'break_glass'],
  [
    'an approval of a deny that break-glass overrides',
    under('deny', overriding),
    [aGrant()],
    undefined,
  ],
  [
    'break-glass of a deny, its first rule being milder',
    under('deny', { breakGlass: [aBreakGlassRule(), aBreakGlassRule({ overridesDeny: true })] }),
    [glass()],
    undefined,
  ],

  ['an approval of require_server', under('require_server'), [aGrant()], undefined],
  ['break-glass of require_server', under('require_server', overriding), [glass()], undefined],
  ['an approval of require_server_session', under('require_server_session'), [aGrant()], undefined],
  [
    'break-glass of require_server_session',
    under('require_server_session', overriding),
    [glass()],
    undefined,
  ],
]

suite('a grant', () => {
  for (const [what, policy, grants, basis, overrides] of rows) {
    test(`${basis ? 'lifts' : 'does not lift'}: ${what}`, () => {
      const decision = decide(policy, anInput({ ...overrides, grants }))
      assert.equal(decision.outcome, basis ? 'allow' : 'refuse')
      assert.equal(decision.basis, basis ?? 'policy')
      assert.deepEqual(decision.grant, basis ? grants[0] : undefined)
    })
  }

  test('is not used where a rule allows', () => {
    const decision = decide(under('allow'), anInput({ grants: [aGrant()] }))
    assert.deepEqual([decision.basis, decision.grant], ['policy', undefined])
  })

  test('keeps the rule that it lifted in the decision, and says until when', () => {
    const decision = decide(under('require_approval'), anInput({ grants: [aGrant()] }))
    assert.deepEqual(decision.rule, { name: 'rule', index: 0 })
    assert.equal(decision.effect, 'require_approval')
    assert.equal(decision.reason, 'approval r-1 lifts rule "rule" until 2026-01-14T13:00:00Z')
  })

  test('is the one that ends last', () => {
    const grants = [
      aGrant({ id: 'short' }),
      glass({ id: 'long', endsAt: NOON + 2 * HOUR }),
      aGrant({ id: 'ended', endsAt: NOON }),
      aGrant({ id: 'foreign', endsAt: NOON + 9 * HOUR, profile: 'dev' }),
    ]
    for (const order of [grants, grants.toReversed()]) {
      const decision = decide(under('require_approval'), anInput({ grants: order }))
      assert.deepEqual([decision.grant?.id, decision.basis], ['long', 'break_glass'])
    }
  })
})

suite('max_duration of a rule that grants', () => {
  const capped = (maxDuration: number, glassDuration = maxDuration) =>
    under('require_approval', {
      rules: [
        aRule({ effect: 'require_approval', maxDuration: 4 * 3600, maxServerDuration: 1800 }),
      ],
      approvals: [anApprovalRule({ maxDuration })],
      breakGlass: [aBreakGlassRule({ maxDuration: glassDuration })],
    })

  test('shortens a grant that was given for longer', () => {
    const decision = decide(capped(5400), anInput({ grants: [aGrant()] }))
    assert.equal(decision.grant?.endsAt, NOON + 30 * MINUTE)
  })

  test('ends a grant whose time under it has passed', () => {
    assert.equal(decide(capped(3601), anInput({ grants: [aGrant()] })).outcome, 'allow')
    assert.equal(decide(capped(3600), anInput({ grants: [aGrant()] })).outcome, 'refuse')
  })

  test('does not prolong a grant', () => {
    const decision = decide(capped(12 * 3600), anInput({ grants: [aGrant()] }))
    assert.equal(decision.grant?.endsAt, NOON + HOUR)
  })

  test('counts when the one that ends last is sought', () => {
    const long = aGrant({ id: 'long on paper', endsAt: NOON + 9 * HOUR })
    const decision = decide(capped(3900, 7200), anInput({ grants: [long, glass()] }))
    assert.equal(decision.grant?.id, 'bg-1')
  })

  test('caps the credentials, beside the caps of the rule that was lifted', () => {
    const capIn = (mode: AccessInput['mode'], policy: Policy) =>
      decide(policy, anInput({ mode, grants: [aGrant()] })).maxDuration
    assert.equal(capIn('cli', capped(5400)), 5400)
    assert.equal(capIn('server', capped(5400)), 1800)
    assert.equal(capIn('cli', capped(5 * 3600)), 4 * 3600)
    assert.equal(capIn('cli', under('require_approval')), undefined)
  })
})
