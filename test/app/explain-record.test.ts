import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { explainRecord } from '../../src/app/explain-record.ts'
import type { Policy } from '../../src/domain/policy/types.ts'
import { HOUR } from '../../src/domain/time.ts'
import { ERRORS, type ErrorCode, SentinelError } from '../../src/errors.ts'
import { written } from '../fixtures/app/written-records.ts'
import { aGrant, anApprovalRule, anInput, aPolicy, aRule, NOON } from '../fixtures/policies.ts'

const now = (policy: Policy, sha256 = 'a') => ({ policy, sha256, flags: '' })
const evening = {
  time: { hours: { start: 18 * 60, end: 20 * 60 }, overnight: false, timezone: 'UTC' },
}

suite('explainRecord', () => {
  test('explains a refusal at its own time, and what comes of asking again', async () => {
    const policy = aPolicy({ rules: [aRule({ name: 'evening', conditions: evening })] })
    const record = await written(policy, anInput())
    const { decided, same, again } = explainRecord(record, now(policy), NOON + 7 * HOUR)

    assert.equal(decided, 'refuse')
    assert.equal(same?.isSamePolicy, true)
    assert.equal(same?.input.at, NOON)
    assert.equal(same?.explained.decision.outcome, 'refuse')
    assert.equal(same?.explained.nearest?.rule, 'evening')
    assert.equal(again?.at, NOON + 7 * HOUR)
    assert.equal(again?.explained.decision.outcome, 'allow')
  })

  test('tells what was decided then from what would be decided now', async () => {
    const record = await written(aPolicy({ rules: [aRule({ effect: 'deny' })] }), anInput())
    const { decided, same } = explainRecord(record, now(aPolicy({ rules: [aRule()] }), 'b'), NOON)
    assert.equal(decided, 'refuse')
    assert.equal(same?.isSamePolicy, false)
    assert.equal(same?.explained.decision.outcome, 'allow')
  })

  test('explains an issuance with the grant that lifted, and asks for nothing again', async () => {
    const policy = aPolicy({ approvals: [anApprovalRule()] })
    const record = await written(policy, anInput({ grants: [aGrant()] }))
    const { decided, meaning, same, again } = explainRecord(record, now(policy), NOON + 24 * HOUR)
    assert.equal(decided, 'allow')
    assert.equal(meaning, undefined)
    assert.equal(same?.explained.decision.basis, 'approval')
    assert.equal(again, undefined)
  })

  test('shows no rules for what was not for the policy to decide', async () => {
    const policy = aPolicy({ rules: [aRule()] })
    const failure = new SentinelError('SESSION_REVOKED', 'session … was revoked by bob: lost')
    const explained = explainRecord(
      await written(policy, anInput(), { failure }),
      now(policy),
      NOON,
    )
    assert.deepEqual(explained, {
      decided: 'allow',
      meaning: {
        when: 'the session was revoked',
        next: 'ask whoever revoked it, before you start another session',
      },
    })
  })

  test('explains nothing by a policy that cannot be read', async () => {
    const record = await written(aPolicy(), anInput())
    const { decided, same, meaning } = explainRecord(record, undefined, NOON)
    assert.equal(decided, 'refuse')
    assert.equal(same, undefined)
    assert.equal(meaning?.when, 'the policy does not allow the access')
  })

  test('knows no meaning of a code that it does not know', async () => {
    const record = { ...(await written(aPolicy(), anInput())), code: 'toString' }
    assert.equal(explainRecord(record, undefined, NOON).meaning, undefined)
  })

  test('has a next step for every code that a request can end in, but those of the policy', () => {
    const elsewhere =
      /^(?:USAGE|UNAUTHORIZED|POLICY_DENIED|(?:SESSION|LOCK|REQUEST|REVIEW|BREAK_GLASS|LOG|RECORD|KEY|SIGNING|STATEMENT|TRAIL|SHIPPING|NOTIFICATION|PORT|PRIVATE|WATCHDOG|COMMAND|FILE_NOT|STORE_INVALID)(?:_\w+)?)$/
    const own = ['SESSION_REVOKED', 'SESSION_LOCKED', 'SESSION_STORE_CHANGED', 'LOG_UNAVAILABLE']
    const record = { type: 'refused', stream: '', seq: 1, time: '', host: '', pid: 1 } as const
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      if (elsewhere.test(code) && !own.includes(code)) continue
      const { meaning } = explainRecord({ ...record, code, profile: 'a b' }, undefined, NOON)
      assert.ok(meaning?.next, code)
      assert.match(meaning.next, /^[a-z].*[^.]$/)
      assert.doesNotMatch(meaning.next, /whoami a b/)
    }
  })
})
