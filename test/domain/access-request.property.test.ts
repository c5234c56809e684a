import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AccessRequest,
  type FiledRequest,
  grantOfRequest,
  type Review,
  requestState,
} from '../../src/domain/access-request.ts'
import type { Party } from '../../src/domain/party.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { aParty, aRequest, aReview, byAnotherSet, sha256 } from '../stores/request-under-test.ts'

const MADE = Date.UTC(2026, 0, 14, 9)
const SEEDS = scaled(3000)

/** A review, and what only who made it up knows: who sat there, and whether it was tampered with. */
interface Told {
  readonly review: Review
  readonly human: string
  readonly isWhole: boolean
}

interface Case {
  readonly filed: FiledRequest
  readonly told: readonly Told[]
  readonly now: number
}

/** Each of them has two ways in. */
const HUMANS = ['alice', 'bob', 'carol', 'dave'] as const
const WAYS = new Map<string, readonly Party[]>(
  HUMANS.map((name) => {
    const party = aParty(name)
    return [name, [party, byAnotherSet(party)]]
  }),
)

test(`${SEEDS} random histories give access exactly where enough others agreed, and nobody not`, () => {
  let grants = 0
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { filed, told, now } = aCase(random(seed))
    const about = `seed ${seed}: ${JSON.stringify({ filed, now }, null, 1)}`

    const grant = grantOfRequest(filed, sha256, now)
    const expected = expectedLife(filed, told)
    const isLive = expected && now >= expected.from && now < expected.until
    assert.deepEqual(
      grant && { from: grant.startsAt, until: grant.endsAt },
      isLive ? expected : undefined,
      about,
    )

    const { status } = requestState(filed, sha256, now)
    if (grant) {
      grants += 1
      const { requester, profile, roleArn, duration } = filed.request
      assert.deepEqual(
        [grant.person, grant.profile, grant.roleArn],
        [requester.person, profile, roleArn],
        about,
      )
      assert.ok(grant.endsAt - grant.startsAt <= duration * SECOND, about)
      assert.equal(status, 'approved', about)
    }
  }
  // Of what never happens, nothing is shown.
  assert.ok(grants > SEEDS / 20, `${grants} grants in ${SEEDS} histories`)
})

test('the order in which reviews are read decides nothing', () => {
  for (let seed = 1; seed <= SEEDS / 10; seed += 1) {
    const { filed, now } = aCase(random(seed))
    const reversed = { ...filed, reviews: filed.reviews.toReversed() }

    const about = `seed ${seed}: ${JSON.stringify({ filed, now }, null, 1)}`
    assert.deepEqual(
      requestState(reversed, sha256, now).granted,
      requestState(filed, sha256, now).granted,
      about,
    )
  }
})

/** The life of what was approved: by the people, not by how they write their names. */
function expectedLife({ request, cancelled, revoked }: FiledRequest, told: readonly Told[]) {
  const inTime = told.filter(
    ({ review, human, isWhole }) =>
      isWhole &&
      human !== 'alice' &&
      review.at >= request.createdAt &&
      review.at < request.createdAt + 24 * HOUR,
  )
  const isOver = cancelled || revoked || inTime.some(({ review }) => review.verdict === 'deny')
  if (isOver) return undefined
  if (request.isAutomatic) return lifeFrom(request, request.createdAt, [])

  const firsts = new Map<string, Review>()
  for (const { human, review } of inTime.toSorted((a, b) => a.review.at - b.review.at)) {
    if (!firsts.has(human)) firsts.set(human, review)
  }
  const deciding = [...firsts.values()].slice(0, request.required)
  if (deciding.length < request.required) return undefined
  return lifeFrom(request, deciding.at(-1)!.at, deciding)
}

function lifeFrom({ duration }: AccessRequest, from: number, deciding: readonly Review[]) {
  const limits = deciding.map((review) => review.duration ?? Number.POSITIVE_INFINITY)
  return { from, until: from + Math.min(duration, 8 * 3600, ...limits) * SECOND }
}

function aCase(next: () => number): Case {
  const below = (limit: number) => Math.floor(next() * limit)
  const request = aRequest({
    requester: pick(next, WAYS.get('alice')!),
    createdAt: MADE,
    required: 1 + below(3),
    duration: 900 + below(28_000),
    isAutomatic: next() < 0.1,
  })
  const told = Array.from({ length: below(7) }, (_, n) => someReview(next, request, n))
  const act = { at: MADE + below(24) * HOUR, by: 'alice' }
  const filed = {
    request,
    reviews: told.map(({ review }) => review),
    ...(next() < 0.1 && { cancelled: act }),
    ...(next() < 0.1 && { revoked: act }),
  }
  // Mostly soon after one of the reviews, when something may be live.
  const near = told.length > 0 ? pick(next, told).review.at : MADE
  return { filed, told, now: near + below(60) * MINUTE }
}

function someReview(next: () => number, request: AccessRequest, n: number): Told {
  const human = pick(next, HUMANS)
  const review = aReview(request, {
    reviewer: pick(next, WAYS.get(human)!),
    verdict: next() < 0.9 ? 'approve' : 'deny',
    // Now and then before the creation, or after the 24 hours. No two at the same time.
    at: MADE - HOUR + Math.floor(next() * (next() < 0.2 ? 27 : 3) * 60) * MINUTE + n,
    ...(next() < 0.3 && { duration: 900 + Math.floor(next() * 30_000) }),
  })
  if (next() < 0.85) return { review, human, isWhole: true }
  return { review: tamper(next, review, request), human, isWhole: false }
}

/** Alters one thing, as somebody would who can write the table but not be somebody else. */
function tamper(next: () => number, review: Review, request: AccessRequest): Review {
  const { reviewer, verdict, at } = review
  const changes: Partial<Review>[] = [
    { seal: sha256(review.seal) },
    { verdict: verdict === 'deny' ? 'approve' : 'deny' },
    { at: at + 1 },
    { duration: (review.duration ?? 0) + 1 },
    { comment: 'looks good' },
    { reviewer: aParty('mallory') },
    { requestHash: sha256(review.requestHash) },
    // Sealed well, but of the request as it was not.
    aReview({ ...request, duration: 1 }, { reviewer, verdict, at }),
  ]
  return { ...review, ...pick(next, changes) }
}
