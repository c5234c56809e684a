import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AccessRequestId, Act, Review } from '../../../src/domain/access-request.ts'
import type { Party } from '../../../src/domain/party.ts'
import { HOUR } from '../../../src/domain/time.ts'
import { hasCode } from '../../../src/errors.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import {
  fromRequestItem,
  fromReviewItem,
  isReviewKey,
  isUndecided,
  latchOf,
  requestIdIn,
  requestKey,
  reviewKey,
  reviewsIn,
  toRequestItem,
  toReviewItem,
} from '../../../src/stores/dynamodb/request-item.ts'
import { REQUESTS_TABLE } from '../../../src/stores/dynamodb/tables.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'
import { aParty, aRequest, aReview, byAnotherSet } from '../request-under-test.ts'

const PLACE = 'dynamodb:eu-central-1:sentinel-requests'
const NOON = Date.parse('2026-01-14T12:00:00.123Z')
const DAY = 24 * HOUR
const ID = 'aaaaaaaaaaaaaaaaaaa7' as AccessRequestId

const ALICE = aParty('alice')
const REQUEST = aRequest({ id: ID, requester: ALICE, createdAt: NOON })
const REVIEW = aReview(REQUEST, { comment: 'go on', duration: 900 })
const ACT: Act = { at: NOON + HOUR, by: 'alice', reason: 'not needed' }

const CANCELLED = { ...toRequestItem(REQUEST), ...latchOf('cancelled', ACT) }
const REVOKED = { ...toRequestItem(REQUEST), ...latchOf('revoked', ACT) }

suite('the row of an access request', () => {
  test('is read back as it was written, whatever is in it', () => {
    const seed = 20260114
    const next = random(seed)
    for (let run = 0; run < scaled(500); run += 1) {
      const request = aRequest({
        requester: anyParty(next),
        profile: anyText(next),
        roleArn: anyText(next),
        justification: anyText(next),
        duration: Math.floor(next() * 1e6),
        rule: anyText(next),
        required: Math.floor(next() * 10),
        createdAt: anyTime(next),
        isAutomatic: next() < 0.5,
      })
      const cancelled = next() < 0.5 ? anyAct(next) : undefined
      const revoked = next() < 0.5 ? anyAct(next) : undefined
      const item = {
        ...toRequestItem(request),
        ...(cancelled && latchOf('cancelled', cancelled)),
        ...(revoked && latchOf('revoked', revoked)),
      }
      const expected = { request, ...(cancelled && { cancelled }), ...(revoked && { revoked }) }
      assert.deepEqual(fromRequestItem(item, PLACE), expected, `seed ${seed}, run ${run}`)
    }
  })

  test('is found by its person, profile and day, and among the undecided if it is', () => {
    const item = toRequestItem(REQUEST)
    for (const { partition, sort } of REQUESTS_TABLE.indexes) {
      assert.ok(item[partition]?.S, partition)
      assert.equal(item[sort]?.S, '2026-01-14T12:00:00.123Z')
    }
    assert.equal(item.requester?.S, ALICE.person)
    assert.match(item.day?.S ?? '', /^2026-01-14#[0-3]$/)
    assert.equal(isUndecided(item), true)
    assert.equal(isUndecided(toRequestItem({ ...REQUEST, isAutomatic: true })), false)
  })

  test('is kept for a year after all it can lead to, and its reviews no shorter', () => {
    const days = (item: Item) => (Number(item.ttl?.N) * 1000 - NOON) / DAY
    const [ofRequest, ofReview] = [days(toRequestItem(REQUEST)), days(toReviewItem(REVIEW))]
    // A day until it is approved, 12 hours of access.
    assert.ok(ofRequest >= 365 + 1.5, `${ofRequest} days`)
    assert.ok(ofReview >= ofRequest)
  })

  test('is found by a key that nothing else in the table has', () => {
    assert.equal(requestIdIn(requestKey(ID)), ID)
    for (const key of [ID, reviewKey(REVIEW), `outbox#${ID}`, 'request#', `request#${ID}#x`]) {
      assert.equal(requestIdIn(key), undefined, key)
    }
  })

  const required = Object.keys(toRequestItem(REQUEST)).filter(
    (name) => !['id', 'pending', 'day', 'ttl'].includes(name),
  )
  for (const [item, names] of [
    [toRequestItem(REQUEST), required],
    [CANCELLED, ['cancelled_at', 'cancelled_by']],
    [REVOKED, ['revoked_at', 'revoked_by']],
  ] as const) {
    for (const name of names) {
      test(`is not valid without ${name}, nor with ${name} of another type`, () => {
        const { [name]: _, ...rest } = item
        assertInvalid(() => fromRequestItem(rest, PLACE), new RegExp(`: ${name} is missing$`))
        const other = { ...item, [name]: { L: [] } }
        assertInvalid(() => fromRequestItem(other, PLACE), new RegExp(`: ${name} is of another`))
      })
    }
  }

  const broken: [what: string, change: Item, problem: RegExp][] = [
    ['a key of something else', { id: { S: reviewKey(REVIEW) } }, /not that of a request/],
    ['an id in other letters', { id: { S: requestKey(ID).toUpperCase() } }, /not that of a reque/],
    ['half an approval', { required: { N: '0.5' } }, /required is not a whole/],
    ['less than no time', { duration: { N: '-1' } }, /duration is not a whole/],
    ['a date that is none', { created_at: { S: '2026-02-30T12:00:00.000Z' } }, /not a time/],
    ['an approval in words', { is_automatic: { S: 'true' } }, /is_automatic is of another type/],
    ['a revocation by nobody', { revoked_at: { S: '2026-01-14T12:00:00.000Z' } }, /revoked_by is/],
    ['a revocation at no time', { revoked_by: { S: 'bob' } }, /revoked_at is missing/],
    ['nothing but the reason of one', { cancelled_reason: { S: 'x' } }, /cancelled_at is missing/],
  ]
  for (const [what, change, problem] of broken) {
    test(`is not valid with ${what}`, () => {
      const item = { ...toRequestItem(REQUEST), ...change }
      assertInvalid(() => fromRequestItem(item, PLACE), problem)
    })
  }
})

suite('the row of a review', () => {
  test('is read back as it was written, whatever is in it', () => {
    const seed = 20260115
    const next = random(seed)
    for (let run = 0; run < scaled(500); run += 1) {
      const review = aReview(REQUEST, {
        reviewer: anyParty(next),
        verdict: pick(next, ['approve', 'deny']),
        at: anyTime(next),
        ...(next() < 0.5 && { comment: anyText(next) }),
        ...(next() < 0.5 && { duration: Math.floor(next() * 1e6) }),
        requestHash: anyText(next),
        seal: anyText(next),
      })
      const item = toReviewItem(review)
      assert.deepEqual(fromReviewItem(item, PLACE), review, `seed ${seed}, run ${run}`)
    }
  })

  test("ends its key in the reviewer's UserId, and is found under its request alone", () => {
    const item = toReviewItem(REVIEW)
    assert.equal(item.id?.S, `review#${ID}#${REVIEW.reviewer.principalId}`)
    assert.equal(item.requester?.S, `review#${ID}`)
    const others = ['profile', 'pending', 'day'].filter((name) => item[name] !== undefined)
    assert.deepEqual(others, [])
    assert.ok(isReviewKey(item.id!.S!, ID))
    const stray = [`review#${ID}`, `review#${ID}#`, `review#${ID}#x#y`, requestKey(ID)]
    for (const key of [...stray, reviewKey(aReview(aRequest()))]) {
      assert.ok(!isReviewKey(key, ID), key)
    }
  })

  const optional = ['id', 'requester', 'comment', 'duration', 'ttl']
  for (const name of Object.keys(toReviewItem(REVIEW))) {
    if (optional.includes(name)) continue
    test(`does not count without ${name}, nor with ${name} of another type`, () => {
      const { [name]: _, ...rest } = toReviewItem(REVIEW)
      assertNone(rest, new RegExp(`: ${name} is missing$`))
      assertNone(
        { ...toReviewItem(REVIEW), [name]: { L: [] } },
        new RegExp(`: ${name} is of anoth`),
      )
    })
  }

  const mallory = aParty('mallory')
  const broken: [what: string, change: Item, problem: RegExp][] = [
    ['the key of a request', { id: { S: requestKey(ID) } }, /not that of a review/],
    ['a key of nobody', { id: { S: `review#${ID}#` } }, /not that of a review/],
    ['a key of too much', { id: { S: `${reviewKey(REVIEW)}#x` } }, /not that of a review/],
    ['a verdict that nobody knows', { verdict: { S: 'Approve' } }, /unknown verdict "Approve"/],
    ['a time in words', { created_at: { S: 'soon' } }, /created_at is not a time/],
    ['a duration in halves', { duration: { N: '0.5' } }, /duration is not a whole/],
    ['a comment of another type', { comment: { N: '1' } }, /comment is of another type/],
    [
      "the key of somebody else's UserId",
      { id: { S: reviewKey({ requestId: ID, reviewer: mallory }) } },
      /not one of reviewer_person/,
    ],
    ['the person of somebody else', { reviewer_person: { S: mallory.person } }, /reviewer_person/],
    ['the ARN of somebody else', { principal: { S: mallory.principal } }, /reviewer_person/],
    ['an ARN that is none', { principal: { S: 'bob' } }, /reviewer_person/],
  ]
  for (const [what, change, problem] of broken) {
    test(`does not count with ${what}`, () => {
      assertNone({ ...toReviewItem(REVIEW), ...change }, problem)
    })
  }

  test('is of whom its key names, whatever other attributes say', () => {
    const moved = { ...toReviewItem(REVIEW), principal_id: { S: 'AIDAEXAMPLE' } }
    assert.deepEqual(fromReviewItem(moved, PLACE), REVIEW)
    const another = byAnotherSet(REVIEW.reviewer)
    const copied = {
      ...toReviewItem(REVIEW),
      id: { S: reviewKey({ requestId: ID, reviewer: another }) },
    }
    // The seal is over the UserId: the copy does not pass for a second review.
    assert.equal(fromReviewItem(copied, PLACE).reviewer.principalId, another.principalId)
  })

  test('may be of any principal that STS can name', () => {
    const account = '111122223333'
    const parties: Party[] = [
      aParty(),
      byAnotherSet(aParty()),
      {
        person: `iam:${account}/bob`,
        user: 'bob',
        principal: `arn:aws:iam::${account}:user/ops/bob`,
        principalId: 'AIDAEXAMPLE',
      },
      {
        person: `role:aws-cn/${account}/Ops/deploy`,
        user: 'deploy',
        principal: `arn:aws-cn:sts::${account}:assumed-role/Ops/deploy`,
        principalId: 'AROAEXAMPLE:deploy',
      },
      {
        person: `web:aws/${account}/Deploy/token.actions.githubusercontent.com/repo:corp/app`,
        user: 'repo:corp/app',
        principal: `arn:aws:sts::${account}:assumed-role/Deploy/run-4711`,
        principalId: 'AROAEXAMPLE:run-4711',
      },
      {
        person: `root:aws/${account}`,
        user: 'root',
        principal: `arn:aws:iam::${account}:root`,
        principalId: account,
      },
    ]
    for (const reviewer of parties) {
      const review = aReview(REQUEST, { reviewer })
      assert.deepEqual(fromReviewItem(toReviewItem(review), PLACE), review)
    }
  })
})

/** Asserts that the row is refused by name, and passes for no review among others. */
function assertNone(item: Item, problem: RegExp): void {
  assertInvalid(() => fromReviewItem(item, PLACE), problem)
  const other: Review = aReview(REQUEST)
  assert.deepEqual(reviewsIn([item, toReviewItem(other)], PLACE), [other])
}

function assertInvalid(read: () => unknown, problem: RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(hasCode(error, 'STORE_INVALID'))
    assert.match(error.message, problem)
    assert.ok(error.message.includes(PLACE))
    return true
  })
}

function anyParty(next: () => number): Party {
  return next() < 0.5 ? aParty() : { ...byAnotherSet(aParty('bob')), user: anyText(next) }
}

function anyAct(next: () => number): Act {
  const act = { at: anyTime(next), by: anyText(next) }
  return next() < 0.5 ? act : { ...act, reason: anyText(next) }
}

/** Between 1970 and 2100. */
function anyTime(next: () => number): number {
  return Math.floor(next() * 130 * 365.25 * DAY)
}

function anyText(next: () => number): string {
  const characters = ['a', 'Z', '0', '-', '"', '\\', '#', ':', ' ', '\n', 'é', '\u{1f511}']
  return Array.from({ length: 1 + Math.floor(next() * 20) }, () => pick(next, characters)).join('')
}
