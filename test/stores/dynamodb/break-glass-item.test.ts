import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BreakGlassId } from '../../../src/domain/break-glass.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import {
  closingOf,
  eventFromItem,
  eventIdIn,
  eventReviewFromItem,
  toEventItem,
  toEventReviewItem,
} from '../../../src/stores/dynamodb/break-glass-item.ts'
import { BREAK_GLASS_TABLE } from '../../../src/stores/dynamodb/tables.ts'
import { anEvent, aReview } from '../break-glass-under-test.ts'
import { aParty } from '../request-under-test.ts'
import { NOW } from '../store-under-test.ts'

const PLACE = 'dynamodb:eu-central-1:sentinel-breakglass'
const ID = 'aaaaaaaaaaaaaaaaaaa7' as BreakGlassId
const ALICE = aParty('alice')
const EVENT = anEvent({ id: ID, invoker: ALICE })
const REVIEW = aReview(EVENT)
const ACT = { at: NOW, by: 'bob', reason: 'over' }
const ROW = toEventItem(EVENT)

suite('the row of a break-glass event', () => {
  test('is read back as it was written, closed or not', () => {
    const { reviewWithin: _, ...unreviewed } = EVENT
    assert.deepEqual(eventFromItem(ROW, PLACE), { event: EVENT })
    assert.deepEqual(eventFromItem(toEventItem(unreviewed), PLACE), { event: unreviewed })
    const closed = { ...ROW, ...closingOf(ACT) }
    assert.deepEqual(eventFromItem(closed, PLACE), { event: EVENT, closed: ACT })
  })

  test('has a key that names its invoker, and the attributes of all indexes', () => {
    assert.equal(ROW.id?.S, `bg#${ALICE.principalId}#${ID}`)
    for (const { partition, sort } of BREAK_GLASS_TABLE.indexes) {
      assert.ok(ROW[partition]?.S && ROW[sort]?.S, `${partition}, ${sort}`)
    }
    assert.match(ROW.day?.S ?? '', /^\d{4}-\d\d-\d\d#[0-3]$/)
  })

  test('is nobody else than its key says', () => {
    const other = toEventItem({ ...EVENT, invoker: aParty('bob') }).id
    assert.throws(() => eventFromItem({ ...ROW, ...(other && { id: other }) }, PLACE), {
      code: 'STORE_INVALID',
      message: /its key is not one of person$/,
    })
  })

  const spoilt: Record<string, Item> = {
    'another key': { id: { S: `request#${ID}` } },
    'a key with more in it': { id: { S: `bg#x#${ALICE.principalId}#${ID}` } },
    'a reason code nobody has': { reason_code: { S: 'fun' } },
    'a start that is not where it is sorted': { created_at: { S: '2026-01-14T09:00:00.000Z' } },
    'a duration that is no number': { duration: { S: 'for ever' } },
    'half a closing': { closed_by: { S: 'bob' } },
    'a closing without its time': { closed_at: { S: 'now' }, closed_by: { S: 'bob' } },
  }
  for (const [what, change] of Object.entries(spoilt)) {
    test(`is refused with ${what}`, () => {
      assert.throws(() => eventFromItem({ ...ROW, ...change }, PLACE), { code: 'STORE_INVALID' })
    })
  }

  test('misses no attribute in silence', () => {
    const optional = new Set(['open', 'day', 'ttl', 'review_within'])
    for (const name of Object.keys(ROW).filter((each) => !optional.has(each))) {
      const { [name]: _, ...rest } = ROW
      assert.throws(() => eventFromItem(rest, PLACE), { code: 'STORE_INVALID' }, name)
    }
  })
})

suite('the row of a review of an event', () => {
  const row = toEventReviewItem(REVIEW)

  test('is read back as it was written, under a key that names its reviewer', () => {
    assert.deepEqual(eventReviewFromItem(row, PLACE), REVIEW)
    assert.equal(row.id?.S, `bgreview#${ID}#${REVIEW.reviewer.principalId}`)
    assert.equal(row.person?.S, `review#${ID}`, 'found by its event')
    assert.equal(eventIdIn(row.id?.S ?? ''), undefined, 'and never taken for one')
  })

  test('is nobody else than its key says', () => {
    const id = { S: `bgreview#${ID}#${ALICE.principalId}` }
    assert.throws(() => eventReviewFromItem({ ...row, id }, PLACE), {
      code: 'STORE_INVALID',
      message: /its key is not one of reviewer_person$/,
    })
  })

  test('is refused with an outcome nobody has', () => {
    const outcome = { S: 'fine' }
    assert.throws(() => eventReviewFromItem({ ...row, outcome }, PLACE), { code: 'STORE_INVALID' })
  })
})
