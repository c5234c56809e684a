import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { BatchGetItemCommand, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import type { Notification } from '../../../src/domain/notification.ts'
import { NOTIFY_EVENTS } from '../../../src/domain/policy/types.ts'
import { HOUR } from '../../../src/domain/time.ts'
import { hasCode } from '../../../src/errors.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { DynamoDBOutbox } from '../../../src/stores/dynamodb/outbox.ts'
import { fromOutboxItem, toOutboxItem } from '../../../src/stores/dynamodb/outbox-item.ts'
import { DynamoDBTable } from '../../../src/stores/dynamodb/table.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'
import { aNotification, NOW, WAITING } from '../store-under-test.ts'

const PLACE = 'dynamodb:eu-central-1:t'

suite('the row of a notification', () => {
  test('is read back as it was written, whatever is in it', () => {
    const seed = 20260116
    const next = random(seed)
    for (let run = 0; run < scaled(500); run += 1) {
      const notification = anyNotification(next)
      const expected = { ...notification, attempts: 0, nextAt: notification.at }
      const item = toOutboxItem(notification, 'pending')
      assert.deepEqual(fromOutboxItem(item, PLACE), expected, `seed ${seed}, run ${run}`)
    }
  })

  test('is found by the attribute that its table has for it, and kept for a year', () => {
    const { at } = aNotification()
    const item = toOutboxItem(aNotification(), 'open')
    assert.deepEqual([item.open, item.pending], [{ S: 'outbox' }, undefined])
    assert.equal(Number(item.ttl?.N), Math.ceil(at / 1000) + 365 * 24 * 3600)
  })

  const broken: [what: string, change: Item, problem: RegExp][] = [
    ['the key of something else', { id: { S: 'request#x' } }, /not that of a notification/],
    ['an event that nobody knows', { event: { S: 'request.lost' } }, /unknown event/],
    ['a target that nobody knows', { target_kind: { S: 'pager' } }, /unknown target_kind "pager"/],
    ['a time that is none', { next_at: { S: 'soon' } }, /next_at is not a time/],
    ['half a try', { attempts: { N: '0.5' } }, /attempts is not a whole/],
    ['fields of another type', { fields: { M: {} } }, /fields is of another type/],
    ...['', '{', '[]', 'null', '"x"', '{"a":null}', '{"a":{}}', '{"a":true}'].map(
      (json): [string, Item, RegExp] => [
        `fields of ${json || 'nothing'}`,
        { fields: { S: json } },
        /fields are not a flat object/,
      ],
    ),
  ]
  for (const [what, change, problem] of broken) {
    test(`is not valid with ${what}`, () => {
      const item = { ...toOutboxItem(aNotification(), 'pending'), ...change }
      assert.throws(
        () => fromOutboxItem(item, PLACE),
        (error) => hasCode(error, 'STORE_INVALID') && problem.test(error.message),
      )
    })
  }
})

suite('a DynamoDBOutbox', () => {
  const waiting = [0, 1, 2, 3].map((age) => aNotification({ at: NOW - HOUR + age }))
  const rows = waiting.map((each) => toOutboxItem(each, 'pending'))
  const bad = { ...rows[0]!, event: { S: 'request.lost' } }

  test('lets what cannot be understood hold up nothing else, and tells it in the end', async () => {
    const outbox = outboxOf([bad, ...rows.slice(1)])

    const due = await outbox.due(NOW, 10, WAITING)

    assert.deepEqual(
      due.map(({ id }) => id),
      waiting.slice(1).map(({ id }) => id),
    )
    const left = outboxOf([bad])
    await assert.rejects(left.due(NOW, 10, WAITING), { code: 'STORE_INVALID' })
  })

  test('asks for no more rows than it has to', async () => {
    const calls: string[] = []
    const many = Array.from({ length: 250 }, () => toOutboxItem(aNotification(), 'pending'))
    assert.equal((await outboxOf(many, calls).due(NOW, 10, WAITING)).length, 10)
    assert.deepEqual(calls, ['Query', 'BatchGetItem 100'])
  })

  test('takes no other row for one of its own, whatever it is listed as', async () => {
    const calls: string[] = []
    const stray = { ...rows[0]!, id: { S: 'review#aaaaaaaaaaaaaaaaaaaa#AIDAEXAMPLE' } }
    assert.deepEqual(await outboxOf([stray], calls).due(NOW, 10, WAITING), [])
    assert.deepEqual(calls, ['Query'])
  })
})

/** An outbox whose index gives these rows in this order. */
function outboxOf(rows: readonly Item[], calls: string[] = []): DynamoDBOutbox {
  async function send(command: unknown): Promise<object> {
    if (command instanceof QueryCommand) {
      calls.push('Query')
      assert.equal(command.input.IndexName, 'gsi-pending')
      assert.equal(command.input.ScanIndexForward, true)
      return { Items: rows.map(({ id }) => ({ id })) }
    }
    assert.ok(command instanceof BatchGetItemCommand)
    const keys = command.input.RequestItems?.t?.Keys?.map(({ id }) => id?.S) ?? []
    calls.push(`BatchGetItem ${keys.length}`)
    return { Responses: { t: rows.filter(({ id }) => keys.includes(id?.S)) } }
  }
  const client = { send: send as DynamoDBClient['send'] }
  const table = new DynamoDBTable({ client: async () => client, table: 't', location: PLACE })
  return new DynamoDBOutbox(table, { name: 'gsi-pending', partition: 'pending' })
}

function anyNotification(next: () => number): Notification {
  const field = () => (next() < 0.5 ? anyText(next) : Math.floor(next() * 1e6) / 8)
  return aNotification({
    event: pick(next, NOTIFY_EVENTS),
    at: Math.floor(next() * 4e12),
    target: { kind: pick(next, ['webhook', 'slack', 'sns']), address: anyText(next) },
    fields: Object.fromEntries(
      Array.from({ length: Math.floor(next() * 5) }, () => [anyText(next), field()]),
    ),
  })
}

function anyText(next: () => number): string {
  const characters = ['a', 'Z', '0', '-', '"', '\\', '#', ':', ' ', '\n', 'é', '\u{1f511}']
  return Array.from({ length: 1 + Math.floor(next() * 20) }, () => pick(next, characters)).join('')
}
