import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Issuances } from '../../src/app/issuances.ts'
import { judgeSession } from '../../src/app/judge-session.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import type { TrailEvent } from '../../src/ports/trail.ts'
import { archiveOf, issued, lost, recordedEvent } from '../fixtures/trail.ts'

const ISSUED_AT = Date.UTC(2026, 0, 14, 11)
const { signal } = new AbortController()

/** What `event` is to a log with the issuance that the recorded event `stamped` is of. */
async function judge(event: TrailEvent, records = [issued()]) {
  const issuances = new Issuances()
  await issuances.read(archiveOf(records), () => true, { signal })
  return judgeSession(event, issuances)
}

const later = (name: string, ms: number) => {
  const event = recordedEvent(name)
  return { ...event, at: ISSUED_AT + ms }
}

const without = (event: TrailEvent, ...names: (keyof TrailEvent)[]) =>
  Object.fromEntries(
    Object.entries(event).filter(([name]) => !names.some((left) => left === name)),
  ) as unknown as TrailEvent

suite('judgeSession', () => {
  const verdicts: [name: string, status: string, detail?: RegExp][] = [
    ['stamped', 'managed'],
    ['chained', 'chained'],
    ['chained-from-another-account', 'chained'],
    ['unstamped', 'unmanaged'],
    ['saml', 'unmanaged'],
    ['web-identity', 'unmanaged'],
    ['service', 'unmanaged'],
    ['without-response', 'unmanaged'],
    ['stamp-in-odd-places', 'unmanaged'],
    ['copied-stamp', 'claimed', /^request mzxw6ytboi3damrqgaya was issued at another time/],
  ]
  for (const [name, status, detail] of verdicts) {
    test(`finds ${name} ${status}`, async () => {
      const judgement = await judge(recordedEvent(name))
      assert.equal(judgement.status, status)
      if (detail) assert.match('detail' in judgement ? judgement.detail : '', detail)
    })
  }

  test('finds a stamp claimed that the log has not', async () => {
    for (const name of ['stamped', 'chained', 'chained-from-another-account']) {
      const judgement = await judge(recordedEvent(name), [])
      assert.equal(judgement.status, 'claimed', name)
      assert.match('detail' in judgement ? judgement.detail : '', /^the log has no request mzxw6/)
    }
  })

  test('knows a session by its key alone, whatever else is not told', async () => {
    const event = without(recordedEvent('stamped'), 'askedSourceIdentity', 'issuedSourceIdentity')
    assert.equal((await judge(event)).status, 'managed')
  })

  test('knows a session by its request, where its key is not told', async () => {
    const event = without(recordedEvent('stamped'), 'issuedAccessKeyId')
    assert.equal((await judge(event)).status, 'managed')
  })

  test('knows a try whose answer was lost by its request, shortly before the record', async () => {
    const tried = { ...later('stamped', -3 * SECOND), issuedAccessKeyId: 'ASIAEXAMPLELOST00001' }
    assert.equal((await judge(tried)).status, 'managed')
    assert.equal((await judge(tried, [lost()])).status, 'managed')
  })

  const copies: [what: string, ms: number][] = [
    ['after its record', 10 * SECOND],
    ['long before it', -MINUTE],
  ]
  for (const [what, ms] of copies) {
    test(`takes another key under a stamp for a copy, ${what}`, async () => {
      const copied = { ...later('stamped', ms), issuedAccessKeyId: 'ASIAEXAMPLEFORGED001' }
      assert.equal((await judge(copied)).status, 'claimed')
      assert.equal((await judge(copied, [lost()])).status, 'claimed')
    })
  }

  test('lets a chain go on for an hour after its first credentials, and no longer', async () => {
    assert.equal((await judge(later('chained', 2 * HOUR))).status, 'chained')
    const late = await judge(later('chained', 2 * HOUR + SECOND))
    assert.equal(late.status, 'claimed')
    assert.match('detail' in late ? late.detail : '', /was not in use at that time/)
    assert.equal((await judge(later('chained', -MINUTE))).status, 'claimed')
  })

  test('takes no chain from credentials that nobody got', async () => {
    assert.equal((await judge(recordedEvent('chained'), [lost()])).status, 'claimed')
  })

  test('goes by the stamp of the caller where the call repeats it', async () => {
    const { callerSourceIdentity = '' } = recordedEvent('chained')
    const event = { ...recordedEvent('chained'), askedSourceIdentity: callerSourceIdentity }
    assert.equal((await judge(event)).status, 'chained')
  })

  test('takes a source identity of another form for none', async () => {
    for (const stamp of ['alice', 'sentinel=alice', 'sentinel=alice=policy=short', '']) {
      const event = { ...recordedEvent('unstamped'), askedSourceIdentity: stamp }
      assert.equal((await judge(event)).status, 'unmanaged', stamp)
    }
  })
})
