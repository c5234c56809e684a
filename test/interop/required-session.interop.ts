import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import { SECOND } from '../../src/domain/time.ts'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { openSessionScene, type SessionScene } from '../fixtures/interop/session-scene.ts'
import type { Result } from '../fixtures/scene.ts'

/** The start waits 5 s for the record; the rest is a busy machine's. */
const FAILS_WITHIN_MS = 15 * SECOND

const requiring = (stores: string) => `\
version: "1"
principal_accounts: ["111122223333"]
profiles: { dev: { role: "${ROLES.dev}" } }
${stores}
rules:
  - name: tracked
    effect: require_server_session
    conditions: { profiles: [dev] }
`
const naming = (location: string) => requiring(`stores: { sessions: "${location}" }`)
const namingNone = () => requiring('')

/** How a server is asked to be tracked, and how that ends; 0: it is served. */
type Case = readonly [what: string, flags: (sessions: SessionScene) => string[], exit: 0 | 3 | 5]

const sqlite = ({ scene }: SessionScene) => `sqlite:${join(scene.home, 'sessions.db')}`

const WITH_A_STORE: readonly Case[] = [
  ['nothing else', () => [], 0],
  ['the same table', ({ table }) => ['--session-table', table], 0],
  ['another table', ({ table }) => ['--session-table', `${table}-other`], 5],
  ['memory:', () => ['--session-store', 'memory:'], 5],
  ['sqlite:', (sessions) => ['--session-store', sqlite(sessions)], 5],
]
const WITHOUT_A_STORE: readonly Case[] = [
  ['nothing', () => [], 3],
  ['a table', ({ table }) => ['--session-table', table], 0],
  ['memory:', () => ['--session-store', 'memory:'], 3],
  ['sqlite:', (sessions) => ['--session-store', sqlite(sessions)], 3],
]

const isLocalMissing = await missingDynamoDBLocal()

suite('require_server_session', { skip: isLocalMissing, concurrency: 4 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  for (const [policy, policyFor, cases] of [
    ['names a table', naming, WITH_A_STORE],
    ['names no store', namingNone, WITHOUT_A_STORE],
  ] as const) {
    for (const [what, flags, exit] of cases) {
      const verb = exit === 0 ? 'takes' : 'does not take'
      test(`${verb} ${what} where the policy ${policy}`, async () => {
        await using sessions = await openSessionScene(local, policyFor)

        const run = await start(sessions, ...flags(sessions))

        if (exit === 0) assertStarted(run)
        else assertNothingIssued(run, sessions, exit)
      })
    }
  }

  test('does not take a run without a server', async () => {
    await using sessions = await openSessionScene(local, naming)

    const run = await sessions.sentinel('exec', 'dev', '--', 'echo', 'started')

    assertNothingIssued(run, sessions, 3)
    assert.match(run.stderr, /--server/)
  })

  for (const [what, scope] of [
    ['the table is silent', {}],
    ['the record cannot be made', { operation: 'PutItem' }],
  ] as const) {
    test(`gives up within seconds, and issues nothing, while ${what}`, async () => {
      await using sessions = await openSessionScene(local, naming)
      sessions.proxy.fail('silent', scope)

      const startedAt = performance.now()
      const run = await start(sessions)

      assert.ok(performance.now() - startedAt < FAILS_WITHIN_MS)
      assertNothingIssued(run, sessions, 6)
      assert.ok(sessions.proxy.calls.some(({ fault }) => fault === 'silent'))
    })
  }
})

function start({ sentinel }: SessionScene, ...flags: readonly string[]): Promise<Result> {
  return sentinel('exec', '--server', 'dev', ...flags, '--', 'echo', 'started')
}

function assertStarted({ status, stdout, stderr }: Result): void {
  assert.deepEqual({ status, stdout }, { status: 0, stdout: 'started\n' }, stderr)
}

function assertNothingIssued(
  { status, stdout, stderr }: Result,
  { scene }: SessionScene,
  exit: number,
): void {
  assert.deepEqual({ status, stdout }, { status: exit, stdout: '' }, stderr)
  assert.equal(scene.answered('AssumeRole'), 0)
}
