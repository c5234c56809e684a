import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decide } from '../../../src/domain/policy/evaluate.ts'
import { explain } from '../../../src/domain/policy/explain.ts'
import { grantAsIf } from '../../../src/domain/policy/lifting.ts'
import type { Change, Nearest } from '../../../src/domain/policy/nearest.ts'
import type { AccessInput, Conditions, Mode, Policy } from '../../../src/domain/policy/types.ts'
import { HOUR } from '../../../src/domain/time.ts'
import {
  aBreakGlassRule,
  anApprovalRule,
  anInput,
  aPolicy,
  aRule,
  NOON,
  users,
} from '../../fixtures/policies.ts'
import { random, scaled } from '../../fixtures/random.ts'
import { answer } from './naive-evaluator.ts'
import { randomInput, randomPolicy } from './random-policies.ts'

const from = (start: number, end: number): Conditions => ({
  time: { hours: { start: start * 60, end: end * 60 }, overnight: false, timezone: 'UTC' },
})
const evening = aRule({ name: 'evening', conditions: from(18, 20) })
const forBob = aRule({ name: 'for bob', conditions: { users: users('bob') } })
const byServer = aRule({ name: 'by server', effect: 'require_server' })
const deny = aRule({ name: 'freeze', effect: 'deny' })

const nearestOf = (policy: Partial<Policy>, input: Partial<AccessInput> = {}) =>
  explain(aPolicy(policy), anInput(input)).nearest

suite('the nearest rule', () => {
  test('is none where the access is allowed', () => {
    assert.equal(nearestOf({ rules: [aRule()] }), undefined)
  })

  test('is none where nothing could allow it', () => {
    const needsApproval = aRule({ effect: 'require_approval' })
    const never = aRule({ effect: 'require_server', conditions: { mode: ['cli'] } })
    assert.equal(nearestOf({ rules: [deny, needsApproval, never] }), undefined)
  })

  test('is none where the name stands for another role: no rule is asked', () => {
    const profiles = [{ profile: 'prod', role: 'arn:aws:iam::999999999999:role/Other' }]
    const explanation = explain(aPolicy({ profiles, rules: [aRule()] }), anInput())
    assert.equal(explanation.nearest, undefined)
    assert.equal(explanation.boundTo, 'arn:aws:iam::999999999999:role/Other')
  })

  test('is the one that takes the fewest changes', () => {
    const far = aRule({ name: 'far', conditions: { ...from(18, 20), mode: ['server'] } })
    assert.equal(nearestOf({ rules: [far, evening] })?.rule, 'evening')
  })

  test('is, of equals, one whose changes are enough, and then the first', () => {
    const night = aRule({ name: 'night', conditions: from(22, 24) })
    assert.equal(nearestOf({ rules: [forBob, evening, night] })?.rule, 'evening')
    const forCarol = aRule({ name: 'for carol', conditions: { users: users('carol') } })
    assert.equal(nearestOf({ rules: [forBob, forCarol] })?.rule, 'for bob')
  })

  const cases: [what: string, Partial<Policy>, Partial<AccessInput>, Partial<Nearest>][] = [
    [
      'says which mode would do',
      { rules: [aRule({ conditions: { mode: ['server', 'credential_process'] } })] },
      {},
      {
        changes: [{ what: 'mode', actual: 'cli', expected: ['server', 'credential_process'] }],
        isEnough: true,
      },
    ],
    [
      'leaves out a mode that another rule denies',
      {
        rules: [
          aRule({ effect: 'deny', conditions: { mode: ['server'] } }),
          aRule({ conditions: { mode: ['server', 'credential_process'] } }),
        ],
      },
      {},
      {
        changes: [{ what: 'mode', actual: 'cli', expected: ['credential_process'] }],
        isEnough: true,
      },
    ],
    [
      'says that an effect wants a server',
      { rules: [byServer] },
      {},
      { changes: [{ what: 'mode', actual: 'cli', expected: ['server'] }], isEnough: true },
    ],
    [
      'says where the session has to be tracked',
      {
        rules: [aRule({ effect: 'require_server_session' })],
        stores: { sessions: 'dynamodb:s' },
      },
      { mode: 'server', sessionStore: 'dynamodb:other' },
      {
        changes: [
          { what: 'session', actual: 'in dynamodb:other', expected: ['tracked in dynamodb:s'] },
        ],
        isEnough: true,
      },
    ],
    [
      'says when its window opens',
      { rules: [evening] },
      {},
      {
        changes: [
          {
            what: 'time',
            actual: 'wednesday 12:00',
            expected: ['every day 18:00-20:00 UTC'],
            opensAt: NOON + 6 * HOUR,
          },
        ],
        isEnough: true,
      },
    ],
    [
      'claims nothing of being somebody else',
      { rules: [forBob] },
      {},
      {
        changes: [{ what: 'users', actual: 'iam:111122223333/alice', expected: ['bob'] }],
        isEnough: false,
      },
    ],
    [
      'says which rule comes before it',
      { rules: [deny, evening] },
      {},
      {
        rule: 'evening',
        isEnough: false,
        changes: [
          {
            what: 'time',
            actual: 'wednesday 12:00',
            expected: ['every day 18:00-20:00 UTC'],
            opensAt: NOON + 6 * HOUR,
          },
          {
            what: 'order',
            actual: 'rule 1 "freeze" (deny) matches first',
            expected: ['that it does not'],
          },
        ],
      },
    ],
    [
      'says that the credentials cannot be stamped',
      { rules: [aRule()] },
      { target: { account: '111122223333', stamped: false } },
      {
        changes: [
          {
            what: 'credentials',
            actual: 'cannot be stamped',
            expected: ['those of a role that Sentinel assumes'],
          },
        ],
        isEnough: false,
      },
    ],
    [
      'may be one of approvals',
      { approvals: [anApprovalRule({ required: 2, approvers: users('bob', 'carol') })] },
      {},
      {
        kind: 'approval',
        rule: 'approvers',
        changes: [{ what: 'approval', actual: 'none', expected: ['by 2 of bob, carol'] }],
        isEnough: true,
      },
    ],
    [
      'may be one of broken glass, over a deny too',
      { rules: [deny], breakGlass: [aBreakGlassRule({ overridesDeny: true })] },
      {},
      { kind: 'break_glass', rule: 'on-call', isEnough: true },
    ],
    [
      'is an approvals rule for others only where none is for the caller',
      { approvals: [anApprovalRule({ users: users('bob') })] },
      {},
      {
        kind: 'approval',
        changes: [
          { what: 'users', actual: 'iam:111122223333/alice', expected: ['bob'] },
          { what: 'approval', actual: 'none', expected: ['by bob'] },
        ],
        isEnough: false,
      },
    ],
  ]
  for (const [what, policy, input, expected] of cases) {
    test(what, () => assert.partialDeepStrictEqual(nearestOf(policy, input), expected))
  }
})

suite('explain', () => {
  test('tells the terms of the rules that would lift a refusal', () => {
    const approvals = [
      anApprovalRule({
        approvers: users('bob', 'carol'),
        required: 2,
        maxDuration: 7200,
        autoApprove: { maxDuration: 1800 },
      }),
    ]
    const breakGlass = [aBreakGlassRule({ reasonCodes: ['security'], reviewers: users('carol') })]
    const { approval, breakGlass: glass } = explain(aPolicy({ approvals, breakGlass }), anInput())
    assert.deepEqual(approval, {
      rule: 'approvers',
      approvers: ['bob', 'carol'],
      required: 2,
      maxDuration: 7200,
      automatic: 1800,
    })
    assert.deepEqual(glass, {
      rule: 'on-call',
      reasonCodes: ['security'],
      reviewers: ['carol'],
      blockWhenOverdue: false,
      overridesDeny: false,
    })
  })

  test('tells of no rule that would lift nothing', () => {
    const policy = aPolicy({ rules: [deny], approvals: [anApprovalRule()] })
    assert.equal(explain(policy, anInput()).approval, undefined)
    assert.equal(explain(aPolicy({ ...policy, rules: [aRule()] }), anInput()).approval, undefined)
  })
})

suite('what an explanation says, against a naive evaluator', () => {
  const SEED = 1905

  test('would lead to access does, and what is needed is needed', () => {
    const seen = { enough: 0, needed: 0, lifted: 0 }
    for (let seed = SEED; seed < SEED + scaled(6000); seed++) {
      const next = random(seed)
      const policy = randomPolicy(next)
      const input = { ...randomInput(next), grants: [] }
      const { decision, rules, nearest, approval, breakGlass } = explain(policy, input)
      const shown = `seed ${seed}: ${JSON.stringify({ nearest, policy, input })}`
      if (decision.outcome === 'allow') {
        assert.deepEqual([nearest, approval, breakGlass], [undefined, undefined, undefined], shown)
        continue
      }
      if (approval || breakGlass) {
        seen.lifted += 1
        const grants = [grantAsIf(approval ? 'approval' : 'break_glass', policy, input)!]
        assert.equal(answer(policy, { ...input, grants }).outcome, 'allow', shown)
      }
      if (!nearest) continue
      assert.ok(nearest.changes.length > 0, shown)
      if (nearest.isEnough) {
        seen.enough += 1
        for (const changed of made(nearest, policy, input)) {
          const { outcome, rule } = answer(policy, changed)
          assert.equal(outcome, 'allow', shown)
          if (nearest.kind === 'rule') assert.equal(rule, nearest.index, shown)
        }
      }
      if (nearest.kind === 'rule') {
        seen.needed += 1
        const failing = rules[nearest.index]!.conditions.filter(({ matched }) => !matched)
        const told = nearest.changes.map(({ what }) => what)
        for (const { condition } of failing) assert.ok(told.includes(condition), shown)
      }
      const without = rules.filter(({ effect }) => effect === 'allow').map(distance)
      const last = Math.min(...without)
      // The order of rules may cost one more, and what cannot be stamped another.
      assert.ok(nearest.changes.length <= last + 2, shown)
    }
    for (const [kind, count] of Object.entries(seen)) assert.ok(count > 200, `${kind}: ${count}`)
  })

  test('is the same each time', () => {
    const next = random(SEED)
    for (let round = 0; round < 200; round++) {
      const [policy, input] = [randomPolicy(next), randomInput(next)]
      const copy = structuredClone({ policy, input })
      assert.deepEqual(explain(policy, input), explain(copy.policy, copy.input))
      assert.deepEqual(explain(policy, input).decision, decide(policy, input))
    }
  })
})

function distance({ conditions }: ReturnType<typeof explain>['rules'][number]): number {
  return conditions.filter(({ matched }) => !matched).length
}

/** The accesses that `changes` describe: one for each mode that is said to do. */
function made({ kind, changes }: Nearest, policy: Policy, input: AccessInput): AccessInput[] {
  if (kind !== 'rule') return [{ ...input, grants: [grantAsIf(kind, policy, input)!] }]
  const change = (what: Change['what']) => changes.find((each) => each.what === what)
  const at = change('time')?.opensAt ?? input.at
  const session = change('session') && {
    sessionStore: policy.stores.sessions ?? 'dynamodb:whichever',
  }
  const modes = (change('mode')?.expected ?? [input.mode]) as Mode[]
  return modes.map((mode) => ({ ...input, ...session, at, mode }))
}
