import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  describeScope,
  isSessionId,
  type LockScope,
  lockId,
  parseReason,
  parseSessionPrefix,
  removableAt,
  type Session,
  shownStatus,
  toSessionId,
} from '../../src/domain/session.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { NOON } from '../fixtures/policies.ts'
import { aStoredSession } from '../fixtures/sessions.ts'

const revocation = { at: NOON - HOUR, by: 'carol', reason: 'left' }
const end = { at: NOON - HOUR, reason: 'SIGTERM' }

suite('shownStatus', () => {
  const cases: [what: string, session: Partial<Session>, status: string][] = [
    ['active while the lease lasts', { leaseUntil: NOON + 1, expiresAt: NOON + 1 }, 'active'],
    ['active whatever its credentials say', { leaseUntil: NOON + 1, expiresAt: 0 }, 'active'],
    ['stale from the end of the lease', { leaseUntil: NOON, expiresAt: NOON + 1 }, 'stale'],
    ['expired once its last credential is', { leaseUntil: NOON, expiresAt: NOON }, 'expired'],
    ['expired when it ended, whatever still works', { end, expiresAt: NOON + HOUR }, 'expired'],
    ['revoked while its lease lasts', { revocation, leaseUntil: NOON + 1 }, 'revoked'],
    ['revoked rather than ended', { revocation, end }, 'revoked'],
    ['revoked long after it expired', { revocation, leaseUntil: 0, expiresAt: 0 }, 'revoked'],
  ]
  for (const [what, session, status] of cases) {
    test(`is ${what}`, () => assert.equal(shownStatus(aStoredSession(session), NOON), status))
  }
})

suite('session ids', () => {
  test('are 16 digits of 8 bytes, zeros included', () => {
    const id = toSessionId(Uint8Array.of(0, 1, 0x0a, 0xff, 0, 0, 0, 0x10))
    assert.equal(id, '00010aff00000010')
    assert.ok(isSessionId(id))
    assert.throws(() => toSessionId(new Uint8Array(7)), RangeError)
  })

  for (const text of ['', '00010aff0000001', '00010aff000000100', '00010AFF00000010', 'lock#all']) {
    test(`are not "${text}"`, () => assert.ok(!isSessionId(text)))
  }

  for (const text of ['0001', '00010aff00000010']) {
    test(`are named by "${text}"`, () => assert.equal(parseSessionPrefix(text), text))
  }

  for (const text of ['', '000', 'ABCD', '0x12', '00010aff000000100', 'lock#all', '0001\n']) {
    test(`are not named by ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSessionPrefix(text), { code: 'USAGE' })
    })
  }
})

suite('parseReason', () => {
  test('keeps what was meant, without blanks around it', () => {
    assert.equal(parseReason('  laptop stolen '), 'laptop stolen')
  })

  test('counts characters, not halves of them', () => {
    assert.equal(parseReason('🔑'.repeat(200)), '🔑'.repeat(200))
    assert.throws(() => parseReason('🔑'.repeat(201)), { code: 'USAGE' })
  })

  test('refuses a reason that is none', () => {
    assert.throws(() => parseReason(' \n'), { code: 'USAGE' })
  })
})

suite('locks', () => {
  const scopes: [scope: LockScope, id: string, words: string][] = [
    [{ kind: 'user', name: 'alice' }, 'lock#user#alice', 'user alice'],
    [{ kind: 'profile', name: 'prod' }, 'lock#profile#prod', 'profile prod'],
    [{ kind: 'all' }, 'lock#all', 'everyone'],
  ]
  for (const [scope, id, words] of scopes) {
    test(`of ${words} have a key of their own`, () => {
      assert.equal(lockId(scope), id)
      assert.equal(describeScope(scope), words)
    })
  }

  test('of a user called all, or with a scope in the name, are not of everyone', () => {
    const names = ['all', 'profile#prod', '']
    const ids = names.map((name) => lockId({ kind: 'user', name }))
    assert.equal(new Set([...ids, 'lock#all', 'lock#profile#prod']).size, 5)
  })
})

suite('removableAt', () => {
  test('is 90 days after the last of all, in whole seconds, never too early', () => {
    const days = 90 * 24 * 3600
    assert.equal(removableAt(NOON + 1, NOON - MINUTE), NOON / 1000 + 1 + days)
    assert.equal(removableAt(NOON), NOON / 1000 + days)
  })
})
