import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isLastMintDue, type Minted, type ReServing, reServing } from '../../src/app/re-serving.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { session } from '../fixtures/app/profiles.ts'
import { NOON } from '../fixtures/policies.ts'

function minted(life: number, isRenewable = true): Minted {
  const credentials = { ...session('ASIAISSUED1'), accountId: '444455556666' }
  return {
    credentials: { ...credentials, expiration: NOON + life } as Minted['credentials'],
    requestId: 'mzxw6ytboi3damrqgaya',
    life,
    isRenewable,
  }
}

suite('reServing', () => {
  // What is left of a life, and what is to be done with it then.
  const boundaries: [life: number, left: number, verdict: ReServing][] = [
    [12 * HOUR, 12 * HOUR, 'serve'],
    [HOUR, 16 * MINUTE + 20 * SECOND + 1, 'serve'],
    [HOUR, 16 * MINUTE + 20 * SECOND, 'serve and renew'],
    [HOUR, 16 * MINUTE + 1, 'serve and renew'],
    [HOUR, 16 * MINUTE, 'renew'],
    [HOUR, 60 * SECOND + 1, 'renew'],
    [HOUR, 60 * SECOND, 'drop'],
    [HOUR, 0, 'drop'],
    [HOUR, -1, 'drop'],
    // A life of exactly 30 min counts as long; STS's whole seconds and latency do not change that.
    [30 * MINUTE, 16 * MINUTE + 1, 'serve and renew'],
    [30 * MINUTE, 16 * MINUTE, 'renew'],
    [30 * MINUTE - SECOND, 16 * MINUTE, 'serve'],
    // A third of the life, where that is more than 5 min 30 s.
    [29 * MINUTE, (29 * MINUTE) / 3 + 20 * SECOND + 1, 'serve'],
    [29 * MINUTE, (29 * MINUTE) / 3 + 1, 'serve and renew'],
    [29 * MINUTE, (29 * MINUTE) / 3, 'renew'],
    [15 * MINUTE, 15 * MINUTE, 'serve'],
    [15 * MINUTE, 5 * MINUTE + 50 * SECOND + 1, 'serve'],
    [15 * MINUTE, 5 * MINUTE + 50 * SECOND, 'serve and renew'],
    [15 * MINUTE, 5 * MINUTE + 30 * SECOND + 1, 'serve and renew'],
    [15 * MINUTE, 5 * MINUTE + 30 * SECOND, 'renew'],
    [15 * MINUTE, 60 * SECOND, 'drop'],
  ]
  for (const [life, left, verdict] of boundaries) {
    test(`says "${verdict}" with ${left / SECOND} s left of ${life / MINUTE} min`, () => {
      assert.equal(reServing(minted(life), NOON + life - left), verdict)
    })
  }

  test('serves what cannot be renewed to its last 60 s', () => {
    const passedOn = minted(12 * MINUTE, false)
    const at = (left: number) => NOON + 12 * MINUTE - left
    assert.equal(reServing(passedOn, at(60 * SECOND + 1)), 'serve')
    assert.equal(reServing(passedOn, at(60 * SECOND)), 'drop')
  })
})

suite('isLastMintDue', () => {
  // How much is left of the grant, and how long before its end the credential ends.
  const cases: [left: number, gap: number, isDue: boolean][] = [
    [16 * MINUTE + 1, 5 * MINUTE, false],
    [16 * MINUTE, 5 * MINUTE, true],
    [15 * MINUTE + 15 * SECOND, 5 * MINUTE, true],
    [15 * MINUTE + 15 * SECOND - 1, 5 * MINUTE, false],
    [0, 5 * MINUTE, false],
    [16 * MINUTE, 70 * SECOND + 1, true],
    [16 * MINUTE, 70 * SECOND, false],
    [16 * MINUTE, 10 * SECOND, false],
  ]
  for (const [left, gap, isDue] of cases) {
    const what = `${left / SECOND} s left of a grant and ${gap / SECOND} s not covered`
    test(`says ${isDue} with ${what}`, () => {
      const grantEnd = NOON + HOUR
      assert.equal(isLastMintDue(minted(HOUR - gap), grantEnd, grantEnd - left), isDue)
    })
  }
})
