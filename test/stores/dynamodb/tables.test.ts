import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { keyAttributes, type WantedTable } from '../../../src/domain/table.ts'
import { cloudFormation, terraform } from '../../../src/stores/dynamodb/table-templates.ts'
import {
  ANCHORS_TABLE,
  BREAK_GLASS_TABLE,
  creationOf,
  REQUESTS_TABLE,
  SESSIONS_TABLE,
} from '../../../src/stores/dynamodb/tables.ts'

const TABLE: WantedTable = {
  definition: SESSIONS_TABLE,
  name: 'sentinel-sessions',
  region: 'eu-central-1',
}
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b'

/** The indexes of design § 7. */
const INDEXES = {
  'gsi-user': ['user', 'started_at'],
  'gsi-profile': ['profile', 'started_at'],
  'gsi-server-instance': ['server_instance_id', 'started_at'],
  'gsi-live': ['live', 'started_at'],
  'gsi-day': ['day', 'started_at'],
}
const DESIGN = [
  [SESSIONS_TABLE, INDEXES],
  [
    REQUESTS_TABLE,
    {
      'gsi-requester': ['requester', 'created_at'],
      'gsi-profile': ['profile', 'created_at'],
      'gsi-pending': ['pending', 'created_at'],
      'gsi-day': ['day', 'created_at'],
    },
  ],
  [
    BREAK_GLASS_TABLE,
    {
      'gsi-person': ['person', 'created_at'],
      'gsi-profile': ['profile', 'created_at'],
      'gsi-open': ['open', 'created_at'],
      'gsi-day': ['day', 'created_at'],
    },
  ],
  [ANCHORS_TABLE, { 'gsi-host': ['host', 'created_at'] }],
] as const

for (const [definition, indexesOfDesign] of DESIGN) {
  suite(`the table of ${definition.kind}`, () => {
    test('has the key and the indexes of the design, keys only, on demand', () => {
      const { KeySchema, GlobalSecondaryIndexes, BillingMode } = creationOf(definition, 'any')

      assert.deepEqual(KeySchema, [{ AttributeName: 'id', KeyType: 'HASH' }])
      assert.equal(BillingMode, 'PAY_PER_REQUEST')
      const indexes = GlobalSecondaryIndexes.map((index) => {
        assert.deepEqual(index.Projection, { ProjectionType: 'KEYS_ONLY' })
        assert.deepEqual(
          index.KeySchema.map(({ KeyType }) => KeyType),
          ['HASH', 'RANGE'],
        )
        return [index.IndexName, index.KeySchema.map(({ AttributeName }) => AttributeName)]
      })
      assert.deepEqual(Object.fromEntries(indexes), indexesOfDesign)
    })

    test('declares the attributes of its keys, each once, and no others', () => {
      // CreateTable refuses an attribute too many as it does one too few.
      const declared = creationOf(definition, 'any').AttributeDefinitions
      const used = new Set(['id', ...Object.values(indexesOfDesign).flat()])
      assert.deepEqual(new Set(declared.map(({ AttributeName }) => AttributeName)), used)
      assert.equal(declared.length, used.size)
      assert.ok(declared.every(({ AttributeType }) => AttributeType === 'S'))
    })
  })
}

suite('the template for CloudFormation', () => {
  test('makes the table that the command makes', () => {
    const { Resources } = JSON.parse(cloudFormation([TABLE]))

    assert.deepEqual(Object.keys(Resources), ['SentinelSessions'])
    const { Type, Properties, DeletionPolicy } = Resources.SentinelSessions
    assert.equal(Type, 'AWS::DynamoDB::Table')
    assert.equal(DeletionPolicy, 'Retain')
    assert.deepEqual(Properties, {
      ...creationOf(SESSIONS_TABLE, 'sentinel-sessions'),
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    })
  })

  test('names the tables apart', () => {
    const tables = DESIGN.map(([definition]) => ({ ...TABLE, definition }))
    const { Resources } = JSON.parse(cloudFormation(tables))
    assert.deepEqual(Object.keys(Resources), [
      'SentinelSessions',
      'SentinelRequests',
      'SentinelBreakGlass',
      'SentinelAnchors',
    ])
    assert.match(terraform(tables), /^resource "aws_dynamodb_table" "sentinel_break_glass" \{$/m)
  })

  test('names a key of KMS, but not the one that is the default', () => {
    const sse = (kmsKey: string) =>
      JSON.parse(cloudFormation([{ ...TABLE, kmsKey }])).Resources.SentinelSessions.Properties
        .SSESpecification
    assert.deepEqual(sse(KEY), { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY })
    assert.deepEqual(sse('alias/aws/dynamodb'), { SSEEnabled: true, SSEType: 'KMS' })
  })
})

suite('the template for Terraform', () => {
  test('has every attribute and index, TTL and recovery', () => {
    const text = terraform([TABLE])

    assert.match(text, /^resource "aws_dynamodb_table" "sentinel_sessions" \{$/m)
    assert.match(text, /^ {2}name {9}= "sentinel-sessions"$/m)
    assert.match(text, /^ {2}billing_mode = "PAY_PER_REQUEST"$/m)
    assert.match(text, /^ {2}hash_key {5}= "id"$/m)
    assert.deepEqual(
      blocks(text, 'attribute'),
      keyAttributes(SESSIONS_TABLE).map((name) => ({ name, type: 'S' })),
    )
    assert.deepEqual(
      blocks(text, 'global_secondary_index'),
      Object.entries(INDEXES).map(([name, [hash_key, range_key]]) => ({
        name,
        hash_key,
        range_key,
        projection_type: 'KEYS_ONLY',
      })),
    )
    assert.deepEqual(blocks(text, 'ttl'), [{ attribute_name: 'ttl', enabled: true }])
    assert.deepEqual(blocks(text, 'point_in_time_recovery'), [{ enabled: true }])
    assert.deepEqual(blocks(text, 'server_side_encryption'), [])
    assert.match(text, /^# For a provider of region eu-central-1\.$/m)
  })

  test('names a key of KMS, but not the one that is the default', () => {
    const sse = (kmsKey: string) =>
      blocks(terraform([{ ...TABLE, kmsKey }]), 'server_side_encryption')
    assert.deepEqual(sse(KEY), [{ enabled: true, kms_key_arn: KEY }])
    assert.deepEqual(sse('alias/aws/dynamodb'), [{ enabled: true }])
  })
})

/** The blocks of one name in a resource, as values. */
function blocks(text: string, name: string): Record<string, unknown>[] {
  return [...text.matchAll(new RegExp(`^ {2}${name} \\{\\n(.*?)^ {2}\\}$`, 'gms'))].map(
    ([, lines = '']) =>
      Object.fromEntries(
        [...lines.matchAll(/^ {4}(\w+) += (.*)$/gm)].map(([, key, value = '']) => [
          key,
          JSON.parse(value),
        ]),
      ),
  )
}
