import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { lockId, type SessionId, toSessionId } from '../../src/domain/session.ts'
import { HOUR, SECOND } from '../../src/domain/time.ts'
import type { SessionQuery } from '../../src/ports/session-store.ts'
import { toItem } from '../../src/stores/dynamodb/session-item.ts'
import { creationOf, SESSIONS_TABLE } from '../../src/stores/dynamodb/tables.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { createSessionsTable, storeOver } from '../fixtures/dynamodb-tables.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { aLock, aSession, NOW, progress, someone, WAITING } from '../stores/store-under-test.ts'

const DAY = 24 * HOUR

/** What DynamoDB Local alone tells: what a call costs, and what indexes really hold. */
suite('rows in DynamoDB', { skip: await missingDynamoDBLocal() }, () => {
  let local: DynamoDBLocal
  let client: DynamoDBClient
  before(async () => {
    local = await openDynamoDBLocal()
    client = local.client()
    await createSessionsTable(client, 'sessions')
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('a touch costs one write unit and rewrites no index', async () => {
    const spent: unknown[] = []
    const store = storeOver(metered(client, spent), 'sessions')
    const session = aSession()
    await store.create(session, WAITING)
    spent.length = 0

    await store.touch(session.id, progress(1), NOW, WAITING)
    await store.touch(session.id, progress(1_000_000), NOW + HOUR, WAITING)

    assert.deepEqual(spent, [
      { units: 1, indexes: [] },
      { units: 1, indexes: [] },
    ])
  })

  test('an end and a revocation rewrite only the index of live sessions', async () => {
    const spent: unknown[] = []
    const store = storeOver(metered(client, spent), 'sessions')
    const [ended, revoked] = [aSession(), aSession()]
    await store.create(ended, WAITING)
    await store.create(revoked, WAITING)
    spent.length = 0

    await store.end(ended.id, progress(1), { at: NOW, reason: 'SIGTERM' }, WAITING)
    await store.revoke(revoked.id, { at: NOW, by: 'bob', reason: 'laptop stolen' }, WAITING)

    assert.deepEqual(spent, [
      { units: 2, indexes: ['gsi-live'] },
      { units: 2, indexes: ['gsi-live'] },
    ])
  })

  test('a look is one call, whatever there is', async () => {
    const spent: unknown[] = []
    const store = storeOver(metered(client, spent), 'sessions')
    const { id, user, profile } = aSession()
    await store.lock(aLock({ kind: 'user', name: user }), WAITING)
    spent.length = 0

    await store.look({ id, user, profile }, WAITING)

    assert.equal(spent.length, 1)
  })

  test('sessions of all ages are listed newest first, those with a wrong clock included', async () => {
    await createSessionsTable(client, 'ages')
    const store = storeOver(client, 'ages')
    const ages = [-HOUR, 0, 1, DAY, 7 * DAY, 9 * DAY, 91 * DAY, 400 * DAY, 400 * DAY + 1]
    const ids = new Map<number, SessionId>()
    for (const age of ages.toReversed()) {
      const session = aSession({ startedAt: NOW - age })
      ids.set(age, session.id)
      await store.create(session, WAITING)
    }
    await store.lock(aLock({ kind: 'all' }), WAITING)

    const listed = async (query: SessionQuery) => {
      const found: SessionId[] = []
      for await (const { id } of store.list(query, WAITING)) found.push(id)
      return found
    }
    const upTo = (age: number) => ages.filter((each) => each <= age).map((each) => ids.get(each))
    assert.deepEqual(await listed({ which: 'all' }), upTo(401 * DAY))
    for (const age of [0, DAY, 8 * DAY, 9 * DAY, 100 * DAY, 400 * DAY]) {
      assert.deepEqual(await listed({ which: 'all', since: NOW - age }), upTo(age))
      assert.deepEqual(await listed({ which: 'live', since: NOW - age }), upTo(age))
    }
  })

  test('a table is listed and searched without holding it', async () => {
    await createSessionsTable(client, 'many')
    const count = scaled(10_000)
    await fill(client, 'many', count)
    let fetched = 0
    const store = storeOver(
      observed(client, (answer) => {
        fetched += Object.values(answer.Responses ?? {}).flat().length
      }),
      'many',
    )

    for (const which of ['live', 'all'] as const) {
      fetched = 0
      const seen: number[] = []
      let listed = 0
      let last = Number.POSITIVE_INFINITY
      for await (const { startedAt } of store.list({ which }, WAITING, (n) => seen.push(n))) {
        assert.ok(startedAt <= last)
        last = startedAt
        listed += 1
        // What is on its way, and what waits to be looked at.
        assert.ok(fetched - listed <= 300, `${fetched - listed} sessions are held`)
      }
      assert.equal(listed, count)
      assert.equal(seen.at(-1), count)
    }
    const id = toSessionId(Buffer.from((count - 1).toString(16).padStart(16, '0'), 'hex'))
    assert.deepEqual(await store.find(id, WAITING), [id])
    assert.equal((await store.find('0000', WAITING)).length, 10)
  })

  test('a list that is left early has asked for little', async () => {
    await createSessionsTable(client, 'early')
    await fill(client, 'early', 2000)
    const actions: string[] = []
    const store = storeOver(
      observed(client, (_, action) => actions.push(action)),
      'early',
    )
    let wanted = 20
    for await (const _ of store.list({ which: 'live' }, WAITING)) if (--wanted === 0) break
    // One page of each partition, and two batches.
    assert.ok(actions.length <= 10, actions.join())
  })

  test('a table that is not there, or not as it should be, is told apart by name', async () => {
    const { GlobalSecondaryIndexes: indexes, ...table } = creationOf(SESSIONS_TABLE, 'bare')
    await client.send(
      new CreateTableCommand({
        ...table,
        GlobalSecondaryIndexes: indexes.filter(({ IndexName }) => IndexName === 'gsi-user'),
        AttributeDefinitions: ['id', 'user', 'started_at'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
      }),
    )
    await client.send(
      new CreateTableCommand({
        TableName: 'foreign',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      }),
    )
    const find = (name: string) => storeOver(client, name).find('abcd', WAITING)
    const touch = (name: string) =>
      storeOver(client, name).touch(someone().id, progress(1), NOW, WAITING)
    const code = 'STORE_NOT_FOUND'

    await assert.rejects(touch('nothing'), { code, message: /eu-central-1:nothing does not exist/ })
    await assert.rejects(find('nothing'), { code, message: /eu-central-1:nothing/ })
    await assert.rejects(find('bare'), { code, message: /eu-central-1:bare has no index gsi-day/ })
    assert.equal(await touch('bare'), 'missing')
    await assert.rejects(touch('foreign'), {
      code: 'STORE_INVALID',
      message: /foreign has not the/,
    })
  })

  test('a row that Sentinel did not write is named, and passes for nothing', async () => {
    const store = storeOver(client, 'sessions')
    const { id, user, profile } = aSession()
    const Item = { ...toItem(aSession({ id, user, profile })), status: { S: 'paused' } }
    await client.send(new PutItemCommand({ TableName: 'sessions', Item }))
    const invalid = { code: 'STORE_INVALID', message: new RegExp(`${id}.*unknown status "paused"`) }

    await assert.rejects(store.get(id, WAITING), invalid)
    await assert.rejects(store.look({ id, user, profile }, WAITING), invalid)
    await assert.rejects(store.list({ user, which: 'live' }, WAITING).next(), invalid)

    const lock = { id: { S: lockId({ kind: 'user', name: user }) }, until: { N: '1' } }
    await client.send(new PutItemCommand({ TableName: 'sessions', Item: lock }))
    const look = store.look({ user, profile }, WAITING)
    await assert.rejects(look, {
      code: 'STORE_INVALID',
      message: /lock#user.*started_at is missing/,
    })
  })
})

interface Metered {
  readonly Responses?: Record<string, unknown[]>
  readonly ConsumedCapacity?: Consumed | Consumed[]
}

interface Consumed {
  readonly CapacityUnits?: number
  readonly GlobalSecondaryIndexes?: Record<string, unknown>
}

/** A client whose answers are looked at. */
function observed(
  client: DynamoDBClient,
  look: (answer: Metered, action: string) => void,
  ask: object = {},
): Pick<DynamoDBClient, 'send'> {
  const send = async (command: { input: object }, options: object) => {
    Object.assign(command.input, ask)
    const answer = await client.send(command as never, options)
    look(answer as Metered, command.constructor.name)
    return answer
  }
  return { send: send as DynamoDBClient['send'] }
}

/** A client that asks what each call consumed. */
function metered(client: DynamoDBClient, spent: unknown[]): Pick<DynamoDBClient, 'send'> {
  const note = ({ ConsumedCapacity }: Metered) => {
    const [consumed] = [ConsumedCapacity ?? []].flat()
    spent.push({
      units: consumed?.CapacityUnits,
      indexes: Object.keys(consumed?.GlobalSecondaryIndexes ?? {}),
    })
  }
  return observed(client, note, { ReturnConsumedCapacity: 'INDEXES' })
}

/** Writes rows past the store, 25 at a time: of ids 0, 1, 2, …, started within the last 30 days. */
async function fill(client: DynamoDBClient, table: string, count: number): Promise<void> {
  const seed = 7
  const next = random(seed)
  const users = ['alice', 'bob', 'carol']
  for (let first = 0; first < count; first += 25) {
    const rows = Array.from({ length: Math.min(25, count - first) }, (_, n) => {
      const id = toSessionId(Buffer.from((first + n).toString(16).padStart(16, '0'), 'hex'))
      const startedAt = NOW - Math.floor(next() * 30 * DAY)
      return { PutRequest: { Item: toItem(aSession({ id, startedAt, user: pick(next, users) })) } }
    })
    const batch = new BatchWriteItemCommand({ RequestItems: { [table]: rows } })
    const { UnprocessedItems } = await client.send(batch, {
      abortSignal: AbortSignal.timeout(30 * SECOND),
    })
    assert.deepEqual(UnprocessedItems, {})
  }
}
