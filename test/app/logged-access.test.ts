import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { askedUnder, loggedAccess } from '../../src/app/logged-access.ts'
import type { LoggedRecord, LogRecord } from '../../src/domain/log-record.ts'
import { decide } from '../../src/domain/policy/evaluate.ts'
import type { AccessInput, Decision, Grant, Policy } from '../../src/domain/policy/types.ts'
import type { Principal } from '../../src/domain/principal.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import { randomInput, randomPolicy } from '../domain/policy/random-policies.ts'
import { MemoryDecisionLog } from '../fixtures/app/decision-log.ts'
import { aRecorder, ID, readBack, written } from '../fixtures/app/written-records.ts'
import {
  aGrant,
  anApprovalRule,
  anInput,
  anSSOPrincipal,
  aPolicy,
  aPrincipal,
  aRule,
  NOON,
  users,
} from '../fixtures/policies.ts'
import {
  aFederatedPrincipal,
  aRolePrincipal,
  aRootPrincipal,
  aWebPrincipal,
} from '../fixtures/principals.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const SEED = 5150

suite('loggedAccess', () => {
  test('gives what was decided on: decided again, it is decided the same', async () => {
    const seen = new Map<string, number>()
    for (let seed = SEED; seed < SEED + scaled(4000); seed++) {
      const next = random(seed)
      const policy = withAutomaticApprovals(randomPolicy(next), next)
      const input = withTrueNames(withDetailedGrants(randomInput(next), policy, next))
      const decision = decide(policy, input)
      const later = next() < 0.5 ? 0 : Math.floor(next() * 20 * SECOND)
      const shown = () => `seed ${seed}: ${JSON.stringify({ policy, input })}`

      const access = loggedAccess(await written(policy, input, { later }))

      assert.ok(access, shown())
      const again = decide(policy, access.input)
      assert.deepEqual(verdictOf(again), verdictOf(decision), shown())
      // A grant that lifted nothing may still be a reason, or a remedy: no record tells of it.
      if (input.grants.length === 0 || decision.grant) assert.deepEqual(again, decision, shown())
      assert.equal(access.outcome, decision.outcome, shown())
      assert.deepEqual({ ...access.input, grants: [] }, { ...input, grants: [] }, shown())
      const kind = `${decision.outcome} ${decision.effect} ${decision.basis}`
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
    for (const kind of ['allow require_approval approval', 'allow deny break_glass']) {
      assert.ok((seen.get(kind) ?? 0) > 5, `${kind}: ${seen.get(kind)} cases`)
    }
  })

  const principals: Principal[] = [
    aPrincipal(),
    anSSOPrincipal(),
    aRolePrincipal(),
    aFederatedPrincipal(),
    aWebPrincipal('oidc.example/id', 'repo:a/b'),
    aWebPrincipal('a%2Fb', '%'),
    aRootPrincipal(),
  ]
  for (const principal of principals) {
    test(`knows ${principal.arn} again`, async () => {
      const access = loggedAccess(await written(aPolicy(), anInput({ principal })))
      assert.deepEqual(access?.input.principal, principal)
    })
  }

  test('takes for decided when it was, not when STS had answered', async () => {
    const record = await written(aPolicy({ rules: [aRule()] }), anInput(), { later: MINUTE })
    assert.equal(record.time, '2026-01-14T12:01:00.000Z')
    assert.equal(loggedAccess(record)?.input.at, NOON)
  })

  test('holds a grant to what another policy asks of it', async () => {
    const rule = anApprovalRule({ name: 'two', required: 1 })
    const policy = aPolicy({ approvals: [rule] })
    const grant = aGrant({ rule: 'two', approvedBy: ['AIDABOB', 'AIDACAROL'] })
    const access = loggedAccess(await written(policy, anInput({ grants: [grant] })))
    assert.deepEqual(access?.input.grants, [grant])

    const outcomeUnder = (changes: Partial<typeof rule>) =>
      decide(aPolicy({ approvals: [{ ...rule, ...changes }] }), access.input).outcome
    assert.equal(outcomeUnder({}), 'allow')
    assert.equal(outcomeUnder({ required: 2 }), 'allow')
    assert.equal(outcomeUnder({ required: 3 }), 'refuse')
    assert.equal(outcomeUnder({ name: 'another' }), 'refuse')
    // It began an hour ago.
    assert.equal(outcomeUnder({ maxDuration: 1800 }), 'refuse')
  })

  test('has a grant of an older record last as long as its credentials', async () => {
    const policy = aPolicy({ approvals: [anApprovalRule()] })
    const record = await written(policy, anInput({ grants: [aGrant()] }))
    const { grant_from, grant_until, ...old } = record
    assert.partialDeepStrictEqual(loggedAccess(old)?.input.grants, [
      { id: 'r-1', startsAt: NOON, endsAt: NOON + 15 * MINUTE },
    ])
    const { expires_at, ...failed } = old
    assert.equal(decide(policy, loggedAccess(failed)!.input).outcome, 'allow')
  })

  const failures = ['STS_UNAVAILABLE', 'SESSION_REVOKED', 'DURATION_TOO_SHORT'] as const
  for (const code of failures) {
    test(`takes what ended in ${code} for allowed by the policy`, async () => {
      const failure = new SentinelError(code, 'the reason')
      const policy = aPolicy({ rules: [aRule()] })
      assert.equal(loggedAccess(await written(policy, anInput(), { failure }))?.outcome, 'allow')
    })
  }

  test('says nothing of a request that failed before it was known who asks', async () => {
    const log = new MemoryDecisionLog()
    const failure = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'the reason')
    await aRecorder(log, anInput()).refused(failure, ID, {})
    assert.equal(loggedAccess(readBack(log.records[0]!)), undefined)
  })

  test('says nothing of what is no decision', async () => {
    const record = await written(aPolicy({ rules: [aRule()] }), anInput())
    const types: LogRecord['type'][] = ['start', 'served', 'request.created', 'witness']
    for (const type of types) assert.equal(loggedAccess({ ...record, type }), undefined)
  })

  test('calls the store of a session what the policy asked calls it', async () => {
    const rules = [aRule({ effect: 'require_server_session' })]
    const policyIn = (sessions?: string) =>
      aPolicy({ rules, stores: sessions === undefined ? {} : { sessions } })
    const input = anInput({ mode: 'server', sessionStore: 'dynamodb:s' })
    const access = loggedAccess(await written(policyIn('dynamodb:s'), input))!
    assert.equal(access.sessionPlace, 'dynamodb:eu-central-1:s')

    const outcomeIn = (sessions?: string) => {
      const policy = policyIn(sessions)
      return decide(policy, askedUnder(policy, access)).outcome
    }
    assert.equal(outcomeIn('dynamodb:s'), 'allow')
    assert.equal(outcomeIn('dynamodb:eu-central-1:s'), 'allow')
    assert.equal(outcomeIn(), 'allow')
    assert.equal(outcomeIn('dynamodb:eu-west-1:s'), 'refuse')
    assert.equal(outcomeIn('dynamodb:other'), 'refuse')
    assert.equal(outcomeIn('local'), 'refuse')
  })

  const lacks: [what: string, changes: Partial<LoggedRecord>][] = [
    ['the person is not whom the ARN names', { person: 'iam:111122223333/bob' }],
    ['the ARN was cut', { principal: 'arn:aws:iam::111122223333:user/ali…' }],
    ['the profile was cut', { profile: 'pro…' }],
    ['the role was cut', { role_arn: 'arn:aws:iam::444455556666:role/Pr…' }],
    ['the mode is unknown', { mode: 'later' as 'cli' }],
    ['the time is none', { time: 'noon' }],
    ['the time is in no calendar', { time: '+275760-09-13T00:00:00.000Z' }],
  ]
  for (const [what, changes] of lacks) {
    test(`says nothing where ${what}`, async () => {
      const record = await written(aPolicy({ rules: [aRule()] }), anInput())
      assert.equal(loggedAccess({ ...record, ...changes }), undefined)
    })
  }
})

function verdictOf({ outcome, effect, rule, basis, grant, maxDuration }: Decision) {
  return { outcome, effect, rule, basis, grant, maxDuration }
}

/** An ARN that says the same account as the principal does: as STS would have it. */
function withTrueNames(input: AccessInput): AccessInput {
  const { principal } = input
  const arn = principal.arn.replace(/:\d{12}:/, `:${principal.account}:`)
  return { ...input, principal: { ...principal, arn } }
}

function withDetailedGrants(input: AccessInput, policy: Policy, next: () => number): AccessInput {
  const detailed = (grant: Grant): Grant => {
    if (grant.basis === 'break_glass' || next() < 0.3) return grant
    const [rule] = policy.approvals
    const isAutomatic = next() < 0.3
    return {
      ...grant,
      ...(rule && { rule: next() < 0.9 ? rule.name : 'another' }),
      approvedBy: isAutomatic ? [] : ['AIDACAROL', 'AROA1:dave,=@'].slice(Number(next() < 0.2)),
      ...(isAutomatic && { isAutomatic }),
      ...(next() < 0.5 && { store: 'dynamodb:t' }),
    }
  }
  return { ...input, grants: input.grants.map(detailed) }
}

function withAutomaticApprovals(policy: Policy, next: () => number): Policy {
  const approvals = policy.approvals.map((rule) => ({
    ...rule,
    required: pick(next, [1, 1, 2]),
    ...(next() < 0.5 && {
      autoApprove: {
        users: users('*'),
        maxDuration: pick(next, [1800, 7200, (4 * HOUR) / SECOND]),
      },
    }),
  }))
  return { ...policy, approvals }
}
