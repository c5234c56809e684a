import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import {
  ANCHORS_TABLE,
  BREAK_GLASS_TABLE,
  creationOf,
  REQUESTS_TABLE,
  SESSIONS_TABLE,
} from '../../src/stores/dynamodb/tables.ts'
import { missingDynamoDBLocal, openDynamoDBLocal } from '../fixtures/dynamodb-local.ts'
import { openMoto } from '../fixtures/moto.ts'
import { BINARY, openScene, type Scene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'

const REGION = 'eu-central-1'
const SCRIPT = '/usr/bin/script'
const DEFINITIONS = [SESSIONS_TABLE, REQUESTS_TABLE, BREAK_GLASS_TABLE]

const BACKENDS = {
  moto: { open: openMoto, hasRecovery: true, skip: missing('moto_server') },
  'DynamoDB Local': {
    open: openDynamoDBLocal,
    hasRecovery: false,
    skip: await missingDynamoDBLocal(),
  },
}

for (const [name, { open, hasRecovery, skip }] of Object.entries(BACKENDS)) {
  suite(`init tables with ${name}`, { skip, concurrency: 2 }, () => {
    let backend: AsyncDisposable & { readonly url: string }
    let client: DynamoDBClient
    before(async () => {
      backend = await open()
      client = new DynamoDBClient({ endpoint: backend.url, region: REGION, credentials: KEYS })
    })
    after(async () => {
      client?.destroy()
      await backend?.[Symbol.asyncDispose]()
    })

    const init = (scene: Scene, ...flags: readonly string[]) =>
      scene.sentinel(['init', 'tables', '--aws-profile', 'base', ...flags], {
        env: { AWS_ENDPOINT_URL: backend.url, SENTINEL_POLICY: undefined },
      })
    const make = (scene: Scene, table: string, ...flags: readonly string[]) =>
      init(scene, '--session-table', table, '--yes', ...flags)

    test('creates the table, with all that it needs, ready to be used', async () => {
      await using scene = await openOne()

      const { status, stdout, stderr } = await make(scene, 'made')

      assert.equal(status, 0, stderr)
      assert.match(stdout, /^dynamodb:eu-central-1:made: created$/m)
      assert.match(stderr, /^note: .*`sessions: dynamodb:eu-central-1:made`$/m)
      const { Table } = await client.send(new DescribeTableCommand({ TableName: 'made' }))
      assert.equal(Table?.TableStatus, 'ACTIVE')
      assert.equal(Table.BillingModeSummary?.BillingMode, 'PAY_PER_REQUEST')
      const expected = creationOf(SESSIONS_TABLE, 'made')
      assert.deepEqual(Table.KeySchema, expected.KeySchema)
      assert.deepEqual(
        shapes(Table.GlobalSecondaryIndexes),
        shapes(expected.GlobalSecondaryIndexes),
      )
      const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: 'made' }))
      assert.equal(ttl.TimeToLiveDescription?.AttributeName, 'ttl')
      if (hasRecovery) {
        assert.match(stdout, /point-in-time: turned on$/m)
        assert.equal(await recoveryOf(client, 'made'), 'ENABLED')
      } else {
        assert.match(stderr, /^warning: made has no point-in-time recovery: what answers does not/m)
      }
    })

    test('creates the tables of all kinds when no flag names one', async () => {
      await using scene = await openOne()

      const { status, stdout, stderr } = await init(scene, '--yes', '--output', 'json')

      assert.equal(status, 0, stderr)
      const made: { name: string; outcome: string }[] = JSON.parse(stdout).tables
      assert.deepEqual(
        made.map(({ name, outcome }) => [name, outcome]),
        DEFINITIONS.map(({ defaultName }) => [defaultName, 'created']),
      )
      for (const definition of DEFINITIONS) {
        const TableName = definition.defaultName
        const { Table } = await client.send(new DescribeTableCommand({ TableName }))
        const expected = creationOf(definition, TableName)
        assert.deepEqual(
          shapes(Table?.GlobalSecondaryIndexes),
          shapes(expected.GlobalSecondaryIndexes),
        )
        assert.match(stderr, new RegExp(`^note: .*\`${definition.kind}: .*:${TableName}\`$`, 'm'))
      }
      const again = await init(scene, '--yes')
      assert.equal(again.stdout.match(/: existed already$/gm)?.length, 3, again.stderr)
    })

    test('creates a table of anchors that is named, and says where to name it', async () => {
      await using scene = await openOne()

      const { status, stderr } = await init(scene, '--anchor-table', 'heads', '--yes')

      assert.equal(status, 0, stderr)
      assert.match(stderr, /^note: .*in the settings: `log_anchor: dynamodb:eu-.*:heads`$/m)
      const { Table } = await client.send(new DescribeTableCommand({ TableName: 'heads' }))
      const expected = creationOf(ANCHORS_TABLE, 'heads')
      assert.deepEqual(
        shapes(Table?.GlobalSecondaryIndexes),
        shapes(expected.GlobalSecondaryIndexes),
      )
    })

    test('says what existed already, and changes nothing the second time', async () => {
      await using scene = await openOne()
      await make(scene, 'twice')

      const { status, stdout, stderr } = await make(scene, 'twice', '--output', 'json')

      assert.equal(status, 0, stderr)
      assert.partialDeepStrictEqual(JSON.parse(stdout).tables, [
        {
          location: 'dynamodb:eu-central-1:twice',
          outcome: 'existed',
          ttl: 'was on',
          point_in_time_recovery: hasRecovery ? 'was on' : 'unknown',
          encryption: 'a key of AWS',
        },
      ])
    })

    test('goes on where an earlier run was interrupted', async () => {
      await using scene = await openOne()
      await client.send(new CreateTableCommand(creationOf(SESSIONS_TABLE, 'half-made')))

      const { status, stdout, stderr } = await make(scene, 'half-made')

      assert.equal(status, 0, stderr)
      assert.match(stdout, /half-made: existed already$/m)
      assert.match(stdout, /TTL on ttl: turned on$/m)
    })

    const misfits: Record<string, [(table: CreateTableCommandInput) => object, RegExp, RegExp]> = {
      'a missing index': [
        ({ GlobalSecondaryIndexes = [], ...rest }) =>
          used({
            ...rest,
            GlobalSecondaryIndexes: GlobalSecondaryIndexes.filter(isNot('gsi-live')),
          }),
        /cannot keep sessions: it has no index gsi-live$/m,
        /^hint: add it with: aws dynamodb update-table .*"IndexName":"gsi-live"/m,
      ],
      'another key': [
        ({ GlobalSecondaryIndexes, ...rest }) =>
          used({ ...rest, KeySchema: [{ AttributeName: 'user', KeyType: 'HASH' }] }),
        /: its key is user \(S\), not id \(S\)$/m,
        /^hint: name another table with --session-table$/m,
      ],
      'an index that holds everything': [
        ({ GlobalSecondaryIndexes = [], ...rest }) => ({
          ...rest,
          GlobalSecondaryIndexes: GlobalSecondaryIndexes.map((index) => ({
            ...index,
            ...(index.IndexName === 'gsi-day' && { Projection: { ProjectionType: 'ALL' } }),
          })),
        }),
        /: index gsi-day holds ALL, not KEYS_ONLY$/m,
        /^hint: delete gsi-day /m,
      ],
    }
    for (const [index, [what, [spoil, message, hint]]] of Object.entries(misfits).entries()) {
      test(`tells a table with ${what} apart, and leaves it as it is`, async () => {
        await using scene = await openOne()
        const table = `misfit-${index}`
        const spoilt = spoil(creationOf(SESSIONS_TABLE, table)) as CreateTableCommandInput
        await client.send(new CreateTableCommand(spoilt))

        const { status, stdout, stderr } = await make(scene, table)

        assert.equal(status, 5, stderr)
        assert.equal(stdout, '')
        assert.match(stderr, message)
        assert.match(stderr, hint)
        const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: table }))
        assert.equal(ttl.TimeToLiveDescription?.TimeToLiveStatus, 'DISABLED')
      })
    }

    test('names a command that adds the missing index', { skip: missing('aws') }, async () => {
      await using scene = await openOne()
      const { GlobalSecondaryIndexes, ...rest } = creationOf(SESSIONS_TABLE, 'mended')
      const indexes = GlobalSecondaryIndexes.filter(isNot('gsi-live'))
      const incomplete = used({ ...rest, GlobalSecondaryIndexes: indexes })
      await client.send(new CreateTableCommand(incomplete))
      const [, command = ''] = /add it with: (.*); then/.exec((await make(scene, 'mended')).stderr)!

      const env = { AWS_ENDPOINT_URL: backend.url, AWS_PROFILE: 'base' }
      const added = await scene.run(['sh', '-c', command], { env })
      const { status, stdout, stderr } = await make(scene, 'mended')

      assert.equal(added.status, 0, added.stderr)
      assert.equal(status, 0, stderr)
      assert.match(stdout, /mended: existed already$/m)
    })

    test('tells a table apart whose rows expire by another attribute', async () => {
      await using scene = await openOne()
      const TableName = 'expires-otherwise'
      await client.send(new CreateTableCommand(creationOf(SESSIONS_TABLE, TableName)))
      const TimeToLiveSpecification = { Enabled: true, AttributeName: 'gone_at' }
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
      const { status, stderr } = await make(scene, TableName)
      assert.equal(status, 5)
      assert.match(stderr, /cleans its rows up by gone_at, not by ttl$/m)
    })

    test('uses a key of KMS when told to, or says that there is none', async () => {
      await using scene = await openOne()
      const { status, stdout, stderr } = await make(
        scene,
        'kms',
        ...['--kms-key', 'alias/aws/dynamodb'],
      )
      assert.equal(status, 0, stderr)
      if (hasRecovery) assert.match(stdout, /encryption +a key of KMS$/m)
      else assert.match(stderr, /^warning: kms has no encryption with a key of KMS/m)
    })

    const terminal = { skip: !existsSync(SCRIPT) && 'needs script of util-linux' }
    for (const [answer, status] of [
      ['y\r', 0],
      ['\r', 130],
    ] as const) {
      test(
        `asks on the terminal, and ${status ? 'Enter is a no' : 'y is a yes'}`,
        terminal,
        async () => {
          await using scene = await openOne()
          const table = `asked-${status}`
          const words = [BINARY, '--allow-endpoint-override', 'init', 'tables']
          const line = [...words, '--aws-profile', 'base', '--session-table', table].join(' ')
          const running = scene.launch([SCRIPT, '-qfec', line, '/dev/null'], {
            env: { AWS_ENDPOINT_URL: backend.url, SENTINEL_POLICY: undefined },
          })
          await running.saw(new RegExp(`Create dynamodb:eu-central-1:${table}`))
          running.process.stdin?.write(answer)

          assert.equal((await running.ended).status, status)
          const found = client.send(new DescribeTableCommand({ TableName: table }))
          if (status === 0) assert.ok((await found).Table)
          else await assert.rejects(found, { name: 'ResourceNotFoundException' })
        },
      )
    }
  })
}

const KEYS = { accessKeyId: 'AKIAINITTABLES000000', secretAccessKey: 'init-tables' }

function openOne(): Promise<Scene> {
  return openScene({
    config: `[profile base]\nregion = ${REGION}\n`,
    credentials: `[base]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\n`,
  })
}

async function recoveryOf(client: DynamoDBClient, TableName: string) {
  const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName }))
  return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription
    ?.PointInTimeRecoveryStatus
}

interface Shape {
  readonly IndexName?: string | undefined
  readonly KeySchema?: unknown
  readonly Projection?: { readonly ProjectionType?: string | undefined } | undefined
}

function shapes(indexes: readonly Shape[] = []) {
  return indexes
    .map(({ IndexName = '', KeySchema, Projection }) => [
      IndexName,
      KeySchema,
      Projection?.ProjectionType,
    ])
    .toSorted(([one = ''], [other = '']) => String(one).localeCompare(String(other)))
}

function isNot(name: string) {
  return ({ IndexName }: { IndexName?: string | undefined }) => IndexName !== name
}

/** The same, with the attributes that its keys still need. */
function used(table: CreateTableCommandInput): CreateTableCommandInput {
  const schemas = [table, ...(table.GlobalSecondaryIndexes ?? [])].flatMap(
    ({ KeySchema = [] }) => KeySchema,
  )
  const names = new Set(schemas.map(({ AttributeName }) => AttributeName))
  return {
    ...table,
    AttributeDefinitions: table.AttributeDefinitions?.filter(({ AttributeName }) =>
      names.has(AttributeName),
    ),
  }
}
