import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { REQUESTS_TABLE } from '../../src/stores/dynamodb/tables.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { createTable, requestStoreOver } from '../fixtures/dynamodb-tables.ts'
import { MOTO_ACCOUNT, MOTO_REGION, type Moto, oneAtATime, openMoto } from '../fixtures/moto.ts'
import { missing } from '../fixtures/tools.ts'
import { testRequestStore } from '../stores/request-store.conformance.ts'
import { aRequest, aReview } from '../stores/request-under-test.ts'
import { WAITING } from '../stores/store-under-test.ts'

const TABLE = 'sentinel-requests'

const openOn = (client: Pick<DynamoDBClient, 'send'>) => ({
  store: requestStoreOver(client, TABLE),
  peer: requestStoreOver(client, TABLE),
})

suite('on DynamoDB Local', { skip: await missingDynamoDBLocal() }, () => {
  let local: DynamoDBLocal
  let client: DynamoDBClient
  before(async () => {
    local = await openDynamoDBLocal()
    client = local.client()
    await createTable(client, REQUESTS_TABLE, TABLE)
  })
  after(() => local?.[Symbol.asyncDispose]())

  testRequestStore('DynamoDB Local', async () => openOn(client))
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
    await createTable(client, REQUESTS_TABLE, TABLE)
  })
  after(async () => {
    client?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  testRequestStore('moto', async () => openOn(oneAtATime(client)))

  test('a table is used by its ARN', async () => {
    const arn = `arn:aws:dynamodb:${MOTO_REGION}:${MOTO_ACCOUNT}:table/${TABLE}`
    const store = requestStoreOver(client, arn)
    const request = aRequest()
    const review = aReview(request)
    await store.create(request, [], WAITING)
    await store.review(review, [], WAITING)

    assert.deepEqual(await store.get(request.id, WAITING), { request, reviews: [review] })
  })
})
