import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import type { AccessInput, Conditions, Policy, Remedy } from '../../../src/domain/policy/types.ts'
import { HOUR } from '../../../src/domain/time.ts'
import {
  aBreakGlassRule,
  aGrant,
  anApprovalRule,
  anInput,
  aPolicy,
  aRule,
  NOON,
  users,
} from '../../fixtures/policies.ts'

const table = 'dynamodb:eu-central-1:sentinel-sessions'
const request: Remedy = { kind: 'request', profile: 'prod', approvers: ['bob'] }
const breakGlass: Remedy = { kind: 'break_glass', profile: 'prod' }
const grants = { approvals: [anApprovalRule()], breakGlass: [aBreakGlassRule()] }

const from = (start: number, end: number): Conditions => ({
  time: { hours: { start: start * 60, end: end * 60 }, overnight: false, timezone: 'UTC' },
})
const opens = (rule: string, hours: number): Remedy => ({
  kind: 'window',
  rule,
  opensAt: NOON + hours * HOUR,
})

const needsApproval = aRule({ name: 'approval', effect: 'require_approval' })
const deny = aRule({ name: 'deny', effect: 'deny' })
const evening = aRule({ name: 'evening', conditions: from(18, 20) })

suite('remedies', () => {
  const cases: [what: string, Partial<Policy>, Partial<AccessInput>, Remedy[]][] = [
    ['none, where there is none', { rules: [needsApproval] }, {}, []],
    [
      'a request, for require_approval',
      { rules: [needsApproval], ...grants },
      {},
      [request, breakGlass],
    ],
    ['a request, for the default deny', grants, {}, [request, breakGlass]],
    ['none, for a deny', { rules: [deny], ...grants }, {}, []],
    [
      'break-glass, for a deny it overrides',
      { rules: [deny], breakGlass: [aBreakGlassRule({ overridesDeny: true })] },
      {},
      [breakGlass],
    ],
    [
      'none, of approvals for others',
      { approvals: [anApprovalRule({ users: users('bob') })] },
      {},
      [],
    ],
    ['none, of approvals for other profiles', grants, { profile: 'dev' }, []],
    [
      'none, where nobody but the caller could approve',
      { approvals: [anApprovalRule({ approvers: users('alice', 'iam:111122223333/alice') })] },
      {},
      [],
    ],
    [
      'a request of the others',
      { approvals: [anApprovalRule({ approvers: users('alice', 'iam:*', 'bob') })] },
      {},
      [{ ...request, approvers: ['iam:*', 'bob'] } as Remedy],
    ],
    [
      'a request, where the rule approves by itself',
      { approvals: [anApprovalRule({ approvers: users('alice'), autoApprove: {} })] },
      {},
      [{ ...request, approvers: [] } as Remedy],
    ],
    [
      'break-glass, by a reason code that its rule takes',
      { breakGlass: [aBreakGlassRule({ reasonCodes: ['security', 'other'] })] },
      {},
      [{ kind: 'break_glass', profile: 'prod', reasonCode: 'security' }],
    ],
    [
      'the approvers of the first rule that covers',
      {
        approvals: [anApprovalRule({ approvers: users('carol', 'sso:Lead/*') }), anApprovalRule()],
      },
      {},
      [{ ...request, approvers: ['carol', 'sso:Lead/*'] }],
    ],
    [
      'none, for what cannot be stamped',
      grants,
      { target: { ...anInput().target, stamped: false } },
      [],
    ],

    [
      'server mode',
      { rules: [aRule({ effect: 'require_server' })], ...grants },
      {},
      [{ kind: 'server' }],
    ],
    [
      'server mode, by a rule for servers after one for others',
      { rules: [aRule({ effect: 'deny', conditions: { mode: ['cli'] } }), aRule()] },
      {},
      [{ kind: 'server' }],
    ],
    [
      'no server mode, where that is denied too',
      { rules: [aRule({ effect: 'deny', conditions: { mode: ['cli', 'server'] } }), aRule()] },
      {},
      [],
    ],
    [
      'a session',
      { rules: [aRule({ effect: 'require_server_session' })] },
      {},
      [{ kind: 'server_session' }],
    ],
    [
      'a session in the store that the policy names',
      { rules: [aRule({ effect: 'require_server_session' })], stores: { sessions: table } },
      { mode: 'server', sessionStore: 'memory:' },
      [{ kind: 'server_session', store: table }],
    ],

    ['a window today', { rules: [evening] }, {}, [opens('evening', 6)]],
    [
      'a window tomorrow',
      { rules: [aRule({ conditions: from(9, 12) })] },
      {},
      [opens('a rule', 21)],
    ],
    [
      'the window that opens first',
      { rules: [evening, aRule({ name: 'soon', conditions: from(13, 14) })] },
      {},
      [opens('soon', 1)],
    ],
    ['no window after a deny', { rules: [deny, evening] }, {}, []],
    ['a window before a deny', { rules: [evening, deny] }, {}, [opens('evening', 6)]],
    [
      'no window in which an earlier rule denies',
      { rules: [aRule({ effect: 'deny', conditions: from(17, 24) }), evening] },
      {},
      [],
    ],
    [
      'no window that opens when an earlier rule allows already',
      { rules: [aRule({ effect: 'deny', conditions: from(9, 15) }), aRule(), evening] },
      {},
      [],
    ],
    [
      'no window of a rule that fails by more than time',
      { rules: [aRule({ conditions: { ...from(18, 20), users: users('bob') } })] },
      {},
      [],
    ],
    [
      'no window of a rule that would not allow',
      { rules: [aRule({ effect: 'require_server', conditions: from(18, 20) })] },
      {},
      [],
    ],
    [
      'the window of a rule for servers, in server mode',
      { rules: [aRule({ name: 's', effect: 'require_server', conditions: from(18, 20) })] },
      { mode: 'server' },
      [opens('s', 6)],
    ],
    [
      'no window that only a grant would make good',
      {
        rules: [
          aRule({ effect: 'deny', conditions: from(9, 15) }),
          aRule({ effect: 'require_approval', conditions: from(18, 20) }),
        ],
        approvals: [anApprovalRule()],
      },
      { grants: [aGrant({ endsAt: NOON + 9 * HOUR })] },
      [],
    ],
    [
      'all of them: alone and at once, by others, by waiting, by force',
      {
        rules: [evening, aRule({ conditions: { mode: ['server'] } }), needsApproval],
        ...grants,
      },
      {},
      [{ kind: 'server' }, request, opens('evening', 6), breakGlass],
    ],
  ]
  for (const [what, policy, overrides, expected] of cases) {
    test(`are ${what}`, () => {
      const decision = decide(aPolicy(policy), anInput(overrides))
      assert.equal(decision.outcome, 'refuse')
      assert.deepEqual(decision.remedies, expected)
    })
  }

  test('are none when the access is allowed', () => {
    assert.deepEqual(decide(aPolicy({ rules: [aRule()], ...grants }), anInput()).remedies, [])
  })
})
