import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBBreakGlassStore } from '../../src/stores/dynamodb/break-glass-store.ts'
import { BREAK_GLASS_TABLE } from '../../src/stores/dynamodb/tables.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { createTable } from '../fixtures/dynamodb-tables.ts'
import { MOTO_ACCOUNT, MOTO_REGION, type Moto, oneAtATime, openMoto } from '../fixtures/moto.ts'
import { missing } from '../fixtures/tools.ts'
import { testBreakGlassStore } from '../stores/break-glass-store.conformance.ts'
import { admitAll, anEvent, aReview } from '../stores/break-glass-under-test.ts'
import { WAITING } from '../stores/store-under-test.ts'

const TABLE = 'sentinel-breakglass'

const openOn = (client: Pick<DynamoDBClient, 'send'>) => ({
  store: storeOver(client, TABLE),
  peer: storeOver(client, TABLE),
})

suite('on DynamoDB Local', { skip: await missingDynamoDBLocal() }, () => {
  let local: DynamoDBLocal
  let client: DynamoDBClient
  before(async () => {
    local = await openDynamoDBLocal()
    client = local.client()
    await createTable(client, BREAK_GLASS_TABLE, TABLE)
  })
  after(() => local?.[Symbol.asyncDispose]())

  testBreakGlassStore('DynamoDB Local', async () => openOn(client))
})

suite('on moto', { skip: missing('moto_server') }, () => {
  let moto: Moto
  let client: DynamoDBClient
  before(async () => {
    moto = await openMoto()
    client = new DynamoDBClient({
      endpoint: moto.url,
      region: MOTO_REGION,
      credentials: { accessKeyId: 'admin', secretAccessKey: 'admin' },
    })
    await createTable(client, BREAK_GLASS_TABLE, TABLE)
  })
  after(async () => {
    client?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  testBreakGlassStore('moto', async () => openOn(oneAtATime(client)))

  test('a table is used by its ARN', async () => {
    const arn = `arn:aws:dynamodb:${MOTO_REGION}:${MOTO_ACCOUNT}:table/${TABLE}`
    const store = storeOver(client, arn)
    const event = anEvent()
    const review = aReview(event)
    await store.begin(event, admitAll, [], WAITING)
    await store.review(review, [], WAITING)

    assert.deepEqual(await store.get(event.id, WAITING), { event, reviews: [review] })
  })
})

/** A store over a table that is there. */
function storeOver(client: Pick<DynamoDBClient, 'send'>, table: string) {
  return new DynamoDBBreakGlassStore({
    client: async () => client,
    table,
    location: `dynamodb:eu-central-1:${table}`,
    now: Date.now,
  })
}
