import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { SessionTotals } from '../../src/app/session-totals.ts'
import type { StreamHead } from '../../src/domain/log-head.ts'
import { SESSION_LEASE } from '../../src/domain/session.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { NOON } from '../fixtures/policies.ts'

const END = NOON + 15 * MINUTE

let totals: SessionTotals
let head: StreamHead | undefined

suite('SessionTotals', () => {
  beforeEach(() => {
    head = undefined
    totals = new SessionTotals(END, { head: () => head })
  })

  test('begin with nothing handed out, and the end of what may be', () => {
    assert.deepEqual(totals.progress(NOON), {
      requestCount: 0,
      expiresAt: END,
      leaseUntil: NOON + SESSION_LEASE,
    })
  })

  test('say the count, the last access, the latest end and the last identity', () => {
    totals.count(NOON + 2, END + 2)
    totals.count(NOON + 1, END + 1)
    totals.issued('alice:first')
    totals.issued('alice:last')
    assert.deepEqual(totals.progress(NOON + 3), {
      requestCount: 2,
      lastAccessAt: NOON + 2,
      expiresAt: END + 2,
      leaseUntil: NOON + 3 + SESSION_LEASE,
      sourceIdentity: 'alice:last',
    })
  })

  test('are news until it is known what the record says', () => {
    assert.equal(totals.untold(), 'news')
    totals.told(totals.progress(NOON))
    assert.equal(totals.untold(), 'nothing')
  })

  test('are news when the first is handed out, then when something works longer', () => {
    totals.told(totals.progress(NOON))
    totals.count(NOON, END)
    assert.equal(totals.untold(), 'news')
    totals.told(totals.progress(NOON))
    totals.count(NOON, END)
    assert.equal(totals.untold(), 'count')
    totals.count(NOON, END + 1)
    assert.equal(totals.untold(), 'news')
  })

  test('have the beginning of the hash of the head, and are not all told while it grows', () => {
    const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
    totals.told(totals.progress(NOON))
    assert.equal(totals.isAllTold(), true)

    head = { stream: 'mzxw6ytboi3damrqgaya', seq: 1, hash }
    assert.equal(totals.isAllTold(), false)
    assert.equal(totals.untold(), 'nothing')
    assert.equal(totals.progress(NOON).logHead, '9f86d081884c7d659a2feaa0c55ad015')
    totals.told(totals.progress(NOON))
    assert.equal(totals.isAllTold(), true)
  })

  test('are not told by a word that was on its way when more was handed out', () => {
    const said = totals.progress(NOON)
    totals.count(NOON, END)
    totals.told(said)
    assert.notEqual(totals.untold(), 'nothing')
  })
})
