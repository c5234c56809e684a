import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type AccessRequest,
  type AccessRequestId,
  type Act,
  type FiledRequest,
  grantOfRequest,
  isAccessRequestId,
  REQUEST_LIFE,
  type RequestStatus,
  type Review,
  requestRemovableAt,
  requestState,
} from '../../src/domain/access-request.ts'
import type { Party } from '../../src/domain/party.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { aParty, aRequest, aReview, byAnotherSet, sha256 } from '../stores/request-under-test.ts'
import { anId } from '../stores/store-under-test.ts'

/** When all of these requests are made, and when each is reviewed unless told. */
const MADE = Date.UTC(2026, 0, 14, 9)
const REVIEWED = MADE + MINUTE
const ACT: Act = { at: MADE + 2 * MINUTE, by: 'alice' }

const [bob, carol] = [aParty('bob'), aParty('carol')]

function request(overrides: Partial<AccessRequest> = {}): AccessRequest {
  return aRequest({ createdAt: MADE, ...overrides })
}

function status(filed: FiledRequest, now: number): RequestStatus {
  return requestState(filed, sha256, now).status
}

function grant(filed: FiledRequest, now = MADE + 5 * MINUTE) {
  return grantOfRequest(filed, sha256, now)
}

suite('a request', () => {
  test('gives no more than 8 hours, whatever stands in its row', () => {
    const asked = request({ duration: 30 * 24 * 3600 })
    const filed = { request: asked, reviews: [aReview(asked)] }
    assert.equal(grant(filed)?.endsAt, REVIEWED + 8 * HOUR)
    const automatic = request({ duration: 30 * 24 * 3600, isAutomatic: true })
    assert.equal(grant({ request: automatic, reviews: [] })?.endsAt, MADE + 8 * HOUR)
  })

  test('is pending for 24 hours, and then expired', () => {
    const filed = { request: request(), reviews: [] }

    assert.equal(requestState(filed, sha256, MADE).expiresAt, MADE + 24 * HOUR)
    assert.equal(status(filed, MADE), 'pending')
    assert.equal(status(filed, MADE + 24 * HOUR - 1), 'pending')
    assert.equal(status(filed, MADE + 24 * HOUR), 'expired')
    assert.equal(grant(filed), undefined)
  })

  test('is approved from its review on, for as long as was asked', () => {
    const asked = request({ duration: 900 })
    const review = aReview(asked)
    const filed = { request: asked, reviews: [review] }
    const until = REVIEWED + 900 * SECOND

    const state = requestState(filed, sha256, REVIEWED)
    assert.deepEqual(state, {
      status: 'approved',
      approvals: [review],
      granted: { from: REVIEWED, until },
      expiresAt: MADE + REQUEST_LIFE,
    })
    assert.deepEqual(grant(filed, REVIEWED), {
      id: asked.id,
      basis: 'approval',
      person: asked.requester.person,
      profile: asked.profile,
      roleArn: asked.roleArn,
      startsAt: REVIEWED,
      endsAt: until,
      rule: asked.rule,
      approvedBy: [review.reviewer.principalId],
    })
    assert.equal(status(filed, until - 1), 'approved')
    assert.equal(status(filed, until), 'ended')
    assert.equal(grant(filed, until), undefined)
  })

  test('lives on past its 24 hours once it was approved in them', () => {
    const asked = request()
    const filed = { request: asked, reviews: [aReview(asked, { at: MADE + REQUEST_LIFE - 1 })] }

    assert.equal(status(filed, MADE + REQUEST_LIFE + 3599 * SECOND), 'approved')
  })

  test('gives nothing before the clock of its reviewer says so', () => {
    const asked = request()
    const filed = { request: asked, reviews: [aReview(asked, { at: REVIEWED + 9 })] }

    assert.equal(grant(filed, REVIEWED + 8), undefined)
    assert.ok(grant(filed, REVIEWED + 9))
  })

  test('is approved for the shortest time that anybody who decided said', () => {
    const asked = request({ required: 2, duration: 3600 })
    const shorter = aReview(asked, { reviewer: bob, duration: 1200 })
    const longer = aReview(asked, { reviewer: carol, at: REVIEWED + 5, duration: 7200 })
    const later = aReview(asked, { at: REVIEWED + 6, duration: 900 })

    const found = grant({ request: asked, reviews: [later, longer, shorter] })

    // The third came when it was decided: it takes nothing back.
    assert.deepEqual([found?.startsAt, found?.endsAt], [REVIEWED + 5, REVIEWED + 5 + 1200 * SECOND])
  })

  test('is never approved for longer than was asked', () => {
    const asked = request({ duration: 900 })
    for (const duration of [901, 86_400, Number.POSITIVE_INFINITY, undefined]) {
      const review = aReview(asked, duration === undefined ? {} : { duration })
      assert.equal(grant({ request: asked, reviews: [review] })?.endsAt, REVIEWED + 900 * SECOND)
    }
  })

  test('gives nothing for a time that is none', () => {
    const asked = request()
    for (const duration of [0, -1, Number.NaN]) {
      const filed = { request: asked, reviews: [aReview(asked, { duration })] }
      assert.equal(grant(filed, REVIEWED), undefined, `${duration}`)
    }
  })

  test('needs as many people as it says, and never fewer than one', () => {
    for (const [required, count] of [
      [2, 1],
      [3, 2],
      [0, 3],
      [-1, 3],
      [0.5, 3],
      [Number.NaN, 3],
    ] as const) {
      const asked = request({ required })
      const reviews = Array.from({ length: count }, () => aReview(asked))
      const filed = { request: asked, reviews }
      assert.equal(status(filed, REVIEWED), 'pending', `${count} of ${required}`)
    }
  })

  test('is approved at the review that makes the number', () => {
    const asked = request({ required: 2 })
    const reviews = [3, 1, 2].map((n) => aReview(asked, { at: REVIEWED + n }))

    assert.equal(grant({ request: asked, reviews })?.startsAt, REVIEWED + 2)
  })

  test('is denied by one, whenever that came and whatever else there is', () => {
    const asked = request()
    const approvals = [aReview(asked), aReview(asked)]
    for (const at of [MADE, REVIEWED, REVIEWED + HOUR, MADE + REQUEST_LIFE - 1]) {
      const reviews = [...approvals, aReview(asked, { verdict: 'deny', at })]
      const filed = { request: asked, reviews, cancelled: ACT, revoked: ACT }
      assert.equal(status(filed, at), 'denied')
      assert.equal(grant(filed), undefined)
    }
  })

  test('is denied by somebody who approved it before', () => {
    const asked = request()
    const deny = aReview(asked, { reviewer: byAnotherSet(bob), verdict: 'deny' })
    const filed = { request: asked, reviews: [aReview(asked, { reviewer: bob }), deny] }

    assert.equal(status(filed, REVIEWED), 'denied')
  })

  test('gives nothing once it was cancelled or revoked', () => {
    const asked = request()
    const approved = { request: asked, reviews: [aReview(asked)] }
    const revoked = { ...approved, revoked: ACT }

    assert.equal(status({ ...approved, cancelled: ACT }, REVIEWED), 'cancelled')
    assert.equal(grant({ ...approved, cancelled: ACT }), undefined)
    assert.equal(status(revoked, REVIEWED), 'revoked')
    assert.equal(grant(revoked), undefined)
    // What was approved is told, though it was cut short.
    assert.equal(requestState(revoked, sha256, REVIEWED).granted?.from, REVIEWED)
    assert.equal(status({ request: asked, reviews: [], revoked: ACT }, REVIEWED), 'pending')
  })

  test('that a rule approved by itself needs nobody, and says so', () => {
    const asked = request({ isAutomatic: true, duration: 900 })
    const filed = { request: asked, reviews: [] }

    const found = grant(filed, MADE)
    assert.equal(found?.isAutomatic, true)
    assert.deepEqual([found?.startsAt, found?.endsAt], [MADE, MADE + 900 * SECOND])
    assert.equal(grant(filed, MADE - 1), undefined)
    assert.equal(status(filed, MADE + 900 * SECOND), 'ended')
    const deny = aReview(asked, { verdict: 'deny' })
    assert.equal(grant({ request: asked, reviews: [deny] }), undefined)
    assert.equal(grant({ ...filed, revoked: ACT }), undefined)
  })
})

suite('a review does not count', () => {
  const asked = request()
  const isCounted = (review: Review, of: AccessRequest = asked) =>
    requestState({ request: of, reviews: [review] }, sha256, REVIEWED).approvals.length === 1

  test('by the requester, by any of their credentials', () => {
    const { requester } = asked
    const parties: Party[] = [
      requester,
      byAnotherSet(requester),
      { ...carol, principal: requester.principal },
      { ...carol, principalId: requester.principalId },
    ]

    assert.ok(isCounted(aReview(asked, { reviewer: carol })))
    for (const reviewer of parties) assert.equal(isCounted(aReview(asked, { reviewer })), false)
  })

  test('before the request was made, or after its 24 hours', () => {
    for (const [at, expected] of [
      [MADE - 1, false],
      [MADE, true],
      [MADE + REQUEST_LIFE - 1, true],
      [MADE + REQUEST_LIFE, false],
      [Number.NaN, false],
    ] as const) {
      assert.equal(isCounted(aReview(asked, { at })), expected, `${at - MADE}`)
    }
  })

  test('of another request, under this one or with its hash', () => {
    const other = request({ requester: asked.requester, profile: asked.profile })
    const theirs = aReview(other)
    const { requestHash } = theirs

    assert.ok(isCounted(theirs, other))
    assert.equal(isCounted(theirs), false)
    assert.equal(isCounted(aReview(asked, { requestHash })), false)
    assert.equal(isCounted(aReview(asked, { requestId: other.id })), false)
    const longer = { ...asked, duration: asked.duration + 1 }
    assert.equal(isCounted(aReview(longer)), false)
  })

  test('twice, by one person who has two permission sets', () => {
    const twice = request({ required: 2 })
    const reviews = [bob, byAnotherSet(bob)].map((reviewer, n) =>
      aReview(twice, { reviewer, at: REVIEWED + n }),
    )
    const filed = { request: twice, reviews }

    const { status, approvals } = requestState(filed, sha256, REVIEWED)
    assert.equal(status, 'pending')
    assert.deepEqual(approvals, reviews.slice(0, 1))
    const another = aReview(twice, { reviewer: carol, at: REVIEWED + 2 })
    assert.equal(grant({ ...filed, reviews: [another, ...reviews] })?.startsAt, REVIEWED + 2)
  })
})

test('what is about a request is kept until a year after the last it can have led to', () => {
  const lastMoment = MADE + REQUEST_LIFE - 1
  const longest = 12 * HOUR
  const year = 365 * 24 * HOUR

  assert.ok(requestRemovableAt(MADE) * SECOND >= lastMoment + longest + year)
  assert.ok(requestRemovableAt(MADE + 1) >= requestRemovableAt(MADE))
  assert.equal(requestRemovableAt(MADE + 1) % 1, 0)
})

test('an id of a request is 20 characters of base32', () => {
  assert.ok(isAccessRequestId(anId()))
  for (const text of ['', anId().slice(1), `${anId()}a`, anId().toUpperCase(), `${anId()}\n`]) {
    assert.equal(isAccessRequestId(text as AccessRequestId), false, text)
  }
  assert.equal(isAccessRequestId(`${anId().slice(1)}1`), false)
})
