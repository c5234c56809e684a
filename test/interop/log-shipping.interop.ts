import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { type Keys, MOTO_ACCOUNT, MOTO_REGION, type Moto, openMoto } from '../fixtures/moto.ts'
import { BINARY } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { openMotoScene, ROLE } from './moto-scene.ts'

const POLICY = `\
version: "1"
principal_accounts: ["${MOTO_ACCOUNT}"]
profiles: { prod: { role: "${ROLE}" } }
rules: [{ name: engineers, effect: allow, conditions: { profiles: [prod] } }]
`
const PARAMETER = '/sentinel/policies/shipped'
const OVERRIDE = '--allow-endpoint-override'

suite('shipping to the CloudWatch Logs of moto', { skip: missing('moto_server') }, () => {
  let moto: Moto
  let alice: Keys
  let logs: CloudWatchLogsClient
  before(async () => {
    moto = await openMoto()
    alice = await moto.createUser('alice')
    await moto.putParameter(PARAMETER, POLICY)
    const credentials = { accessKeyId: 'admin', secretAccessKey: 'admin' }
    logs = new CloudWatchLogsClient({ endpoint: moto.url, region: MOTO_REGION, credentials })
  })
  after(async () => {
    logs?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  /** What the stream holds, in its order. */
  const messagesIn = async (group: string) => {
    const names = { logGroupName: group, logStreamName: 'laptop', startFromHead: true }
    const { events = [] } = await logs.send(new GetLogEventsCommand(names))
    return events.map(({ message }) => message)
  }

  test('makes the stream, and puts every line of runs and of audit ship into it', async () => {
    const group = '/sentinel/made'
    await logs.send(new CreateLogGroupCommand({ logGroupName: group }))
    await using scene = await openMotoScene(moto, { base: alice })
    const env = { SENTINEL_LOG_SHIP: `cloudwatch:${group}/laptop`, SENTINEL_PROFILE: 'prod' }
    const gated = ['--policy-parameter', PARAMETER, OVERRIDE]

    const exported = await scene.run([BINARY, 'export', 'prod', ...gated], { env })
    const shipped = await scene.run([BINARY, 'audit', 'ship', OVERRIDE], { env })
    const run = await scene.run([BINARY, 'exec', 'prod', ...gated, '--', 'true'], { env })

    assert.equal(exported.status, 0, exported.stderr)
    assert.equal(shipped.status, 0, shipped.stderr)
    assert.equal(run.status, 0, run.stderr)
    const messages = await messagesIn(group)
    assert.equal(messages.length, 6)
    assert.deepEqual(
      messages.map((message) => JSON.parse(message ?? '')),
      scene.log(),
    )
  })

  test('says that the group is not there, and how to go on', async () => {
    await using scene = await openMotoScene(moto, { base: alice })
    const env = { SENTINEL_LOG_SHIP: 'cloudwatch:/no/such/group/laptop', SENTINEL_PROFILE: 'prod' }
    const gated = ['--policy-parameter', PARAMETER, OVERRIDE]
    await scene.run([BINARY, 'export', 'prod', ...gated], { env })

    const { status, stderr } = await scene.run([BINARY, 'audit', 'ship', OVERRIDE], { env })

    assert.equal(status, 6)
    assert.match(stderr, /^error: cloudwatch:.* did not take the log: ResourceNotFoundException$/m)
    assert.match(stderr, /^hint: make the log group \/no\/such\/group in this region/m)
  })
})
