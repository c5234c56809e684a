import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLES } from '../../src/demo/world.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { FAULTS, type Fault } from '../fixtures/fault-proxy.ts'
import { type Answer, eventually, type Gateway } from '../fixtures/interop/gateway.ts'
import { openSessionScene, type Row, type SessionScene } from '../fixtures/interop/session-scene.ts'

// DDB-1 of the acceptance list but for the latencies, which are a benchmark; and the outage rule.

/** Requests a second. */
const PACE = 50
/** Long enough for three looks, and for a write to be given up. */
const OUTAGE_MS = 6500
/** A failing store is asked ever more seldom, after such an outage every 8 s. */
const HEALS_WITHIN_MS = 40_000

const NOT_RECORDED = /is not being recorded/g
const ENDED: Row = { status: 'expired', end_reason: 'command ended with status 0' }

const GRACE_MS = 10_000
/** How old the last verdict may have been when the outage began. */
const VERDICT_MS = 2500
const SHORT_GRACE = { SENTINEL_SESSION_GRACE: '10s' }
const SHORT_OUTAGE = { ...SHORT_GRACE, SENTINEL_SESSION_OUTAGE_MAX: '1m' }

const requiring = (location: string) => `\
version: "1"
principal_accounts: ["111122223333"]
profiles: { dev: { role: "${ROLES.dev}" } }
stores: { sessions: "${location}" }
rules:
  - name: tracked
    effect: require_server_session
    conditions: { profiles: [dev] }
`

const isLocalMissing = await missingDynamoDBLocal()

suite('a session whose table fails', { skip: isLocalMissing, concurrency: 8 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  // First, since it takes longest.
  test('is served through the grace and session_outage_max, then refused, until it heals', async () => {
    await using sessions = await openSessionScene(local)
    const flags = ['--lazy', '--session-table', sessions.table]
    const gateway = await sessions.serve(flags, SHORT_OUTAGE)
    await eventually('the record', () => sessions.row(gateway.id))

    const outage = blackhole(sessions)
    await sleep(GRACE_MS + 2000)
    const first = await gateway.ask()
    const refusedAfterMs = await outage.refuses(gateway, 90_000)
    sessions.proxy.heal()
    await isServed(gateway)
    const run = await gateway.end()

    assert.equal(first.status, 200)
    const issued = sessions.scene.log().filter(({ type }) => type === 'issued')
    assert.equal(issued[0]?.stale_session, true)
    assert.ok(refusedAfterMs > GRACE_MS + 60_000 - VERDICT_MS, `${refusedAfterMs} ms`)
    assert.equal(run.stderr.split('credentials are still issued for up to 1m').length - 1, 1)
    assert.match(run.stderr, /answers again/)
    assert.partialDeepStrictEqual(await sessions.row(gateway.id), ENDED)
  })

  for (const [fault, what] of Object.entries(FAULTS) as [Fault, string][]) {
    test(`is served throughout, and counted to the last credential: ${what}`, async () => {
      await using sessions = await openSessionScene(local)
      const { proxy } = sessions
      const gateway = await openTracked(sessions)
      const asking = gateway.keepAsking(PACE)
      await eventually('a count', async () =>
        Number((await rowOf(sessions, gateway)).request_count),
      )

      proxy.fail(fault)
      await sleep(OUTAGE_MS)
      proxy.heal()
      await eventually('a write that succeeds', async () => hasWritten(sessions), HEALS_WITHIN_MS)
      const answers = await asking.stop()
      const run = await gateway.end()

      assert.equal(run.status, 0, run.stderr)
      const met = new Set(proxy.calls.flatMap((call) => (call.fault ? [call.operation] : [])))
      assert.deepEqual(met, new Set(['BatchGetItem', 'UpdateItem']))
      assertServed(answers)
      const counted = { ...ENDED, request_count: String(answers.length) }
      assert.partialDeepStrictEqual(await rowOf(sessions, gateway), counted)
      assert.equal(run.stderr.match(NOT_RECORDED)?.length, 1, run.stderr)
      assert.match(run.stderr, /answers again/)
    })
  }

  test('is served though its table is never there, and ends as its command does', async () => {
    await using sessions = await openSessionScene(local)
    sessions.proxy.fail('reset')

    const gateway = await sessions.serve()
    const answers = await askFor(gateway, OUTAGE_MS)
    const run = await gateway.end()

    assert.equal(run.status, 0, run.stderr)
    assertServed(answers)
    assert.equal(run.stderr.match(NOT_RECORDED)?.length, 1, run.stderr)
    assert.equal(await sessions.row(gateway.id), undefined)
  })

  test('is created though the answer was lost, and nobody hears of it', async () => {
    await using sessions = await openSessionScene(local)
    sessions.proxy.fail('lost', { operation: 'PutItem', times: 1 })

    const gateway = await sessions.serve()
    await eventually('a second try', async () => sessions.proxy.count('PutItem') === 2)
    const answers = await askFor(gateway, 500)
    const run = await gateway.end()

    assertServed(answers)
    assert.doesNotMatch(run.stderr, /session/)
    const counted = { ...ENDED, request_count: String(answers.length) }
    assert.partialDeepStrictEqual(await rowOf(sessions, gateway), counted)
  })

  test('is created though no answer came in time, and is the same session', async () => {
    await using sessions = await openSessionScene(local)
    sessions.proxy.fail('withheld', { operation: 'PutItem', times: 1 })

    const gateway = await sessions.serve()
    await eventually('a second try', async () => sessions.proxy.count('PutItem') === 2)
    const answers = await askFor(gateway, 500)
    const run = await gateway.end()

    assert.equal(run.status, 0, run.stderr)
    assertServed(answers)
    assert.match(run.stderr, /answers again/)
    const counted = { ...ENDED, request_count: String(answers.length) }
    assert.partialDeepStrictEqual(await rowOf(sessions, gateway), counted)
  })

  test('is created under require_server_session though the answer was lost', async () => {
    await using sessions = await openSessionScene(local, requiring)
    sessions.proxy.fail('lost', { operation: 'PutItem', times: 1 })

    const gateway = await sessions.serve([])
    const answer = await gateway.ask()
    await gateway.end()

    assert.equal(answer.status, 200)
    assert.partialDeepStrictEqual(await rowOf(sessions, gateway), { ...ENDED, request_count: '1' })
  })

  for (const fault of ['withheld', 'silent'] as const) {
    test(`is ended though its creation is still pending: ${FAULTS[fault]}`, async () => {
      await using sessions = await openSessionScene(local)
      sessions.proxy.fail(fault, { operation: 'PutItem', times: 1 })

      const gateway = await sessions.serve()
      const answer = await gateway.ask()
      await eventually('a try', async () => sessions.proxy.count('PutItem') === 1)
      await gateway.end()

      assert.equal(answer.status, 200)
      const row = await rowOf(sessions, gateway)
      assert.partialDeepStrictEqual(row, { ...ENDED, request_count: '1' })
      assert.equal(row.live, undefined)
    })
  }

  test('is refused after the grace under session_outage: deny, until it heals', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions, { ...SHORT_GRACE, SENTINEL_SESSION_OUTAGE: 'deny' })

    const refusedAfterMs = await blackhole(sessions).refuses(gateway, 2 * GRACE_MS)
    sessions.proxy.heal()
    await isServed(gateway)
    await gateway.end()

    assert.ok(refusedAfterMs > GRACE_MS - VERDICT_MS, `${refusedAfterMs} ms`)
  })

  test('is refused after the grace under require_server_session, until it heals', async () => {
    await using sessions = await openSessionScene(local, requiring)
    const gateway = await sessions.serve([], SHORT_GRACE)

    const refusedAfterMs = await blackhole(sessions).refuses(gateway, 2 * GRACE_MS)
    sessions.proxy.heal()
    await isServed(gateway)
    await gateway.end()

    assert.ok(refusedAfterMs > GRACE_MS - VERDICT_MS, `${refusedAfterMs} ms`)
  })

  test('starts nothing without a first verdict under session_outage: deny', async () => {
    await using sessions = await openSessionScene(local)
    sessions.proxy.fail('silent')

    const run = await sessions.scene.sentinel(
      ['exec', '--server', 'dev', '--session-table', sessions.table, '--', 'echo', 'started'],
      { env: { ...sessions.env, SENTINEL_SESSION_OUTAGE: 'deny' } },
    )

    assert.equal(run.status, 6, run.stderr)
    assert.equal(run.stdout, '')
    assert.equal(sessions.scene.answered('AssumeRole'), 0)
  })
})

/** A gateway whose record is there. */
async function openTracked(
  sessions: SessionScene,
  env: Readonly<Record<string, string>> = {},
): Promise<Gateway> {
  const gateway = await sessions.serve(['--session-table', sessions.table], env)
  await eventually('the record', () => sessions.row(gateway.id))
  return gateway
}

async function rowOf({ row }: SessionScene, { id }: Gateway): Promise<Row> {
  return (await row(id)) ?? assert.fail(`no row ${id}`)
}

function hasWritten({ proxy: { calls } }: SessionScene): boolean {
  const last = calls.findLast(({ operation }) => operation === 'UpdateItem')
  return last?.fault === undefined && last?.units !== undefined
}

async function askFor(gateway: Gateway, milliseconds: number): Promise<readonly Answer[]> {
  const asking = gateway.keepAsking(PACE)
  await sleep(milliseconds)
  return asking.stop()
}

function assertServed(answers: readonly Answer[]): void {
  assert.ok(answers.length > 0)
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
}

/** Blackholes the table, and measures from then on. */
function blackhole({ proxy }: SessionScene) {
  proxy.fail('silent')
  const start = performance.now()
  return {
    /** Waits for the first refusal; how long that took in all. */
    async refuses(gateway: Gateway, withinMs: number): Promise<number> {
      const find = async () => {
        const answer = await gateway.ask()
        return answer.status !== 200 && answer
      }
      const { status, body } = await eventually('a refusal', find, withinMs)
      assert.equal(status, 503)
      assert.partialDeepStrictEqual(body, {
        Code: 'StoreUnavailable',
        Message: 'the session cannot be verified at the moment',
      })
      return performance.now() - start
    },
  }
}

async function isServed(gateway: Gateway): Promise<void> {
  await eventually('a credential', async () => (await gateway.ask()).status === 200)
}
