import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { SECOND } from '../../../src/domain/time.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import type { SessionStore } from '../../../src/ports/session-store.ts'
import { openClient } from '../../../src/stores/dynamodb/open-client.ts'
import { toItem } from '../../../src/stores/dynamodb/session-item.ts'
import { DynamoDBSessionStore } from '../../../src/stores/dynamodb/session-store.ts'
import {
  type Answer,
  openScriptedServer,
  type Received,
} from '../../fixtures/aws/scripted-server.ts'
import { aLock, aSession, NOW, progress } from '../store-under-test.ts'

// The contract is tested against databases (test/interop): these are the answers that a healthy
// one does not give, over the wire, through the real client.

const TABLE = 'sentinel-sessions'
const CANARY = 'c4n4ry-s3cr3t'
const SESSION = aSession()
const REVOCATION = { at: NOW, by: 'bob', reason: 'laptop stolen' }
const SUBJECT = { id: SESSION.id, user: SESSION.user, profile: SESSION.profile }

/** Longer than any of these tests takes when nothing hangs. */
const patience = () => AbortSignal.timeout(20 * SECOND)

function storeAt(url: string, credentials?: () => Promise<never>): SessionStore {
  const client = openClient({
    endpoint: url,
    region: 'eu-central-1',
    credentials: credentials ?? {
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: CANARY,
      sessionToken: CANARY,
    },
  })
  return new DynamoDBSessionStore({
    client: async () => client,
    table: TABLE,
    location: `dynamodb:eu-central-1:${TABLE}`,
    now: () => NOW,
    close: () => client.destroy(),
  })
}

/** A store at a DynamoDB that answers as `script` says, each call by its action. */
async function openScripted(script: (action: string, body: string) => Answer | 'hang') {
  const server = await openScriptedServer(({ headers, body }: Received) =>
    script(String(headers['x-amz-target']).replace(/^\w+\./, ''), body),
  )
  const store = storeAt(server.url)
  return {
    server,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const IN_VAIN = { code: 'STORE_UNAVAILABLE', message: /did not answer in time/ } as const

const json = (body: unknown): Answer => ({ body: JSON.stringify(body) })

function refusal(name: string, more: object = {}, status = 400): Answer {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, ...more }),
  }
}

/** Every call of the port. */
const CALLS: [
  name: string,
  call: (store: SessionStore, signal: AbortSignal) => Promise<unknown>,
][] = [
  ['create', (store, signal) => store.create(SESSION, signal)],
  ['touch', (store, signal) => store.touch(SESSION.id, progress(1), NOW, signal)],
  ['settle', (store, signal) => store.settle(SESSION.id, progress(1), NOW, signal)],
  ['end', (store, signal) => store.end(SESSION.id, progress(1), REVOCATION, signal)],
  ['look', (store, signal) => store.look(SUBJECT, signal)],
  ['get', (store, signal) => store.get(SESSION.id, signal)],
  ['find', (store, signal) => store.find('abcd', signal)],
  ['list', (store, signal) => collect(store.list({ which: 'live' }, signal))],
  ['list all', (store, signal) => collect(store.list({ which: 'all' }, signal))],
  ['revoke', (store, signal) => store.revoke(SESSION.id, REVOCATION, signal)],
  ['lock', (store, signal) => store.lock(aLock({ kind: 'all' }), signal)],
  ['unlock', (store, signal) => store.unlock({ kind: 'all' }, signal)],
  ['locks', (store, signal) => store.locks(signal)],
]

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const collected: Value[] = []
  for await (const value of values) collected.push(value)
  return collected
}

/** Asserts that every call is refused so, all at once: the SDK's retries take their time. */
async function assertAllReject(
  store: SessionStore,
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

suite('a DynamoDBSessionStore at a DynamoDB that fails', () => {
  const faults: [what: string, answer: Answer, code: ErrorCode, message: RegExp][] = [
    ['500s', refusal('InternalServerError', {}, 500), 'STORE_UNAVAILABLE', /trouble of its own/],
    [
      'throttling',
      refusal('ProvisionedThroughputExceededException'),
      'STORE_UNAVAILABLE',
      /throttled/,
    ],
    [
      'a page of a portal',
      { body: '<html>log in</html>', headers: { 'content-type': 'text/html' } },
      'STORE_UNAVAILABLE',
      /not DynamoDB/,
    ],
    ['half an answer', { body: '{"Item": {"id"' }, 'STORE_UNAVAILABLE', /not DynamoDB/],
    ['an auth error', refusal('UnrecognizedClientException'), 'STORE_UNAVAILABLE', /credentials/],
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
    const signal = AbortSignal.timeout(200)
    await assertAllReject(scripted.store, IN_VAIN, { signal })
  })

  test('every call is given up while credentials are waited for', async () => {
    const store = storeAt('http://127.0.0.1:1', () => new Promise(() => {}))
    await assertAllReject(store, IN_VAIN, { signal: AbortSignal.timeout(50) })
  })

  test('every call is STORE_UNAVAILABLE where connections are cut', async () => {
    await using server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await using store = storeAt(`http://127.0.0.1:${port}`)
    const message = /cannot be reached \(ECONNRESET\)/
    await assertAllReject(store, { code: 'STORE_UNAVAILABLE', message })
  })

  test('an empty answer never reads as a session that is gone', async () => {
    await using scripted = await openScripted(() => json({}))
    // A put is answered with nothing when all went well.
    const calls = CALLS.filter(([name]) => name !== 'create')
    const error = { code: 'STORE_UNAVAILABLE', message: /not DynamoDB/ } as const
    await assertAllReject(scripted.store, error, { calls })
  })

  const shapes = [
    '[]',
    'null',
    '"OK"',
    '{"Responses":[]}',
    '{"Responses":{}}',
    '{"Responses":"none"}',
  ]
  for (const body of shapes) {
    test(`an answer of ${body} never reads as a session that is gone`, async () => {
      await using scripted = await openScripted(() => ({ body }))
      const calls = CALLS.filter(([name]) => name === 'look' || name === 'get')
      const error = { code: 'STORE_UNAVAILABLE', message: /not DynamoDB/ } as const
      assert.equal(calls.length, 2)
      await assertAllReject(scripted.store, error, { calls })
    })
  }

  test('a table without an index is told apart by the name of the index', async () => {
    await using scripted = await openScripted((action) =>
      action === 'Query' || action === 'Scan' ? refusal('ValidationException') : json({}),
    )
    const { store } = scripted
    const code = 'STORE_NOT_FOUND'
    const list = (query: object) => collect(store.list({ which: 'live', ...query }, patience()))
    await assert.rejects(list({}), { code, message: /no index gsi-live/ })
    await assert.rejects(list({ user: 'alice' }), { code, message: /no index gsi-user/ })
    await assert.rejects(list({ profile: 'prod' }), { code, message: /no index gsi-profile/ })
    await assert.rejects(list({ which: 'all' }), { code, message: /no index gsi-day/ })
    await assert.rejects(store.find('abcd', patience()), { code, message: /no index gsi-day/ })
    await assert.rejects(store.locks(patience()), { code, message: /no index gsi-live/ })
  })
})

suite('a DynamoDBSessionStore', () => {
  test('asks again for what a batch left out, until it has all', async () => {
    const keys = ['lock#all', SESSION.id].map((id) => ({ id: { S: id } }))
    const rows = [{ [TABLE]: [] }, { [TABLE]: [] }, { [TABLE]: [toItem(SESSION)] }]
    const left = [keys, keys.slice(1), []]
    let asked = 0
    await using scripted = await openScripted(() => {
      const Keys = left[asked]!
      const UnprocessedKeys = Keys.length === 0 ? {} : { [TABLE]: { Keys } }
      const answer = { Responses: rows[asked], UnprocessedKeys }
      asked += 1
      return json(answer)
    })

    const { session, locks } = await scripted.store.look(SUBJECT, patience())

    assert.equal(session?.id, SESSION.id)
    assert.deepEqual(locks, [])
    const wanted = scripted.server.received.map(({ body }) => {
      const { Keys, ConsistentRead } = JSON.parse(body).RequestItems[TABLE]
      assert.equal(ConsistentRead, true)
      return Keys.length
    })
    assert.deepEqual(wanted, [4, 2, 1])
  })

  test('gives up what a batch leaves out for ever when the signal aborts', async () => {
    const UnprocessedKeys = { [TABLE]: { Keys: [{ id: { S: SESSION.id } }] } }
    await using scripted = await openScripted(() => json({ Responses: {}, UnprocessedKeys }))
    await assert.rejects(scripted.store.look(SUBJECT, AbortSignal.timeout(300)), {
      code: 'STORE_UNAVAILABLE',
      message: /in time/,
    })
    // It waits longer each time, and no more calls come once nobody waits.
    const { length } = scripted.server.received
    assert.ok(length < 10, `${length} calls`)
    await delay(100)
    assert.equal(scripted.server.received.length, length)
  })

  test('looks the row up where a refusal does not bring it along', async () => {
    const revoked = {
      ...toItem(SESSION),
      status: { S: 'revoked' },
      revoked_at: { S: '2026-01-14T12:00:00.000Z' },
      revoked_by: { S: 'bob' },
      revoked_reason: { S: 'laptop stolen' },
    }
    let row: object | undefined
    await using scripted = await openScripted((action) =>
      action === 'BatchGetItem'
        ? json({ Responses: { [TABLE]: row === undefined ? [] : [row] }, UnprocessedKeys: {} })
        : refusal('ConditionalCheckFailedException'),
    )
    const { store } = scripted
    const touch = () => store.touch(SESSION.id, progress(1), NOW, patience())

    assert.equal(await touch(), 'missing')
    row = revoked
    assert.equal(await touch(), 'revoked')
    row = toItem(SESSION)
    assert.equal(await touch(), 'stale')
    assert.equal(await store.create(SESSION, patience()), 'exists')
    const another = aSession({ id: SESSION.id })
    await assert.rejects(store.create(another, patience()), { code: 'SESSION_EXISTS' })
  })

  test('takes the word of a row that it cannot understand for nothing', async () => {
    const odd = { ...toItem(SESSION), status: { S: 'paused' } }
    await using scripted = await openScripted((action) =>
      action === 'BatchGetItem'
        ? json({ Responses: { [TABLE]: [odd] }, UnprocessedKeys: {} })
        : refusal('ConditionalCheckFailedException', { Item: odd }),
    )
    const { store } = scripted
    const error = { code: 'STORE_INVALID', message: new RegExp(`${SESSION.id} of .*${TABLE}`) }
    await assert.rejects(store.look(SUBJECT, patience()), error)
    await assert.rejects(store.get(SESSION.id, patience()), error)
    await assert.rejects(store.touch(SESSION.id, progress(1), NOW, patience()), error)
    await assert.rejects(store.revoke(SESSION.id, REVOCATION, patience()), error)
  })
})
