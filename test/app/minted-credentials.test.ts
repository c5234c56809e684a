import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Assessment } from '../../src/app/assessment.ts'
import { MintedCredentials } from '../../src/app/minted-credentials.ts'
import type { Minted } from '../../src/app/re-serving.ts'
import type { Decision } from '../../src/domain/policy/types.ts'
import { anIdentity } from '../fixtures/app/issuing.ts'
import { keys } from '../fixtures/app/profiles.ts'
import { aGrant, aPolicy, aPrincipal, NOON, PROD } from '../fixtures/policies.ts'

const DECISION: Decision = {
  outcome: 'allow',
  effect: 'allow',
  rule: { name: 'all', index: 0 },
  basis: 'policy',
  reason: 'rule "all" allows it',
  remedies: [],
}

function anAssessment(decision: Partial<Decision> = {}, sha256 = 'a'): Assessment {
  const fetchedAt = { wall: NOON, monotonic: 0 }
  return {
    identity: anIdentity(),
    policy: { policy: aPolicy(), reference: 'file:p', sha256, fetchedAt },
    isStale: false,
    at: NOON,
    sessionStore: undefined,
    decision: { ...DECISION, ...decision },
  }
}

function aMinted(requestId: string): Minted {
  return { requestId, life: 1, isRenewable: true, credentials: {} as Minted['credentials'] }
}

suite('MintedCredentials', () => {
  test('finds what was kept for the same', () => {
    const minted = new MintedCredentials()
    minted.keep(anAssessment(), aMinted('first'))
    assert.equal(minted.find(anAssessment())?.requestId, 'first')
    minted.keep(anAssessment(), aMinted('second'))
    assert.equal(minted.find(anAssessment())?.requestId, 'second')
  })

  test('I1: finds nothing for a refusal', () => {
    const minted = new MintedCredentials()
    minted.keep(anAssessment(), aMinted('first'))
    assert.equal(minted.find(anAssessment({ outcome: 'refuse' })), undefined)
  })

  const { identity } = anAssessment()
  const others: [what: string, assessment: Assessment][] = [
    ['another rule', anAssessment({ rule: { name: 'all', index: 1 } })],
    ['no rule', { ...anAssessment(), decision: { ...DECISION, rule: undefined as never } }],
    ['another cap', anAssessment({ maxDuration: 900 })],
    ['another basis', anAssessment({ basis: 'approval' })],
    ['a grant', anAssessment({ grant: aGrant() })],
    ['another policy', anAssessment({}, 'b')],
    [
      'another principal',
      { ...anAssessment(), identity: { ...identity, principal: aPrincipal('bob') } },
    ],
    [
      'another base key',
      {
        ...anAssessment(),
        identity: anIdentity({ resolved: { base: keys('AKIAOTHER'), role: { arn: PROD } } }),
      },
    ],
    [
      'another role',
      {
        ...anAssessment(),
        identity: anIdentity({ target: { ...identity.target, roleArn: `${PROD}2` } }),
      },
    ],
  ]
  for (const [what, assessment] of others) {
    test(`finds nothing under ${what}`, () => {
      const minted = new MintedCredentials()
      minted.keep(anAssessment(), aMinted('first'))
      assert.equal(minted.find(assessment), undefined)
    })
  }

  test('I10: keeps four, and the latest', () => {
    const minted = new MintedCredentials()
    for (const sha of ['a', 'b', 'c', 'a', 'd', 'e'])
      minted.keep(anAssessment({}, sha), aMinted(sha))
    const found = ['a', 'b', 'c', 'd', 'e'].filter((sha) => minted.find(anAssessment({}, sha)))
    assert.deepEqual(found, ['a', 'c', 'd', 'e'])
    minted.clear()
    assert.equal(minted.find(anAssessment({}, 'e')), undefined)
  })
})
