import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { describeRecord } from '../../src/cli/describe-record.ts'

suite('describeRecord', () => {
  test('tells of an issuance who got what, until when, and under which rule', () => {
    const text = describeRecord({
      type: 'issued',
      profile: 'dev',
      user: 'alice',
      access_key_id: 'ASIAEXAMPLE',
      expires_at: '2026-01-14T12:15:00Z',
      reason: 'rule "developers" allows it',
      policy: { reference: 'file:/p.yaml', sha256: 'abcdef0123456789' },
      request_id: 'aaaaaaaaaaaaaaaaaaaa',
    })
    assert.equal(
      text,
      'issued ASIAEXAMPLE of dev to alice until 2026-01-14T12:15:00Z: rule "developers" allows it ' +
        '(file:/p.yaml, sha256 abcdef012345), request aaaaaaaaaaaaaaaaaaaa',
    )
  })

  test('tells of a refusal, its repeats, what was served, and the rest by its name', () => {
    const id = 'bbbbbbbbbbbbbbbbbbbb'
    const told = [
      describeRecord({ type: 'refused', code: 'POLICY_DENIED', request_id: id }),
      describeRecord({ type: 'refused', of: id, repeats: 2 }),
      describeRecord({ type: 'served', request_id: id, count: 7 }),
      describeRecord({ type: 'stop' }),
    ]
    assert.deepEqual(told, [
      `recorded the refusal ${id}: POLICY_DENIED`,
      `recorded 2 more of the refusal ${id}`,
      `served the credentials of request ${id} 7 times`,
      'recorded stop',
    ])
  })
})
