import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type AccessRequest,
  type FiledRequest,
  grantOfRequest,
  type Review,
  requestText,
} from '../../src/domain/access-request.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { aParty, aRequest, aReview, sha256 } from '../stores/request-under-test.ts'

const MADE = Date.UTC(2026, 0, 14, 9)
const REVIEWED = MADE + MINUTE

const [bob, carol] = [aParty('bob'), aParty('carol')]

function request(overrides: Partial<AccessRequest> = {}): AccessRequest {
  return aRequest({ createdAt: MADE, ...overrides })
}

function liveGrant(filed: FiledRequest) {
  return grantOfRequest(filed, sha256, MADE + 5 * MINUTE)
}

suite('an approved request gives nothing any more', () => {
  const asked = request({ required: 2 })
  const reviews = [
    aReview(asked, { reviewer: bob, comment: 'go on' }),
    aReview(asked, { reviewer: carol, at: REVIEWED + 1, duration: 1800 }),
  ]
  assert.ok(liveGrant({ request: asked, reviews }))
  const other = request()
  const { requester } = asked

  const requests: Record<string, Partial<AccessRequest>> = {
    id: { id: other.id },
    'requester: person': { requester: { ...requester, person: 'sso:mallory' } },
    'requester: user': { requester: { ...requester, user: 'mallory' } },
    'requester: principal': {
      requester: { ...requester, principal: 'arn:aws:iam::111122223333:user/mallory' },
    },
    'requester: UserId': { requester: { ...requester, principalId: 'AIDAMALLORY' } },
    profile: { profile: 'prod-eu' },
    role: { roleArn: 'arn:aws:iam::444455556666:role/Admin' },
    justification: { justification: `${asked.justification} ` },
    'duration, longer': { duration: asked.duration + 1 },
    'duration, shorter': { duration: asked.duration - 1 },
    rule: { rule: 'anybody' },
    'required, fewer': { required: 1 },
    'required, more': { required: 3 },
    'creation, earlier': { createdAt: MADE - 1 },
    'creation, later': { createdAt: MADE + 1 },
  }
  for (const [what, change] of Object.entries(requests)) {
    test(`once its ${what} is altered`, () => {
      assert.equal(liveGrant({ request: { ...asked, ...change }, reviews }), undefined)
    })
  }

  const alterations: Record<string, Partial<Review>> = {
    request: { requestId: other.id },
    'reviewer: person': { reviewer: { ...carol, person: 'sso:mallory' } },
    'reviewer: user': { reviewer: { ...carol, user: 'mallory' } },
    'reviewer: principal': { reviewer: { ...carol, principal: 'arn:aws:iam::1:user/mallory' } },
    'reviewer: UserId': { reviewer: { ...carol, principalId: 'AIDAMALLORY' } },
    verdict: { verdict: 'deny' },
    time: { at: REVIEWED + 2 },
    comment: { comment: '' },
    duration: { duration: 1801 },
    hash: { requestHash: sha256(requestText(other)) },
    seal: { seal: sha256('') },
  }
  for (const [what, change] of Object.entries(alterations)) {
    test(`once the ${what} of one of its reviews is altered`, () => {
      const [first, second] = reviews
      assert.equal(
        liveGrant({ request: asked, reviews: [first!, { ...second!, ...change }] }),
        undefined,
      )
    })
  }

  test('once one of its reviews loses what it limited', () => {
    const { duration: _, ...unlimited } = reviews[1]!
    assert.equal(liveGrant({ request: asked, reviews: [reviews[0]!, unlimited] }), undefined)
  })

  test('unless it is made an automatic one, which is told: the rule must still approve that', () => {
    const forged = { request: { ...asked, isAutomatic: true }, reviews: [] }
    assert.equal(liveGrant(forged)?.isAutomatic, true)
  })
})
