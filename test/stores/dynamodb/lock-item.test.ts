import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type LockScope, lockId, type SessionLock } from '../../../src/domain/session.ts'
import { HOUR } from '../../../src/domain/time.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { lockAttributes, lockFromItem } from '../../../src/stores/dynamodb/lock-item.ts'

const PLACE = 'dynamodb:eu-central-1:sentinel-sessions'
const NOON = Date.parse('2026-01-14T12:00:00.000Z')

function rowOf(lock: SessionLock): Item {
  return { id: { S: lockId(lock.scope) }, ...lockAttributes(lock) }
}

function aLock(scope: LockScope): SessionLock {
  return { scope, at: NOON, until: NOON + HOUR, by: 'bob', reason: 'laptop stolen' }
}

suite('the row of a lock', () => {
  const scopes: LockScope[] = [
    { kind: 'all' },
    { kind: 'user', name: 'alice' },
    { kind: 'user', name: 'all' },
    { kind: 'profile', name: 'a#b #user#é\nx' },
  ]
  for (const scope of scopes) {
    test(`is read back as it was written: ${JSON.stringify(lockId(scope))}`, () => {
      assert.deepEqual(lockFromItem(rowOf(aLock(scope)), PLACE), aLock(scope))
    })
  }

  test('is listed with all others, and kept for 90 days after its end', () => {
    const row = rowOf(aLock({ kind: 'all' }))
    assert.deepEqual([row.live, row.started_at], [{ S: 'lock' }, { S: '2026-01-14T12:00:00.000Z' }])
    assert.equal(Number(row.ttl?.N), (NOON + HOUR) / 1000 + 90 * 24 * 3600)
  })

  const broken: [what: string, change: Item][] = [
    ['of nobody', { id: { S: 'lock#user#' } }],
    ['of all, and somebody', { id: { S: 'lock#all#alice' } }],
    ['of another kind', { id: { S: 'lock#team#ops' } }],
    ['that is a session', { id: { S: '00000000000a11ce' } }],
    ['until no time', { until: { S: 'tomorrow' } }],
    ['until a number', { until: { N: '1768392000' } }],
    ['by a number', { by: { N: '7' } }],
  ]
  for (const [what, change] of broken) {
    test(`is not valid: a lock ${what}`, () => {
      const item = { ...rowOf(aLock({ kind: 'all' })), ...change }
      assert.throws(() => lockFromItem(item, PLACE), { code: 'STORE_INVALID' })
    })
  }

  for (const name of ['until', 'by', 'reason', 'started_at']) {
    test(`is not valid without ${name}`, () => {
      const { [name]: _, ...rest } = rowOf(aLock({ kind: 'all' }))
      const message = `the row lock#all of ${PLACE} is not valid: ${name} is missing`
      assert.throws(() => lockFromItem(rest, PLACE), { code: 'STORE_INVALID', message })
    })
  }
})
