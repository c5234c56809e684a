import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { SECOND } from '../../../src/domain/time.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import type { RequestStore } from '../../../src/ports/request-store.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { openClient } from '../../../src/stores/dynamodb/open-client.ts'
import { latchOf, toRequestItem, toReviewItem } from '../../../src/stores/dynamodb/request-item.ts'
import { DynamoDBRequestStore } from '../../../src/stores/dynamodb/request-store.ts'
import {
  type Answer,
  openScriptedServer,
  type Received,
} from '../../fixtures/aws/scripted-server.ts'
import { aRequest, aReview, filed } from '../request-under-test.ts'
import { aNotification, collect, NOW } from '../store-under-test.ts'

// The contract is tested against databases (test/interop): these are the answers that a healthy
// one does not give, over the wire, through the real client.

const TABLE = 'sentinel-requests'
const CANARY = 'c4n4ry-s3cr3t'
const REQUEST = aRequest()
const { id } = REQUEST
const REVIEW = aReview(REQUEST)
const ACT = { at: NOW, by: 'bob', reason: 'not needed' }
const QUEUED = { ...aNotification(), attempts: 0, nextAt: NOW }

/** Longer than any of these tests takes when nothing hangs. */
const patience = () => AbortSignal.timeout(20 * SECOND)

/** A store at a DynamoDB that answers as `script` says, each call by its action. */
async function openScripted(script: (action: string, body: string) => Answer | 'hang') {
  const server = await openScriptedServer(({ headers, body }: Received) =>
    script(String(headers['x-amz-target']).replace(/^\w+\./, ''), body),
  )
  const client = openClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: CANARY, sessionToken: CANARY },
  })
  const store = new DynamoDBRequestStore({
    client: async () => client,
    table: TABLE,
    location: `dynamodb:eu-central-1:${TABLE}`,
    now: () => NOW,
    close: () => client.destroy(),
  })
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const json = (body: unknown): Answer => ({ body: JSON.stringify(body) })

function refusal(name: string, more: object = {}, status = 400): Answer {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, ...more }),
  }
}

function cancelled(...codes: readonly string[]): Answer {
  const CancellationReasons = codes.map((Code) => ({ Code }))
  return refusal('TransactionCanceledException', { CancellationReasons })
}

/** What BatchGetItem and the index of reviews answer when the table has `items`. */
function tableOf(items: readonly Item[]): (action: string, body: string) => Answer {
  return (action, body) => {
    if (action === 'Query') {
      const value = JSON.parse(body).ExpressionAttributeValues[':key'].S
      return json({ Items: items.filter(({ requester }) => requester?.S === value) })
    }
    const wanted: { id: { S: string } }[] = JSON.parse(body).RequestItems[TABLE].Keys
    const found = items.filter((item) => wanted.some((key) => key.id.S === item.id?.S))
    return json({ Responses: { [TABLE]: found }, UnprocessedKeys: {} })
  }
}

/** Every call of the port. */
const CALLS: [
  name: string,
  call: (store: RequestStore, signal: AbortSignal) => Promise<unknown>,
][] = [
  ['create', (store, signal) => store.create(REQUEST, [], signal)],
  ['get', (store, signal) => store.get(id, signal)],
  ['find', (store, signal) => store.find('abcd', signal)],
  ['review', (store, signal) => store.review(REVIEW, [], signal)],
  ['cancel', (store, signal) => store.cancel(id, ACT, [], signal)],
  ['revoke', (store, signal) => store.revoke(id, ACT, [], signal)],
  ['settle', (store, signal) => store.settle(id, [], signal)],
  ['list', (store, signal) => collect(store.list({ which: 'undecided' }, signal))],
  ['list all', (store, signal) => collect(store.list({ which: 'all' }, signal))],
  ['due', (store, signal) => store.due(NOW, 10, signal)],
  ['claim', (store, signal) => store.claim(QUEUED, NOW, signal)],
  ['remove', (store, signal) => store.remove(QUEUED.id, signal)],
]

/** Asserts that every call is refused so, all at once: the SDK's retries take their time. */
async function assertAllReject(
  store: RequestStore,
  expected: { readonly code: ErrorCode; readonly message: RegExp },
  { calls = CALLS, signal = patience() } = {},
): Promise<void> {
  await Promise.all(
    calls.map(([name, call]) =>
      assert.rejects(call(store, signal), (error: Error & { code?: string }) => {
        assert.equal(error.code, expected.code, `${name}: ${inspect(error)}`)
        assert.match(error.message, expected.message, name)
        assert.doesNotMatch(inspect(error, { depth: 9 }), new RegExp(CANARY))
        return true
      }),
    ),
  )
}

suite('a DynamoDBRequestStore at a DynamoDB that fails', () => {
  const faults: [what: string, answer: Answer, code: ErrorCode, message: RegExp][] = [
    ['500s', refusal('InternalServerError', {}, 500), 'STORE_UNAVAILABLE', /trouble of its own/],
    [
      'a page of a portal',
      { body: '<html>log in</html>', headers: { 'content-type': 'text/html' } },
      'STORE_UNAVAILABLE',
      /not DynamoDB/,
    ],
    ['no permission', refusal('AccessDeniedException'), 'STORE_UNAVAILABLE', /denies/],
    ['no table', refusal('ResourceNotFoundException'), 'STORE_NOT_FOUND', /does not exist/],
  ]
  for (const [what, answer, code, message] of faults) {
    test(`every call is ${code} with ${what}`, async () => {
      await using scripted = await openScripted(() => answer)
      await assertAllReject(scripted.store, { code, message })
    })
  }

  test('every call is given up when its signal aborts', async () => {
    await using scripted = await openScripted(() => 'hang')
    const error = { code: 'STORE_UNAVAILABLE', message: /did not answer in time/ } as const
    await assertAllReject(scripted.store, error, { signal: AbortSignal.timeout(200) })
  })

  test('an empty answer never reads as a request that is gone', async () => {
    await using scripted = await openScripted(() => json({}))
    // A transaction is answered with nothing when all went well.
    const reading = ['get', 'find', 'list', 'list all', 'due', 'claim', 'remove']
    const calls = CALLS.filter(([name]) => reading.includes(name))
    const error = { code: 'STORE_UNAVAILABLE', message: /not DynamoDB/ } as const
    assert.equal(calls.length, reading.length)
    await assertAllReject(scripted.store, error, { calls })
  })

  test('a request without its reviews is none at all', async () => {
    const table = tableOf([toRequestItem(REQUEST)])
    await using scripted = await openScripted((action, body) =>
      action === 'Query' ? refusal('InternalServerError', {}, 500) : table(action, body),
    )
    await assert.rejects(scripted.store.get(id, patience()), { code: 'STORE_UNAVAILABLE' })
  })
})

test('a DynamoDBRequestStore puts no request: who may put one could put it anew', async () => {
  const writes: Record<string, { Key?: Item; Item?: Item }>[] = []
  await using scripted = await openScripted((_, body) => {
    writes.push(...JSON.parse(body).TransactItems)
    return json({})
  })
  const { store } = scripted
  const notifications = [aNotification()]
  await store.create(REQUEST, notifications, patience())
  await store.review(REVIEW, notifications, patience())
  await store.cancel(id, ACT, notifications, patience())
  await store.revoke(id, ACT, notifications, patience())
  await store.settle(id, notifications, patience())

  const kinds = writes.flatMap((write) =>
    Object.entries(write).map(([kind, { Key, Item }]) => {
      const key = Key?.id?.S ?? Item?.id?.S
      return `${kind} ${key?.replace(/#.*/, '')}`
    }),
  )
  const written = ['Update request', 'Put review', 'ConditionCheck request', 'Put outbox']
  assert.deepEqual(new Set(kinds), new Set(written))
})

suite('a DynamoDBRequestStore where a refusal does not bring the row along', () => {
  const refused = 'ConditionalCheckFailed'

  test('looks it up, and tells what is there', async () => {
    const rows: Item[] = []
    await using scripted = await openScripted((action, body) =>
      action === 'TransactWriteItems' ? cancelled(refused, 'None') : tableOf(rows)(action, body),
    )
    const { store } = scripted
    const cancel = () => store.cancel(id, ACT, [], patience())

    assert.equal(await cancel(), 'missing')
    rows.push({ ...toRequestItem(REQUEST), ...latchOf('cancelled', ACT) }, toReviewItem(REVIEW))
    assert.equal(await cancel(), 'already')
    await store.create(REQUEST, [], patience())
    await assert.rejects(store.create({ ...REQUEST, required: 2 }, [], patience()), {
      code: 'REQUEST_EXISTS',
    })
    assert.deepEqual(await store.review(REVIEW, [], patience()), REVIEW)
  })

  test('says to try again when what refused is gone by then', async () => {
    const rows = [toRequestItem(REQUEST)]
    await using scripted = await openScripted((action, body) =>
      action === 'TransactWriteItems' ? cancelled(refused, 'None') : tableOf(rows)(action, body),
    )
    const { store } = scripted
    const error = { code: 'STORE_UNAVAILABLE', message: /changed meanwhile/ }
    await assert.rejects(store.revoke(id, ACT, [], patience()), error)
    await assert.rejects(store.review(REVIEW, [], patience()), error)
  })

  test('has no request to review where there is none, whatever else refused', async () => {
    for (const codes of [
      ['None', refused],
      [refused, refused],
    ]) {
      await using scripted = await openScripted(() => cancelled(...codes))
      await assert.rejects(scripted.store.review(REVIEW, [], patience()), {
        code: 'REQUEST_NOT_FOUND',
        message: new RegExp(id),
      })
    }
  })
})

suite('a DynamoDBRequestStore over rows that Sentinel did not write', () => {
  test('names a request that it cannot understand, and takes it for nothing', async () => {
    const odd = { ...toRequestItem(REQUEST), required: { S: 'none' } }
    await using scripted = await openScripted((action, body) =>
      action === 'TransactWriteItems'
        ? cancelled('ConditionalCheckFailed')
        : tableOf([odd])(action, body),
    )
    const { store } = scripted
    const error = { code: 'STORE_INVALID', message: new RegExp(`${id} of .*${TABLE}`) }
    const { person } = REQUEST.requester
    await assert.rejects(store.get(id, patience()), error)
    await assert.rejects(store.create(REQUEST, [], patience()), error)
    await assert.rejects(collect(store.list({ person, which: 'all' }, patience())), error)
  })

  test('reads a request whatever is listed among its reviews, and counts none of it', async () => {
    const review = toReviewItem(REVIEW)
    const other = aReview(aRequest())
    const rows = [
      toRequestItem(REQUEST),
      // Under a key of this request: no verdict; of somebody whom the key does not name.
      { ...toReviewItem(aReview(REQUEST)), verdict: { S: 'aye' } },
      { ...review, id: { S: `review#${id}#AIDAMALLORY` } },
      // Under another key, though listed with these.
      { ...review, id: { S: `review#${id}#x#${REVIEW.reviewer.principalId}` } },
      { ...toReviewItem(other), requester: review.requester! },
      { ...toRequestItem(aRequest()), requester: review.requester! },
    ]
    await using scripted = await openScripted(tableOf(rows))
    const { store } = scripted
    assert.deepEqual(await store.get(id, patience()), filed(REQUEST))
  })

  test('lists the requests of a person whatever else is listed as theirs', async () => {
    const { person } = REQUEST.requester
    const stray = { ...toReviewItem(aReview(aRequest())), requester: { S: person } }
    await using scripted = await openScripted(tableOf([stray, toRequestItem(REQUEST)]))
    const listed = scripted.store.list({ person, which: 'all' }, patience())
    assert.deepEqual(await collect(listed), [filed(REQUEST)])
  })
})
