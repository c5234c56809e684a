import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { WantedTable } from '../../../src/domain/table.ts'
import { SentinelError } from '../../../src/errors.ts'
import { DynamoDBTableKeeper } from '../../../src/stores/dynamodb/table-keeper.ts'
import { SESSIONS_TABLE } from '../../../src/stores/dynamodb/tables.ts'
import { openScriptedServer, type ScriptedServer } from '../../fixtures/aws/scripted-server.ts'

const TABLE: WantedTable = {
  definition: SESSIONS_TABLE,
  name: 'sentinel-sessions',
  region: 'eu-central-1',
}

type Answers = Record<string, object | { __type: string; message?: string }>

let server: ScriptedServer
let client: DynamoDBClient
/** By operation; an answer with a `__type` is an error. */
let answers: Answers
let calls: [operation: string, input: Record<string, unknown>][]

/** What DynamoDB's clients see of a service that answers by script. */
async function open(): Promise<void> {
  server = await openScriptedServer(({ headers, body }) => {
    const operation = String(headers['x-amz-target']).replace(/^.*\./, '')
    calls.push([operation, JSON.parse(body)])
    const answer = answers[operation] ?? {}
    return {
      status: '__type' in answer ? 400 : 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify(answer),
    }
  })
  client = new DynamoDBClient({
    endpoint: server.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' },
  })
}

const keeper = () => new DynamoDBTableKeeper({ clientIn: async () => client, gaps: 'refused' })

const fault = (name: string, message = 'no') => ({
  __type: `com.amazonaws.dynamodb.v20120810#${name}`,
  message,
})

suite('the keeper of tables in DynamoDB', () => {
  beforeEach(async () => {
    answers = {}
    calls = []
    await open()
  })
  afterEach(async () => {
    client.destroy()
    await server[Symbol.asyncDispose]()
  })

  test('reads a table as it is, without the indexes that are about to go', async () => {
    const index = (IndexName: string, IndexStatus: string) => ({
      IndexName,
      IndexStatus,
      KeySchema: [
        { AttributeName: 'user', KeyType: 'HASH' },
        { AttributeName: 'n', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    })
    answers.DescribeTable = {
      Table: {
        TableArn: 'arn:of:it',
        TableStatus: 'UPDATING',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [
          { AttributeName: 'id', AttributeType: 'S' },
          { AttributeName: 'user', AttributeType: 'S' },
          { AttributeName: 'n', AttributeType: 'N' },
        ],
        GlobalSecondaryIndexes: [index('coming', 'CREATING'), index('going', 'DELETING')],
        SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: 'arn:of:key' },
      },
    }
    assert.deepEqual(await keeper().find(TABLE), {
      arn: 'arn:of:it',
      state: 'changing',
      status: 'UPDATING',
      key: [{ name: 'id', type: 'S' }],
      indexes: [
        {
          name: 'coming',
          key: [
            { name: 'user', type: 'S' },
            { name: 'n', type: 'N' },
          ],
          projection: 'ALL',
          isReady: false,
        },
      ],
      kmsKey: 'arn:of:key',
    })
  })

  test('finds no table where there is none', async () => {
    answers.DescribeTable = fault('ResourceNotFoundException')
    assert.equal(await keeper().find(TABLE), undefined)
  })

  test('asks for the table by its ARN where it was named so, and for the key of KMS', async () => {
    const arn = 'arn:aws:dynamodb:eu-central-1:111122223333:table/sentinel-sessions'
    const kmsKey = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b'
    assert.equal(await keeper().create({ ...TABLE, arn, kmsKey }), 'created')
    const [[operation, input] = []] = calls
    assert.equal(operation, 'CreateTable')
    assert.partialDeepStrictEqual(input, {
      TableName: arn,
      SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKey },
    })
  })

  test('takes a table that came into being meanwhile', async () => {
    answers.CreateTable = fault('ResourceInUseException')
    assert.equal(await keeper().create(TABLE), 'exists')
  })

  for (const status of ['ENABLED', 'ENABLING']) {
    test(`does not turn expiry on again while it is ${status}`, async () => {
      answers.DescribeTimeToLive = {
        TimeToLiveDescription: { TimeToLiveStatus: status, AttributeName: 'ttl' },
      }
      assert.equal(await keeper().turnOnExpiry(TABLE), 'was on')
      assert.deepEqual(operations(), ['DescribeTimeToLive'])
    })
  }

  test('has rows expire by the attribute of the definition', async () => {
    answers.DescribeTimeToLive = { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }
    assert.equal(await keeper().turnOnExpiry(TABLE), 'turned on')
    assert.deepEqual(calls.at(-1), [
      'UpdateTimeToLive',
      {
        TableName: TABLE.name,
        TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' },
      },
    ])
  })

  test('leaves a table alone that expires by another attribute', async () => {
    answers.DescribeTimeToLive = {
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'gone_at' },
    }
    await assert.rejects(keeper().turnOnExpiry(TABLE), {
      code: 'STORE_INVALID',
      message: /by gone_at, not by ttl$/,
    })
    assert.deepEqual(operations(), ['DescribeTimeToLive'])
  })

  test('turns recovery on where it is off, and waits for a table that is too young', async () => {
    const off = { PointInTimeRecoveryStatus: 'DISABLED' }
    answers.DescribeContinuousBackups = {
      ContinuousBackupsDescription: { PointInTimeRecoveryDescription: off },
    }
    assert.equal(await keeper().turnOnRecovery(TABLE), 'turned on')
    assert.deepEqual(calls.at(-1), [
      'UpdateContinuousBackups',
      {
        TableName: TABLE.name,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    ])
    answers.UpdateContinuousBackups = fault('ContinuousBackupsUnavailableException')
    assert.equal(await keeper().turnOnRecovery(TABLE), 'too early')
  })

  test('says that a feature is unknown to what answers, and nothing else that fails', async () => {
    answers.DescribeContinuousBackups = fault('UnknownOperationException')
    answers.DescribeTimeToLive = fault('UnknownOperationException')
    assert.equal(await keeper().turnOnRecovery(TABLE), 'unknown')
    assert.equal(await keeper().turnOnExpiry(TABLE), 'unknown')
    answers.DescribeTimeToLive = fault('InternalServerError')
    await assert.rejects(keeper().turnOnExpiry(TABLE), { code: 'STORE_UNAVAILABLE' })
    answers.DescribeTable = fault('UnknownOperationException')
    await assert.rejects(keeper().find(TABLE), { code: 'STORE_UNAVAILABLE' })
  })

  test('names every action to allow when one is denied', async () => {
    answers.UpdateTimeToLive = fault('AccessDeniedException')
    const error = await failureOf(keeper().turnOnExpiry(TABLE))
    assert.equal(error.code, 'STORE_UNAVAILABLE')
    assert.match(error.message, /dynamodb:UpdateTimeToLive on dynamodb:eu-central-1:sentinel-/)
    for (const action of ['CreateTable', 'DescribeTable', 'UpdateContinuousBackups']) {
      assert.match(error.hint ?? '', new RegExp(`dynamodb:${action}\\b`))
    }
    assert.doesNotMatch(error.hint ?? '', /kms:/)
    const kms = await failureOf(keeper().turnOnExpiry({ ...TABLE, kmsKey: 'k' }))
    assert.match(kms.hint ?? '', /kms:CreateGrant/)
  })

  test('repeats what AWS does not like about a table, in its words', async () => {
    answers.CreateTable = fault('ValidationException', 'KMS key is disabled.')
    await assert.rejects(keeper().create(TABLE), { message: /: KMS key is disabled$/ })
  })

  test('passes on what is wrong with the credentials', async () => {
    const problem = new SentinelError('BASE_CREDENTIALS_MISSING', 'nothing to sign with')
    const clientIn = async () => {
      throw problem
    }
    const without = new DynamoDBTableKeeper({ clientIn, gaps: 'refused' })
    await assert.rejects(without.find(TABLE), problem)
  })
})

function operations(): string[] {
  return calls.map(([operation]) => operation)
}

async function failureOf(work: Promise<unknown>): Promise<SentinelError> {
  const error = await work.then(
    () => assert.fail('it was done'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SentinelError)
  return error
}
