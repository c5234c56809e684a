import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { createSessionsTable, removeRow, storeOver } from '../fixtures/dynamodb-tables.ts'
import { MOTO_ACCOUNT, MOTO_REGION, type Moto, oneAtATime, openMoto } from '../fixtures/moto.ts'
import { scaled } from '../fixtures/random.ts'
import { missing } from '../fixtures/tools.ts'
import { testSessionStore } from '../stores/session-store.conformance.ts'
import { modelSessionStore } from '../stores/session-store.model.ts'
import { aSession, WAITING } from '../stores/store-under-test.ts'

const TABLE = 'sentinel-sessions'

const openOn = (client: Pick<DynamoDBClient, 'send'>) => async () => ({
  store: storeOver(client, TABLE),
  peer: storeOver(client, TABLE),
  remove: (id: Parameters<typeof removeRow>[2]) => removeRow(client, TABLE, id),
})

const localMissing = await missingDynamoDBLocal()

suite('on DynamoDB Local', { skip: localMissing }, () => {
  let local: DynamoDBLocal
  let client: DynamoDBClient
  before(async () => {
    local = await openDynamoDBLocal()
    client = local.client()
    await createSessionsTable(client, TABLE)
  })
  after(() => local?.[Symbol.asyncDispose]())

  testSessionStore('DynamoDB Local', () => openOn(client)())
  modelSessionStore('DynamoDB Local', () => openOn(client)(), { interleavings: scaled(5000) })
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
    await createSessionsTable(client, TABLE)
  })
  after(async () => {
    client?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  const open = () => openOn(oneAtATime(client))()
  testSessionStore('moto', open)
  modelSessionStore('moto', open, { interleavings: scaled(100) })

  test('a table is used by its ARN', async () => {
    const store = storeOver(
      client,
      `arn:aws:dynamodb:${MOTO_REGION}:${MOTO_ACCOUNT}:table/${TABLE}`,
    )
    const session = aSession()
    await store.create(session, WAITING)

    assert.equal((await store.look(session, WAITING)).session?.id, session.id)
    const listed = await store.list({ user: session.user, which: 'live' }, WAITING).next()
    assert.equal(listed.value?.id, session.id)
  })
})
