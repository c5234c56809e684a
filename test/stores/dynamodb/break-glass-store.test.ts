import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type AttributeValue,
  TransactionCanceledException,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb'
import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  HISTORY_SPAN,
} from '../../../src/domain/break-glass.ts'
import { HOUR } from '../../../src/domain/time.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import {
  eventKey,
  toEventItem,
  toEventReviewItem,
} from '../../../src/stores/dynamodb/break-glass-item.ts'
import { DynamoDBBreakGlassStore } from '../../../src/stores/dynamodb/break-glass-store.ts'
import { admitAll, anEvent, aReview } from '../break-glass-under-test.ts'
import { aParty } from '../request-under-test.ts'
import { aNotification, collect, NOW, WAITING } from '../store-under-test.ts'

// The contract is tested against databases (test/interop): these are the rows, and the luck, that
// Sentinel alone would not bring about there.

const TABLE = 'sentinel-breakglass'
const ALICE = aParty('alice')
const EVENT = anEvent({ invoker: ALICE, profile: 'prod' })
const PERSON_GUARD = `guard#person#${ALICE.person}`
const PROFILE_GUARD = 'guard#profile#prod'

interface Input {
  readonly RequestItems?: Record<string, { Keys: { id: { S: string } }[] }>
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>
  readonly TransactItems?: TransactWriteItem[]
}

/** A table of `rows`, whose transactions are refused as often as `conflicts` says. */
class Rows {
  readonly rows: Map<string, Item>
  readonly written: TransactWriteItem[][] = []
  conflicts = 0

  constructor(...rows: Item[]) {
    this.rows = new Map(rows.map((row) => [row.id?.S ?? '', row]))
  }

  open() {
    return new DynamoDBBreakGlassStore({
      client: async () => ({ send: this.#send }) as never,
      table: TABLE,
      location: `dynamodb:eu-central-1:${TABLE}`,
      now: () => NOW,
    })
  }

  readonly #send = async ({
    constructor: { name },
    input,
  }: {
    constructor: { name: string }
    input: Input
  }) => {
    switch (name) {
      case 'BatchGetItemCommand': {
        const keys = input.RequestItems?.[TABLE]?.Keys ?? []
        return { Responses: { [TABLE]: keys.map(({ id }) => this.rows.get(id.S)).filter(isThere) } }
      }
      case 'QueryCommand': {
        const value = input.ExpressionAttributeValues?.[':key']?.S
        const found = (row: Item) => row.person?.S === value || row.open?.S === value
        return { Items: [...this.rows.values()].filter(found) }
      }
      case 'ScanCommand': {
        const part = input.ExpressionAttributeValues?.[':part']?.S ?? ''
        return {
          Items: [...this.rows.values()].filter(({ id, day }) => day && id?.S?.includes(part)),
        }
      }
      default: {
        const items = input.TransactItems ?? []
        this.written.push(items)
        if (this.conflicts-- <= 0) return {}
        const refused = { Code: 'ConditionalCheckFailed' }
        const CancellationReasons = items.map(({ Put }) =>
          Put?.Item?.id?.S?.startsWith('guard#') ? refused : { Code: 'None' },
        )
        throw new TransactionCanceledException({ message: '', $metadata: {}, CancellationReasons })
      }
    }
  }
}

function isThere(row: Item | undefined): row is Item {
  return row !== undefined
}

function guard(id: string, version: number, events: readonly BreakGlassEvent[]): Item {
  return {
    id: { S: id },
    version: { N: String(version) },
    events: { L: events.map((event) => ({ S: eventKey(event) })) },
  }
}

/** An event of alice's for prod that began so long before {@link EVENT}. */
function earlier(age: number): BreakGlassEvent {
  return anEvent({ invoker: ALICE, profile: 'prod', startedAt: EVENT.startedAt - age })
}

function settled(event: BreakGlassEvent): Item {
  const { open: _, ...row } = toEventItem(event)
  return row
}

suite('beginning an event in DynamoDB', () => {
  test('writes event, guards and announcement together, on condition of what was read', async () => {
    const before = earlier(HOUR)
    const rows = new Rows(toEventItem(before), guard(PERSON_GUARD, 7, [before]))
    await rows.open().begin(EVENT, admitAll, [aNotification()], WAITING)

    const [writes = []] = rows.written
    assert.deepEqual(
      writes.map(({ Put }) => Put?.Item?.id?.S?.replace(/(?<=outbox#).*/, '')),
      [eventKey(EVENT), PERSON_GUARD, PROFILE_GUARD, 'outbox#'],
    )
    const [, person, profile] = writes.map(({ Put }) => Put)
    assert.equal(person?.ConditionExpression, '#version = :read')
    assert.deepEqual(person?.ExpressionAttributeValues, { ':read': { N: '7' } })
    assert.equal(person?.Item?.version?.N, '8')
    assert.deepEqual(
      person?.Item?.events?.L?.map(({ S }) => S),
      [before, EVENT].map(eventKey),
    )
    assert.equal(profile?.ConditionExpression, 'attribute_not_exists(#id)')
    assert.equal(profile?.Item?.version?.N, '1')
  })

  test('shows what the guards list, and forgets what counts no more', async () => {
    const [recent, old, open, gone] = [
      earlier(HOUR),
      earlier(HISTORY_SPAN + 1),
      earlier(2 * HISTORY_SPAN),
      earlier(3 * HOUR),
    ]
    const foreign = anEvent({ startedAt: EVENT.startedAt - HOUR })
    const rows = new Rows(
      ...[recent, old].map(settled),
      toEventItem(open),
      toEventItem(foreign),
      guard(PERSON_GUARD, 1, [open, old, gone, foreign]),
      guard(PROFILE_GUARD, 1, [recent]),
    )
    const shown: BreakGlassHistory[] = []
    await rows.open().begin(EVENT, (history) => shown.push(history), [], WAITING)

    const ids = (events: BreakGlassHistory['ofPerson']) => events.map(({ event }) => event.id)
    assert.deepEqual(
      shown.map(({ ofPerson }) => ids(ofPerson)),
      [[open.id, recent.id]],
    )
    assert.deepEqual(
      shown.map(({ ofProfile }) => ids(ofProfile)),
      [[open.id, recent.id]],
      'what one guard lists and the other lacks is known to both',
    )
    for (const { Put } of rows.written[0]?.slice(1) ?? []) {
      const listed = Put?.Item?.events?.L?.map(({ S }) => S)
      assert.deepEqual(listed, [open, recent, EVENT].map(eventKey))
    }
  })

  test('looks again when others began meanwhile', async () => {
    const rows = new Rows()
    rows.conflicts = 3
    const looks: BreakGlassHistory[] = []
    await rows.open().begin(EVENT, (history) => looks.push(history), [], WAITING)
    assert.deepEqual([looks.length, rows.written.length], [4, 4])
  })

  test('gives up when others always do, and says so', async () => {
    const rows = new Rows()
    rows.conflicts = Number.POSITIVE_INFINITY
    await assert.rejects(rows.open().begin(EVENT, admitAll, [], WAITING), {
      code: 'STORE_UNAVAILABLE',
      message: /written by others at each of 12 tries$/,
      hint: 'try again in a moment',
    })
  })

  test('stops trying when nobody waits any more', async () => {
    const rows = new Rows()
    rows.conflicts = Number.POSITIVE_INFINITY
    const waiting = new AbortController()
    const stop = () => {
      if (rows.written.length === 2) waiting.abort()
    }
    await assert.rejects(rows.open().begin(EVENT, stop, [], waiting.signal), {
      code: 'STORE_UNAVAILABLE',
    })
    assert.ok(rows.written.length <= 3)
  })

  test('refuses where a guard has no room, rather than leave an event out', async () => {
    const many = Array.from({ length: 300 }, (_, n) => earlier(HOUR + n))
    const rows = new Rows(...many.map(settled), guard(PERSON_GUARD, 300, many))
    await assert.rejects(rows.open().begin(EVENT, admitAll, [], WAITING), {
      code: 'STORE_INVALID',
      message: /guard#person#.* lists 300 events, and has room for no other$/,
    })
    assert.deepEqual(rows.written, [])
  })

  test('refuses on a guard that nobody understands', async () => {
    for (const events of [{ S: 'all of them' }, { L: [{ N: '1' }] }]) {
      const rows = new Rows({ id: { S: PROFILE_GUARD }, version: { N: '1' }, events })
      await assert.rejects(rows.open().begin(EVENT, admitAll, [], WAITING), {
        code: 'STORE_INVALID',
        message: /events is not a list of keys$/,
      })
    }
  })
})

suite('what others can write beside an event', () => {
  test('never passes for a review of it', async () => {
    const review = aReview(EVENT)
    const made = toEventReviewItem(review)
    const rows = new Rows(
      toEventItem(EVENT),
      made,
      { ...made, id: { S: `bgreview#${EVENT.id}#${ALICE.principalId}` } },
      { ...made, id: { S: `outbox#${EVENT.id}` } },
      { ...made, id: { S: `bgreview#${EVENT.id}#` } },
    )
    assert.deepEqual(await rows.open().get(EVENT.id, WAITING), { event: EVENT, reviews: [review] })
  })

  test('never passes for an event of a person in a list', async () => {
    const { id: _, ...row } = toEventItem(EVENT)
    const rows = new Rows(toEventItem(EVENT), { ...row, id: { S: 'outbox#aaaa' } })
    const query = { person: ALICE.person, which: 'all' } as const
    assert.deepEqual(await collect(rows.open().list(query, WAITING)), [
      { event: EVENT, reviews: [] },
    ])
  })

  test('as an event of the same id stops whoever would act on one of the two', async () => {
    const made = toEventItem({ ...EVENT, invoker: aParty('mallory') })
    const rows = new Rows(toEventItem(EVENT), made)
    const store = rows.open()
    const act = { at: NOW, by: 'bob' }
    await assert.rejects(store.close(EVENT.id, act, [], WAITING), {
      code: 'STORE_INVALID',
      message: new RegExp(`has the break-glass event ${EVENT.id} twice: bg#.* and bg#`),
    })
    assert.deepEqual(await store.find(EVENT.id.slice(0, 6), WAITING), [EVENT.id])
    assert.deepEqual(rows.written, [])
  })
})
