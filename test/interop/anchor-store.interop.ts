import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { HOUR } from '../../src/domain/time.ts'
import { ANCHORS_TABLE } from '../../src/stores/dynamodb/tables.ts'
import { anAnchor } from '../fixtures/anchors.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { anchorStoreOver, createTable } from '../fixtures/dynamodb-tables.ts'
import { MOTO_REGION, type Moto, oneAtATime, openMoto } from '../fixtures/moto.ts'
import { missing } from '../fixtures/tools.ts'
import { testAnchorStore } from '../stores/anchor-store.conformance.ts'
import { collect, WAITING } from '../stores/store-under-test.ts'

const TABLE = 'sentinel-anchors'

const openOn = (client: Pick<DynamoDBClient, 'send'>) => async () => ({
  store: anchorStoreOver(client, TABLE),
  peer: anchorStoreOver(client, TABLE),
})

const localMissing = await missingDynamoDBLocal()

suite('on DynamoDB Local', { skip: localMissing }, () => {
  let local: DynamoDBLocal
  let client: DynamoDBClient
  before(async () => {
    local = await openDynamoDBLocal()
    client = local.client()
    await createTable(client, ANCHORS_TABLE, TABLE)
  })
  after(() => local?.[Symbol.asyncDispose]())

  testAnchorStore('DynamoDB Local', () => openOn(client)())

  test('a row is what the documentation says, and kept 400 days after its last write', async () => {
    const anchor = anAnchor({ seq: 12 })
    await anchorStoreOver(client, TABLE).put(anchor, WAITING)

    const id = `anchor#${anchor.head.stream}`
    const { Item } = await client.send(
      new GetItemCommand({ TableName: TABLE, Key: { id: { S: id } } }),
    )

    const at = new Date(anchor.at).toISOString()
    assert.deepEqual(Item, {
      id: { S: id },
      stream: { S: anchor.head.stream },
      seq: { N: '12' },
      hash: { S: anchor.head.hash },
      host: { S: anchor.host },
      log: { S: anchor.log },
      created_at: { S: at },
      updated_at: { S: at },
      ttl: { N: String((anchor.at + 400 * 24 * HOUR) / 1000) },
    })
  })

  test('a row that Sentinel has not written is told of, and vouches for nothing', async () => {
    const broken = [
      { hash: { S: '9f86' } },
      { seq: { N: '0' } },
      { seq: { S: '12' } },
      { stream: { S: 'mzxw6ytboi3damrqgaya' } },
      { log: { S: '/var/log' } },
    ]
    const store = anchorStoreOver(client, TABLE)
    for (const change of broken) {
      const anchor = anAnchor()
      const id = `anchor#${anchor.head.stream}`
      await store.put(anchor, WAITING)
      const { Item } = await client.send(
        new GetItemCommand({ TableName: TABLE, Key: { id: { S: id } } }),
      )
      await client.send(new PutItemCommand({ TableName: TABLE, Item: { ...Item, ...change } }))

      const listing = collect(store.list(anchor.host, WAITING))
      await assert.rejects(listing, { code: 'STORE_INVALID' }, JSON.stringify(change))
    }
  })

  test('a table that is not there is told of, with what makes it', async () => {
    const store = anchorStoreOver(client, 'nowhere')
    const rejection = {
      code: 'STORE_NOT_FOUND',
      hint: 'create it with: sentinel init tables --anchor-table eu-central-1:nowhere',
    }
    await assert.rejects(store.put(anAnchor(), WAITING), rejection)
    await assert.rejects(collect(store.list('laptop', WAITING)), rejection)
  })
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
    await createTable(client, ANCHORS_TABLE, TABLE)
  })
  after(async () => {
    client?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  testAnchorStore('moto', () => openOn(oneAtATime(client))())
})
