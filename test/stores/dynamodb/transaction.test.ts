import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SECOND } from '../../../src/domain/time.ts'
import type { Item } from '../../../src/stores/dynamodb/attributes.ts'
import { openClient } from '../../../src/stores/dynamodb/open-client.ts'
import { type TransactionWrite, transact } from '../../../src/stores/dynamodb/transaction.ts'
import { type Answer, openScriptedServer } from '../../fixtures/aws/scripted-server.ts'

// What a healthy database does is tested there (test/interop): these are the other answers, over
// the wire, through the real client.

const LOCATION = 'dynamodb:eu-central-1:sentinel-requests'
const PUT = { put: { id: { S: 'a' } } }
const CHECK = { check: 'b', condition: 'attribute_exists(#id)' }

const patience = () => AbortSignal.timeout(20 * SECOND)

/** A DynamoDB that gives these answers in turn, and the last one for ever. */
async function openScripted(answers: readonly [...Answer[], Answer | 'hang']) {
  let asked = 0
  const server = await openScriptedServer(() => answers[Math.min(asked++, answers.length - 1)]!)
  const client = openClient({
    endpoint: server.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
  })
  const access = { client: async () => client, table: 'sentinel-requests', location: LOCATION }
  return {
    received: server.received,
    write: (writes: readonly TransactionWrite[], signal = patience()) =>
      transact(access, writes, signal),
    async [Symbol.asyncDispose]() {
      client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

function failure(name: string, more: object = {}, status = 400): Answer {
  return {
    status,
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, ...more }),
  }
}

type Reason = string | { readonly Code: string; readonly Item: Item }

/** What a transaction is given up with. */
function cancelled(...reasons: readonly Reason[]): Answer {
  const CancellationReasons = reasons.map((each) =>
    typeof each === 'string' ? { Code: each } : each,
  )
  return failure('TransactionCanceledException', { CancellationReasons })
}

const DONE: Answer = { body: '{}' }

suite('transact', () => {
  test('says what is put, changed and only looked at, each with its condition', async () => {
    await using scripted = await openScripted([DONE])
    const update = {
      update: 'c',
      set: { by: { S: 'bob' } },
      remove: ['pending'],
      condition: '#version = :known',
      values: { known: { N: '3' } },
    }
    assert.deepEqual(await scripted.write([PUT, CHECK, update]), { isMade: true })

    const [{ Put }, { ConditionCheck }, { Update }] = JSON.parse(
      scripted.received[0]!.body,
    ).TransactItems
    const shared = {
      TableName: 'sentinel-requests',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }
    assert.deepEqual(Put, {
      ...shared,
      Item: { id: { S: 'a' } },
      ConditionExpression: 'attribute_not_exists(#id)',
      ExpressionAttributeNames: { '#id': 'id' },
    })
    assert.deepEqual(ConditionCheck, {
      ...shared,
      Key: { id: { S: 'b' } },
      ConditionExpression: 'attribute_exists(#id)',
      ExpressionAttributeNames: { '#id': 'id' },
    })
    assert.deepEqual(Update, {
      ...shared,
      Key: { id: { S: 'c' } },
      UpdateExpression: 'SET #by = :by REMOVE #pending',
      ConditionExpression: '#version = :known',
      ExpressionAttributeNames: { '#by': 'by', '#pending': 'pending', '#version': 'version' },
      ExpressionAttributeValues: { ':by': { S: 'bob' }, ':known': { N: '3' } },
    })
  })

  test('tells which conditions refused, and what they met', async () => {
    const old = { id: { S: 'a' }, v: { N: '1' } }
    const reason = { Code: 'ConditionalCheckFailed', Item: old }
    await using scripted = await openScripted([cancelled('None', reason, 'ConditionalCheckFailed')])

    const written = await scripted.write([CHECK, PUT, { put: { id: { S: 'c' } } }])

    const refusals = new Map<number, Item | undefined>([
      [1, old],
      [2, undefined],
    ])
    assert.deepEqual(written, { isMade: false, refusals })
    assert.equal(scripted.received.length, 1)
  })

  test('tells a refusal, though others write to another of the rows', async () => {
    await using scripted = await openScripted([
      cancelled('TransactionConflict', 'ConditionalCheckFailed'),
    ])
    const written = await scripted.write([PUT, CHECK])
    assert.deepEqual(written, { isMade: false, refusals: new Map([[1, undefined]]) })
  })

  test('goes on after conflicts, as one and the same transaction', async () => {
    const conflict = cancelled('None', 'TransactionConflict')
    await using scripted = await openScripted([conflict, conflict, DONE])

    assert.deepEqual(await scripted.write([PUT, CHECK]), { isMade: true })

    const tokens = scripted.received.map(({ body }) => JSON.parse(body).ClientRequestToken)
    assert.equal(tokens.length, 3)
    assert.equal(new Set(tokens).size, 1)
    await scripted.write([PUT])
    assert.notEqual(JSON.parse(scripted.received[3]!.body).ClientRequestToken, tokens[0])
  })

  test('gives up in the end when there are only conflicts', async () => {
    await using scripted = await openScripted([cancelled('TransactionConflict', 'None')])
    await assert.rejects(scripted.write([PUT, CHECK]), {
      code: 'STORE_UNAVAILABLE',
      message: /is busy with other writes of the same rows/,
    })
    assert.equal(scripted.received.length, 12)
  })

  test('goes on no longer than somebody waits', async () => {
    await using conflicts = await openScripted([cancelled('TransactionConflict')])
    await using silent = await openScripted(['hang'])
    for (const { write } of [conflicts, silent]) {
      await assert.rejects(write([PUT], AbortSignal.timeout(100)), {
        code: 'STORE_UNAVAILABLE',
        message: /did not answer in time/,
      })
    }
    assert.ok(conflicts.received.length < 12)
  })

  const faults: [what: string, answer: Answer, code: string, message: RegExp][] = [
    ['throttling', cancelled('ThrottlingError'), 'STORE_UNAVAILABLE', /throttled/],
    [
      'throttling beside a conflict',
      cancelled('TransactionConflict', 'ProvisionedThroughputExceeded'),
      'STORE_UNAVAILABLE',
      /throttled/,
    ],
    ['a key that is none', cancelled('ValidationError'), 'STORE_INVALID', /not the keys/],
    ['a reason of tomorrow', cancelled('MoonPhase'), 'STORE_UNAVAILABLE', /could not be asked/],
    [
      'no reasons',
      failure('TransactionCanceledException'),
      'STORE_UNAVAILABLE',
      /refused the call/,
    ],
    ['no table', failure('ResourceNotFoundException'), 'STORE_NOT_FOUND', /does not exist/],
    ['500s', failure('InternalServerError', {}, 500), 'STORE_UNAVAILABLE', /trouble of its own/],
  ]
  for (const [what, answer, code, message] of faults) {
    test(`is ${code} with ${what}`, async () => {
      await using scripted = await openScripted([answer])
      await assert.rejects(scripted.write([PUT, CHECK]), { code, message })
    })
  }

  test('names the actions that IAM has to allow for it', async () => {
    await using scripted = await openScripted([failure('AccessDeniedException')])
    await assert.rejects(scripted.write([PUT]), {
      code: 'STORE_UNAVAILABLE',
      hint: /dynamodb:ConditionCheckItem, dynamodb:PutItem, dynamodb:UpdateItem on the table/,
    })
  })

  test('is not tried with more rows than DynamoDB takes', async () => {
    await using scripted = await openScripted([DONE])
    const writes = Array.from({ length: 101 }, (_, n) => ({ put: { id: { S: `${n}` } } }))
    await assert.rejects(scripted.write(writes), { code: 'STORE_INVALID', message: /101 rows/ })
    assert.equal(scripted.received.length, 0)
    assert.deepEqual(await scripted.write(writes.slice(1)), { isMade: true })
  })
})
