import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CHANGES, GROUPS_MAX, replayLog } from '../../src/app/replay-log.ts'
import type { LoggedRecord } from '../../src/domain/log-record.ts'
import type { Policy, Rule } from '../../src/domain/policy/types.ts'
import { HOUR, toTimestamp } from '../../src/domain/time.ts'
import { aRecord, MemoryArchive } from '../fixtures/archive.ts'
import {
  anApprovalRule,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  PROD,
  users,
} from '../fixtures/policies.ts'

const { signal } = new AbortController()

/** Alice got prod for an hour, at noon on the command line, by rule `old`. */
function issued(overrides: Partial<LoggedRecord> = {}, name = 'alice'): LoggedRecord {
  const { arn, uniqueId } = aPrincipal(name)
  return aRecord({
    type: 'issued',
    outcome: 'issued',
    user: name,
    person: `iam:111122223333/${name}`,
    principal: arn,
    principal_id: uniqueId,
    profile: 'prod',
    role_arn: PROD,
    account: '444455556666',
    stamped: true,
    mode: 'cli',
    effect: 'allow',
    basis: 'policy',
    rule: 'old',
    duration_seconds: 3600,
    request_id: `request of ${name}`,
    ...overrides,
  })
}

/** Alice was refused prod, as no rule matched. */
function refused(overrides: Partial<LoggedRecord> = {}, name = 'alice'): LoggedRecord {
  const { rule: _, duration_seconds: __, ...record } = issued({}, name)
  return {
    ...record,
    ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', effect: 'deny' },
    ...overrides,
  }
}

const allowing = (...overrides: Partial<Rule>[]) =>
  aPolicy({ rules: overrides.map((rule) => aRule({ name: 'old', ...rule })) })

async function replay(
  records: readonly LoggedRecord[],
  policy: Policy,
  { filter = {}, annulled = [] as LoggedRecord[] } = {},
) {
  return await replayLog(new MemoryArchive(records, annulled), { policy, filter }, { signal })
}

const changes = (refused = 0, allowed = 0, rule = 0, cap = 0) => ({ refused, allowed, rule, cap })

suite('replayLog', () => {
  test('finds nothing changed under the same policy', async () => {
    const result = await replay([issued(), issued({}, 'bob')], allowing({}))
    assert.deepEqual(result, {
      decided: 2,
      unchanged: 2,
      undecidable: { undecided: 0, incomplete: 0 },
      changes: changes(),
      groups: [],
      ungrouped: 0,
      from: '2026-01-14T12:00:00.000Z',
      to: '2026-01-14T12:00:00.000Z',
    })
  })

  const cases: [what: string, record: LoggedRecord, policy: Policy, changes: object][] = [
    ['what is refused now', issued(), aPolicy(), changes(1)],
    ['what is allowed now', refused(), allowing({}), changes(0, 1)],
    ['no refusal by another rule', refused(), allowing({ effect: 'deny' }), changes()],
    ['another rule that allows', issued(), allowing({ name: 'new' }), changes(0, 0, 1)],
    ['a cap below what was issued', issued(), allowing({ maxDuration: 1800 }), changes(0, 0, 0, 1)],
    ['no cap that was kept', issued(), allowing({ maxDuration: 3600 }), changes()],
    [
      'what was allowed by the policy and failed after that',
      refused({ outcome: 'failed', code: 'STS_UNAVAILABLE', effect: 'allow', rule: 'old' }),
      aPolicy(),
      changes(1),
    ],
    [
      'what was not stamped',
      refused({ code: 'PROFILE_UNSTAMPED', effect: 'allow', stamped: false, rule: 'old' }),
      allowing({ unstamped: true }),
      changes(0, 1),
    ],
  ]
  for (const [what, record, policy, expected] of cases) {
    test(`finds ${what}`, async () => {
      assert.deepEqual((await replay([record], policy)).changes, expected)
    })
  }

  test('decides each at its own time', async () => {
    const hours = { start: 8 * 60, end: 13 * 60 }
    const policy = allowing({ conditions: { time: { hours, overnight: false, timezone: 'UTC' } } })
    const late = issued({ time: toTimestamp(NOON + HOUR) })
    assert.deepEqual((await replay([issued(), late], policy)).changes, changes(1))
  })

  test('decides with the grant that lifted then', async () => {
    const record = issued({
      ...{
        basis: 'approval',
        effect: 'require_approval',
        grant_id: 'r-1',
        grant_rule: 'approvers',
      },
      ...{ grant_from: toTimestamp(NOON - HOUR), grant_until: toTimestamp(NOON + HOUR) },
      grant_approved_by: 'AIDABOB',
    })
    const policy = (overrides = {}) =>
      aPolicy({
        rules: [aRule({ name: 'old', effect: 'require_approval' })],
        approvals: [anApprovalRule(overrides)],
      })
    assert.deepEqual((await replay([record], policy())).changes, changes())
    assert.deepEqual((await replay([record], policy({ users: users('bob') }))).changes, changes(1))
  })

  test('groups what changes by user, profile and rules, with times and an example', async () => {
    const at = (hours: number) => toTimestamp(NOON + hours * HOUR)
    const records = [
      issued({ time: at(1) }),
      issued({ time: at(0) }),
      issued({ time: at(2), request_id: 'last' }),
      issued({ time: at(3), rule: 'other' }),
      issued({}, 'bob'),
      refused({}, 'carol'),
    ]
    const policy = allowing({ name: 'new', conditions: { users: users('carol') } })
    const { groups, decided, unchanged } = await replay(records, policy)
    assert.deepEqual([decided, unchanged], [6, 0])
    const common = { change: 'refused', profile: 'prod', reason: groups[0]?.reason }
    assert.match(groups[0]?.reason ?? '', /no rule/)
    assert.deepEqual(groups, [
      {
        ...{ ...common, user: 'alice', oldRule: 'old', count: 3 },
        ...{ first: at(0), last: at(2), example: 'last' },
      },
      {
        ...{ ...common, user: 'alice', oldRule: 'other', count: 1 },
        ...{ first: at(3), last: at(3), example: 'request of alice' },
      },
      {
        ...{ ...common, user: 'bob', oldRule: 'old', count: 1 },
        ...{ first: at(0), last: at(0), example: 'request of bob' },
      },
      {
        ...{ change: 'allowed', profile: 'prod', user: 'carol', newRule: 'new', count: 1 },
        ...{ first: at(0), last: at(0), example: 'request of carol' },
        reason: groups[3]?.reason,
      },
    ])
  })

  test('counts what cannot be decided again, and why', async () => {
    const { effect: _, ...undecided } = refused({ code: 'BASE_CREDENTIALS_MISSING' })
    const { principal_id: __, ...incomplete } = issued()
    const { decided, undecidable } = await replay([undecided, incomplete, issued()], allowing({}))
    assert.equal(decided, 1)
    assert.deepEqual(undecidable, { undecided: 1, incomplete: 1 })
  })

  test('passes over repeats, sums, what was taken back and what was not asked for', async () => {
    const annulled = issued()
    const records = [
      ...[annulled, aRecord({ type: 'start' }), aRecord({ type: 'served', count: 3 })],
      ...[refused({ of: 'x', repeats: 4 }), issued({}, 'bob')],
      ...[issued({ profile: 'dev' }), issued({ time: toTimestamp(NOON - HOUR) })],
    ]
    const filter = { since: NOON, until: NOON + 1, profile: 'prod', user: 'bob' }
    const { decided, undecidable } = await replay(records, aPolicy(), {
      annulled: [annulled],
      filter,
    })
    assert.equal(decided, 1)
    assert.deepEqual(undecidable, { undecided: 0, incomplete: 0 })
  })

  test('tells only so many groups apart, and counts the rest', async () => {
    const records = Array.from({ length: GROUPS_MAX + 2 }, (_, index) =>
      issued({ rule: `${index}` }),
    )
    const { groups, ungrouped, changes: counted } = await replay(records, aPolicy())
    assert.deepEqual([groups.length, ungrouped], [GROUPS_MAX, 2])
    assert.equal(counted.refused, GROUPS_MAX + 2)
    assert.equal(CHANGES.length, Object.keys(counted).length)
  })
})
