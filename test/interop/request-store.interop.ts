import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { requestState } from '../../src/domain/access-request.ts'
import { HOUR } from '../../src/domain/time.ts'
import type { Item } from '../../src/stores/dynamodb/attributes.ts'
import { reviewKey, toReviewItem } from '../../src/stores/dynamodb/request-item.ts'
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
import { aParty, aRequest, aReview, byAnotherSet, sha256 } from '../stores/request-under-test.ts'
import { aNotification, collect, NOW, WAITING } from '../stores/store-under-test.ts'

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

  test('a review of no request is refused, and leaves no row behind', async () => {
    const { store } = openOn(client)
    const request = aRequest()
    const announced = aNotification()
    const review = aReview(request)
    const code = 'REQUEST_NOT_FOUND'
    await assert.rejects(store.review(review, [announced], WAITING), { code })

    assert.equal((await client.send(getItem(reviewKey(review)))).Item, undefined)
    const due = await store.due(NOW, 1000, WAITING)
    assert.ok(due.every(({ id }) => id !== announced.id))
    // Nor does one that was put there by hand begin to count later.
    await put(toReviewItem(review))
    await assert.rejects(store.review(review, [], WAITING), { code })
    assert.equal(await store.get(request.id, WAITING), undefined)
  })

  test('no row under a foreign key approves, and none keeps others from reading', async () => {
    const { store } = openOn(client)
    const request = aRequest()
    const { requester, id } = request
    await store.create(request, [], WAITING)
    const bob = aParty('bob')
    const approval = toReviewItem(aReview(request, { reviewer: bob }))
    const key = (principalId: string) => ({ S: `review#${id}#${principalId}` })
    const forged: Item[] = [
      // Her own, by any of her permission sets, as herself and as bob.
      toReviewItem(aReview(request, { reviewer: requester })),
      toReviewItem(aReview(request, { reviewer: byAnotherSet(requester) })),
      toReviewItem(
        aReview(request, {
          reviewer: { ...bob, principalId: byAnotherSet(requester).principalId },
        }),
      ),
      toReviewItem(aReview(request, { reviewer: { ...bob, principalId: 'AROAX:mallory' } })),
      // Where bob's would be: not sealed as it is, and what is no review.
      { ...approval, duration: { N: '7200' } },
      { ...approval, id: key('AIDACAROL'), verdict: { S: 'aye' } },
    ]
    for (const item of forged) await put(item)

    const found = await store.get(id, WAITING)
    assert.ok(found)
    assert.equal(requestState(found, sha256, NOW + HOUR).status, 'pending')
    const query = { person: requester.person, which: 'undecided' } as const
    assert.deepEqual(await collect(store.list(query, WAITING)), [found])
  })

  test('reviews and a cancellation at once each find their way', async () => {
    const { store, peer } = openOn(client)
    const request = aRequest({ required: 5 })
    await store.create(request, [], WAITING)
    const reviews = Array.from({ length: 20 }, () => aReview(request))

    const answers = await Promise.all([
      ...reviews.map((review, n) => (n % 2 ? store : peer).review(review, [], WAITING)),
      store.cancel(request.id, { at: NOW, by: 'alice' }, [], WAITING),
    ])

    assert.deepEqual(new Set(answers), new Set(['written']))
    const found = await store.get(request.id, WAITING)
    assert.equal(found?.reviews.length, 20)
    assert.deepEqual(found?.cancelled, { at: NOW, by: 'alice' })
    assert.equal(await peer.settle(request.id, [], WAITING), false)
  })

  const put = (Item: Item) => client.send(new PutItemCommand({ TableName: TABLE, Item }))
  const getItem = (id: string) => new GetItemCommand({ TableName: TABLE, Key: { id: { S: id } } })
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
