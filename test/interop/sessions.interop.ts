import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ROLES } from '../../src/demo/world.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { createSessionsTable } from '../fixtures/dynamodb-tables.ts'
import { type Answer, eventually } from '../fixtures/interop/gateway.ts'
import { openSessionScene } from '../fixtures/interop/session-scene.ts'
import { MOTO_REGION, openMoto } from '../fixtures/moto.ts'
import { BINARY, type Result, type Running } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3 } from './clients.ts'
import { openMotoScene, ROLE } from './moto-scene.ts'

const CALLS = 200
const PARAMETER = '/interop/parameter'
/** Runs its arguments, says so, and waits until its input ends. */
const THEN_WAIT = ['sh', '-c', '"$@"; echo "over in $SENTINEL_ACTIVE"; cat', 'sh']
const TWO_HUNDRED = [...THEN_WAIT, ...BOTO3.command, String(CALLS), PARAMETER]

const isLocalMissing = await missingDynamoDBLocal()

/** What a session's life is seen through: the server's process, and another that asks of it. */
interface Watched {
  readonly running: Running
  session(...words: readonly string[]): Promise<Result>
}

suite('sessions in DynamoDB Local', { skip: isLocalMissing, concurrency: 6 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  // First, since it takes longest.
  test('an idle server renews its lease and counts nothing', async () => {
    await using sessions = await openSessionScene(local)
    const { id, end } = await sessions.serve()
    const first = await eventually('the record', () => sessions.row(id))

    const renewed = await eventually(
      'a later lease',
      async () => {
        const row = await sessions.row(id)
        return row?.lease_until !== first.lease_until && row
      },
      60 * SECOND,
    )

    const byMs = Date.parse(renewed?.lease_until ?? '') - Date.parse(first.lease_until ?? '')
    assert.ok(byMs > 20 * SECOND, `${byMs} ms`)
    assert.equal(renewed?.request_count, '0')
    assert.equal((await sessions.show(id)).shown_status, 'active')
    await end()
  })

  test('10,000 credentials in 10 s cost a handful of writes of one unit', async () => {
    await using sessions = await openSessionScene(local)
    const { proxy } = sessions
    const gateway = await sessions.serve()
    await eventually('the record', () => sessions.row(gateway.id))

    const start = performance.now()
    const answers: Answer[] = []
    for (let tenth = 0; tenth < 100; tenth += 1) {
      const hundred = Promise.all(Array.from({ length: 100 }, () => gateway.ask()))
      await sleep(100)
      answers.push(...(await hundred))
    }
    const seconds = (performance.now() - start) / SECOND
    await gateway.end()

    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    const writes = proxy.calls.filter(({ operation }) => operation === 'UpdateItem')
    const [end, ...touches] = writes.toReversed()
    assert.ok(touches.length >= 2 && touches.length <= 2 + seconds / 5, `${touches.length} writes`)
    for (const { units } of touches) assert.deepEqual(units, { table: 1 })
    // The end takes the session off an index: that it shows means that indexes would.
    assert.deepEqual(Object.keys(end?.units ?? {}).toSorted(), ['gsi-live', 'table'])
    assert.partialDeepStrictEqual(await sessions.row(gateway.id), {
      request_count: '10000',
      status: 'expired',
    })
  })

  const ofBoto3 = `${CALLS} calls of boto3 are counted, and the session has expired right after`
  test(ofBoto3, { skip: missing(...BOTO3.needs) }, async () => {
    await using sessions = await openSessionScene(local)
    const { scene, table, env, session } = sessions
    const OF_THE_ROLE = { region: 'eu-central-1', account: '777788889999' }
    scene.aws.putParameter(PARAMETER, 'value', OF_THE_ROLE)

    const words = ['exec', '--server', 'dev', '--session-table', table, '--', ...TWO_HUNDRED]
    const running = scene.start(words, { env })

    await assertLife({ running, session }, { user: 'alice', profile: 'dev', role_arn: ROLES.dev })
  })

  test('a server killed with SIGKILL is stale after its lease, then expired', async () => {
    await using sessions = await openSessionScene(local)
    const { id, running, ask } = await sessions.serve()
    await ask()
    await eventually('the count', async () => (await sessions.row(id))?.request_count === '1')
    const statusAt = async (lease: number, expires: number) => {
      const at = { lease_until: timestamp(lease), expires_at: timestamp(expires) }
      await sessions.change(id, at)
      return (await sessions.show(id)).shown_status
    }

    running.process.kill('SIGKILL')
    await running.ended

    const row = await sessions.row(id)
    assert.ok(Date.parse(row?.lease_until ?? '') <= Date.now() + 3 * MINUTE)
    assert.equal((await sessions.show(id)).shown_status, 'active')
    assert.equal(await statusAt(-SECOND, 10 * MINUTE), 'stale')
    assert.equal(await statusAt(-SECOND, -SECOND), 'expired')
    // With the reader's clock off by two minutes either way, as its AWS tells it.
    sessions.proxy.shiftClock(2 * MINUTE)
    assert.equal(await statusAt(MINUTE, 10 * MINUTE), 'stale')
    assert.equal(await statusAt(3 * MINUTE, 10 * MINUTE), 'active')
    sessions.proxy.shiftClock(-2 * MINUTE)
    assert.equal(await statusAt(-3 * MINUTE, 10 * MINUTE), 'stale')
    assert.equal(await statusAt(-MINUTE, 10 * MINUTE), 'active')
    const listed = await sessions.session('list', '--format', 'json', '--status', 'active')
    assert.deepEqual(idsIn(listed), [id])
  })

  test('where nobody names a store, none is made and DynamoDB is asked nothing', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await sessions.serve([])

    const answer = await gateway.ask()
    const others = await Promise.all([
      sessions.sentinel('exec', 'dev', '--', 'true'),
      sessions.sentinel('credentials', '--profile', 'dev'),
      sessions.sentinel('export', 'dev'),
    ])
    const run = await gateway.end()

    assert.equal(answer.status, 200)
    assert.deepEqual(
      [run, ...others].map(({ status }) => status),
      [0, 0, 0, 0],
    )
    assert.deepEqual(sessions.proxy.calls, [])
    const state = join(sessions.scene.home, '.local/state/sentinel')
    assert.deepEqual(
      readdirSync(state).filter((name) => !name.startsWith('decisions.jsonl')),
      [],
    )
    assert.ok(sessions.scene.log().every((record) => !('session_id' in record)))
  })
})

const withMoto = missing('moto_server', ...BOTO3.needs)
suite('sessions with moto for AWS', { skip: withMoto }, () => {
  test(`${CALLS} calls of boto3 are counted, and the session has expired right after`, async () => {
    await using moto = await openMoto()
    const base = await moto.createUser('alice')
    await moto.putParameter(PARAMETER, 'value')
    await moto.putParameter('/policy', POLICY)
    const client = new DynamoDBClient({
      endpoint: moto.url,
      region: MOTO_REGION,
      credentials: base,
    })
    await createSessionsTable(client, 'sessions')
    client.destroy()
    await using scene = await openMotoScene(moto, { base })
    const flags = ['--allow-endpoint-override', '--session-table', 'sessions']
    const launch = (...words: readonly string[]) => scene.launch([BINARY, ...words])

    const running = launch(
      ...['exec', '--server', 'prod', '--policy-parameter', '/policy', ...flags],
      ...['--', ...TWO_HUNDRED],
    )
    const session = (...words: readonly string[]) =>
      launch('session', ...words, '--aws-profile', 'base', ...flags).ended

    await assertLife({ running, session }, { user: 'alice', profile: 'prod', role_arn: ROLE })
  })
})

const POLICY = `\
version: "1"
profiles: { prod: { role: "${ROLE}" } }
rules: [{ name: engineers, effect: allow, conditions: { profiles: [prod] } }]
`

/** Another process sees the session while it lasts and, as soon as it is over, all of its count. */
async function assertLife(
  { running, session }: Watched,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const [, id = ''] = await running.saw(/over in (\w+)/)
  const listed = await session('list', '--format', 'json')
  running.process.stdin?.end()
  const run = await running.ended
  const shown = await session('show', id.slice(0, 8), '--output', 'json')
  const live = await session('list', '--format', 'json')

  assert.equal(run.status, 0, run.stdout + run.stderr)
  assert.equal(listed.status, 0, listed.stderr)
  const expected = { id, shown_status: 'active', pid: running.process.pid, ...facts }
  assert.partialDeepStrictEqual(JSON.parse(listed.stdout), [expected])
  const [line = ''] = /^\{.*"gateway".*\}$/m.exec(run.stdout) ?? []
  const { gateway } = JSON.parse(line) as { gateway: [status: number, seconds: number][] }
  // What makes it worth a test: boto3 asks on every call while less than 15 minutes are left.
  assert.ok(gateway.length >= CALLS, `${gateway.length} requests`)
  assert.ok(gateway.every(([status]) => status === 200))
  assert.partialDeepStrictEqual(JSON.parse(shown.stdout), {
    shown_status: 'expired',
    request_count: gateway.length,
    end_reason: 'command ended with status 0',
    ...facts,
  })
  assert.deepEqual(idsIn(live), [])
}

function idsIn({ status, stdout, stderr }: Result): string[] {
  assert.equal(status, 0, stderr)
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)
}

function timestamp(fromNow: number): string {
  return new Date(Date.now() + fromNow).toISOString()
}
