import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { BREAK_GLASS_TABLE, REQUESTS_TABLE } from '../../src/stores/dynamodb/tables.ts'
import { type GrantHandles, modelGrants, WORKERS } from '../app/grants.model.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { breakGlassStoreOver, createTable, requestStoreOver } from '../fixtures/dynamodb-tables.ts'
import { type Answer, eventually, type Gateway } from '../fixtures/interop/gateway.ts'
import {
  asking,
  type GrantTables,
  openLocalGrantTables,
  openMotoGrantTables,
  requestIn,
} from '../fixtures/interop/grant-tables.ts'
import { openMoto } from '../fixtures/moto.ts'
import { scaled } from '../fixtures/random.ts'
import type { Result } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3, POLL } from './clients.ts'

const REASON = 'release was called off'
const OBEYED_WITHIN_MS = 5 * SECOND
/** What is read once a second or so may be that old, and a busy machine is slower. */
const LATE_MS = 2 * SECOND
const REFUSED = /rule "prod" requires approval/
const HINT = /^hint: .*ask bob for approval: sentinel request prod --justification WHY/m

const isLocalMissing = await missingDynamoDBLocal()

// The first test mostly waits, while the second keeps the machine busy.
suite('grants in DynamoDB Local', { skip: isLocalMissing, concurrency: 2 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('while the store is silent no grant is found, and a live one holds a minute', async () => {
    await using tables = await openLocalGrantTables(local)
    const { proxy } = tables
    await tables.approved()
    const gateway = await tables.serve()
    assert.equal((await gateway.ask()).status, 200)

    proxy.fail('silent')
    const silentAt = Date.now()
    const exec = await tables.as('alice', ['exec', 'prod', '--', 'echo', 'started'])
    const served = await askUntil(gateway, ({ status }) => status === 403, 70 * SECOND)

    assert.deepEqual([exec.status, exec.stdout], [3, ''])
    assert.match(exec.stderr, /^warning: grants cannot be looked up/m)
    assert.match(exec.stderr, HINT)
    const held = served.lastGoodAt - silentAt
    assert.ok(held > 45 * SECOND && held < MINUTE + LATE_MS, `held for ${held} ms`)
    assert.match(served.last.body.Message ?? '', REFUSED)
    proxy.heal()
    await eventually('a credential', async () => (await gateway.ask()).status === 200)
    const run = await gateway.end()
    assert.match(run.stderr, /^warning: grants cannot be looked up/m)
  })

  modelGrants('DynamoDB Local', () => openHandles(local), { sequences: scaled(1000) })
})

suite('approvals in DynamoDB Local', { skip: isLocalMissing, concurrency: 4 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('a server serves to the very end of its grant, and not after', async () => {
    await using tables = await openLocalGrantTables(local)
    const id = await tables.approved('20m')
    const { until } = await lifeOf(tables, id)
    const gateway = await tables.serve()
    const first = await gateway.ask()

    // Twenty minutes of a grant are over in five seconds.
    const age = until - Date.now() - 5 * SECOND
    await tables.age(id, age)
    const served = await askUntil(gateway, ({ status }) => status === 403, 30 * SECOND)
    const end = until - age
    const later = await Promise.all([0, 200, 400].map((ms) => sleep(ms).then(gateway.ask)))

    assert.ok(Date.parse(first.body.Expiration ?? '') <= until - 10 * SECOND)
    assert.ok(served.lastGoodAt >= end - LATE_MS, `${end - served.lastGoodAt} ms too early`)
    assert.ok(served.lastGoodAt < end, `${served.lastGoodAt - end} ms too late`)
    for (const { status } of later) assert.equal(status, 403)
    // The next one is found by the very same server.
    const next = await tables.approved()
    await eventually('a credential', async () => (await gateway.ask()).status === 200)
    const run = await gateway.end()
    assert.equal(run.status, 0, run.stderr)
    assert.deepEqual(grantsUsed(tables), [id, next])
  })

  test('a second grant keeps her in; without any she is out within 5 s, told why', async () => {
    await using tables = await openLocalGrantTables(local)
    const first = await tables.approved('1h')
    const gateway = await tables.serve()
    const second = await tables.approved('30m')
    const asking = gateway.keepAsking(10)

    await tables.told('bob', ['request', 'revoke', first, '--reason', REASON])
    await sleep(OBEYED_WITHIN_MS)
    const meanwhile = await asking.stop()
    await tables.told('bob', ['request', 'revoke', second, '--reason', REASON])
    const revokedAt = Date.now()
    const refused = await askUntil(gateway, ({ status }) => status === 403, 30 * SECOND)
    const third = await tables.approved('30m')
    await eventually('a credential', async () => (await gateway.ask()).status === 200)
    const run = await gateway.end()

    assert.deepEqual(new Set(meanwhile.map(({ status }) => status)), new Set([200]))
    assert.ok(refused.endedAt - revokedAt < OBEYED_WITHIN_MS, `${refused.endedAt - revokedAt} ms`)
    assert.match(refused.last.body.Message ?? '', REFUSED)
    assert.match(run.stderr, REFUSED)
    assert.ok(run.stderr.includes(REASON), run.stderr)
    assert.equal(run.status, 0, run.stderr)
    assert.deepEqual(grantsUsed(tables), [first, second, third])
  })

  const ofBoto3 = 'alice asks, bob approves, boto3 is served until bob takes it back'
  test(ofBoto3, { skip: missing(...BOTO3.needs) }, async () => {
    await using tables = await openLocalGrantTables(local)
    await playStory(tables)
  })

  const toTheEnd = 'boto3 is served to the end of the grant, and not after'
  test(toTheEnd, { skip: missing(...BOTO3.needs) }, async () => {
    await using tables = await openLocalGrantTables(local)
    const id = await tables.approved('20m')
    const { until } = await lifeOf(tables, id)
    const running = tables.start('alice', ['exec', '--server', 'prod', '--', ...POLL])
    await running.saw(/served/)

    const age = until - Date.now() - 5 * SECOND
    await tables.age(id, age)
    const run = await running.ended

    assert.equal(run.status, 0, run.stderr)
    const late = lastServedAt(run) - (until - age)
    assert.ok(Math.abs(late) < LATE_MS, `${late} ms after the end`)
    assert.match(run.stdout, /requires approval/)
  })

  test('a place that contradicts the policy is refused, with 5, whatever the command', async () => {
    await using tables = await openLocalGrantTables(local)
    const flags = ['--request-table', 'elsewhere']
    const before = tables.proxy.calls.length

    const results = await Promise.all([
      tables.as('alice', ['exec', 'prod', ...flags, '--', 'echo', 'started']),
      tables.as('alice', ['exec', '--server', 'prod', ...flags, '--', 'echo', 'started']),
      tables.as('alice', [...asking(), ...flags]),
      tables.as('bob', ['requests', ...flags]),
      tables.as('alice', ['export', 'prod'], { SENTINEL_REQUEST_STORE: 'local' }),
    ])

    for (const { status, stdout, stderr } of results) {
      assert.deepEqual([status, stdout], [5, ''], stderr)
      assert.match(stderr, /^error: .*dynamodb:eu-central-1:requests-/m)
    }
    assert.equal(tables.proxy.calls.length, before)
  })

  test('where no store is named, DynamoDB is asked nothing and the way is told', async () => {
    await using tables = await openLocalGrantTables(local, { namesNoStores: true })
    const before = tables.proxy.calls.length

    const asked = await tables.as('alice', asking())
    const exec = await tables.as('alice', ['exec', 'prod', '--', 'echo', 'started'])

    assert.equal(asked.status, 5, asked.stderr)
    assert.match(asked.stderr, /^hint: .*--request-table/m)
    assert.deepEqual([exec.status, exec.stdout], [3, ''])
    assert.match(exec.stderr, HINT)
    assert.equal(tables.proxy.calls.length, before)
  })
})

suite('approvals with moto for AWS', { skip: missing('moto_server', ...BOTO3.needs) }, () => {
  test('alice asks, bob approves, boto3 is served until bob takes it back', async () => {
    await using moto = await openMoto()
    await using tables = await openMotoGrantTables(moto)
    await playStory(tables)
  })
})

/** The story of approval from end to end, by what the binary says to people and programs. */
async function playStory(tables: GrantTables): Promise<void> {
  const refused = await tables.as('alice', ['exec', '--server', 'prod', '--', 'echo', 'started'])
  assert.deepEqual([refused.status, refused.stdout], [3, ''])
  assert.match(refused.stderr, HINT)

  const { id, status } = requestIn(await tables.told('alice', asking('30m')))
  assert.equal(status, 'pending')
  const self = await tables.as('alice', ['approve', String(id)])
  assert.deepEqual([self.status, self.stdout], [3, ''])
  const early = await tables.as('alice', ['exec', 'prod', '--', 'echo', 'started'])
  assert.deepEqual([early.status, early.stdout], [3, ''])
  const listed = await tables.as('bob', ['requests', '--to-approve', '--format', 'json'])
  assert.partialDeepStrictEqual(JSON.parse(listed.stdout), [{ id, requester: 'alice' }])
  const approved = await tables.told('bob', ['approve', String(id).slice(0, 8)])
  assert.equal(requestIn(approved).status, 'approved')

  const running = tables.start('alice', ['exec', '--server', 'prod', '--', ...POLL])
  await running.saw(/served/)
  const revoking = ['request', 'revoke', String(id), '--reason', REASON]
  assert.equal((await tables.told('bob', revoking)).outcome, 'revoked')
  const revokedAt = Date.now()
  const run = await running.ended

  const obeyed = lastServedAt(run) - revokedAt
  assert.ok(obeyed < OBEYED_WITHIN_MS, `${obeyed} ms`)
  assert.match(run.stdout, /rule .{1,2}prod.{1,2} requires approval/)
  assert.match(run.stderr, REFUSED)
  assert.ok(run.stderr.includes(REASON), run.stderr)
  const again = await tables.as('alice', ['exec', 'prod', '--', 'echo', 'started'])
  assert.deepEqual([again.status, again.stdout], [3, ''])
  const types = tables.scene.log().map(({ type }) => type)
  for (const type of ['request.created', 'request.approved', 'request.revoked']) {
    assert.ok(types.includes(type), `no ${type} among ${types}`)
  }
  assert.deepEqual(grantsUsed(tables), [id])
}

/** For each worker its own, over tables that no scene has. */
async function openHandles(local: DynamoDBLocal): Promise<readonly GrantHandles[]> {
  const client = local.client()
  await createTable(client, REQUESTS_TABLE, 'requests')
  await createTable(client, BREAK_GLASS_TABLE, 'breakglass')
  return Array.from({ length: WORKERS }, () => ({
    requests: requestStoreOver(client, 'requests'),
    breakGlass: breakGlassStoreOver(client, 'breakglass'),
  }))
}

/** Asks again and again, until an answer is one to stop at. */
async function askUntil({ ask }: Gateway, isLast: (answer: Answer) => boolean, withinMs: number) {
  let lastGoodAt = 0
  const start = Date.now()
  for (;;) {
    const askedAt = Date.now()
    const last = await ask()
    if (isLast(last)) return { last, lastGoodAt, endedAt: askedAt }
    if (last.status === 200) lastGoodAt = askedAt
    if (askedAt - start > withinMs) throw new Error(`still ${last.status} after ${withinMs} ms`)
    await sleep(100)
  }
}

async function lifeOf(tables: GrantTables, id: string): Promise<{ until: number }> {
  const { granted_until } = await tables.told('bob', ['request', 'show', id])
  const until = Date.parse(String(granted_until))
  assert.ok(until > Date.now() && until < Date.now() + HOUR)
  return { until }
}

/** The grants that credentials were minted on, in order. */
function grantsUsed({ scene }: GrantTables): unknown[] {
  const used = scene.log().filter(({ basis }) => basis === 'approval')
  return [...new Set(used.map(({ grant_id }) => grant_id))]
}

/** When {@link POLL} was last served. */
function lastServedAt({ stdout }: Result): number {
  return Number(stdout.match(/(?<=served )\d+/g)?.at(-1))
}
