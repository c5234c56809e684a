import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { eventually, type Gateway } from '../fixtures/interop/gateway.ts'
import { openSessionScene, type SessionScene } from '../fixtures/interop/session-scene.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3, POLL } from './clients.ts'

const REASON = 'laptop stolen'
const OBEYED_WITHIN_MS = 5000
/** More than the two seconds between looks, and not so much that what is known is too old anyway. */
const STOPPED_MS = 3500

const isLocalMissing = await missingDynamoDBLocal()

suite('revoking, from another process', { skip: isLocalMissing, concurrency: 5 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  const ofBoto3 = 'has boto3 refused within 5 s, with the reason, which stderr tells too'
  test(ofBoto3, { skip: missing(...BOTO3.needs) }, async () => {
    await using sessions = await openSessionScene(local)
    const { scene, table, env } = sessions
    const child = ['sh', '-c', 'echo "in $SENTINEL_ACTIVE"; exec "$@"', 'sh', ...POLL]
    const words = ['exec', '--server', 'dev', '--session-table', table, '--', ...child]
    const running = scene.start(words, { env })
    const [, id = ''] = await running.saw(/in (\w+)/)
    await running.saw(/served/)

    const revoked = await sessions.session('revoke', id.slice(0, 6), '--reason', REASON)
    const revokedAt = Date.parse((await sessions.row(id))?.revoked_at ?? '')
    const run = await running.ended

    assert.equal(revoked.status, 0, revoked.stderr)
    assert.match(revoked.stdout, /credentials already handed out may work until \S+/)
    assert.match(revoked.stdout, /alice can start another session/)
    const lastServedAt = Number(run.stdout.match(/(?<=served )\d+/g)?.at(-1))
    assert.ok(lastServedAt - revokedAt < OBEYED_WITHIN_MS, `${lastServedAt - revokedAt} ms`)
    const told = `revoked by bob: ${REASON}`
    assert.ok(run.stdout.includes(told), run.stdout)
    assert.equal(run.stderr.split(told).length - 1, 1, run.stderr)
    assert.equal((await sessions.show(id)).shown_status, 'revoked')
    const types = scene.log().map(({ type }) => type)
    for (const type of ['session.created', 'session.revoked', 'revoked', 'session.ended']) {
      assert.ok(types.includes(type), `no ${type} among ${types}`)
    }
  })

  test('ends the command as well, under --on-revoke terminate', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions, '--on-revoke', 'terminate')

    await revoke(sessions, gateway)
    const run = await gateway.running.ended

    assert.notEqual(run.status, 0)
    assert.ok(run.stderr.includes(REASON), run.stderr)
    const row = await sessions.row(gateway.id)
    assert.partialDeepStrictEqual(row, { status: 'revoked', revoked_by: 'bob' })
  })

  test('is not undone by touches, by the end or by deleting the row', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions)
    const asking = gateway.keepAsking(50)
    await eventually('a count', async () => Number((await sessions.row(gateway.id))?.request_count))

    await revoke(sessions, gateway)
    await refused(gateway)
    await asking.stop()
    const settled = await eventually('the count of what was handed out', async () => {
      const row = await sessions.row(gateway.id)
      return row?.request_count === String(gateway.served) && row
    })
    await sessions.delete(gateway.id)
    await sleep(2500)
    const after = await gateway.ask()
    await gateway.end()

    assert.partialDeepStrictEqual(settled, { status: 'revoked', revoked_reason: REASON })
    assert.equal(after.status, 403)
    assert.equal(await sessions.row(gateway.id), undefined)
  })

  test('is what the deletion of a row counts as, and no touch makes another', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions)
    const asking = gateway.keepAsking(50)
    await eventually('a count', async () => Number((await sessions.row(gateway.id))?.request_count))

    await sessions.delete(gateway.id)
    const message = await refused(gateway)
    await asking.stop()
    const run = await gateway.end()

    assert.match(message, /its record is gone/)
    assert.match(run.stderr, /its record is gone/)
    assert.equal(await sessions.row(gateway.id), undefined)
  })

  test('meets a server that was stopped before it serves again', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions)

    gateway.running.process.kill('SIGSTOP')
    await revoke(sessions, gateway)
    await sleep(STOPPED_MS)
    const first = gateway.ask()
    gateway.running.process.kill('SIGCONT')

    assert.notEqual((await first).status, 200)
    await refused(gateway)
    await gateway.end()
  })

  test('has a server that was stopped ask anew before it serves again', async () => {
    await using sessions = await openSessionScene(local)
    const gateway = await openTracked(sessions)

    gateway.running.process.kill('SIGSTOP')
    await sleep(STOPPED_MS)
    sessions.proxy.fail('silent')
    const first = gateway.ask()
    gateway.running.process.kill('SIGCONT')

    const { status, body } = await first
    assert.equal(status, 503)
    assert.match(body.Message ?? '', /being looked up again/)
    sessions.proxy.heal()
    await eventually('a credential', async () => (await gateway.ask()).status === 200)
    await gateway.end()
  })

  test('everything of a user writes the lock first, and holds until it is lifted', async () => {
    await using sessions = await openSessionScene(local)
    const { scene, proxy, table, location, env } = sessions
    const gateways = await Promise.all([openTracked(sessions), openTracked(sessions)])
    const ids = gateways.map(({ id }) => id)
    const before = proxy.calls.length
    const settings = { env: { ...env, SENTINEL_SESSION_STORE: location } }
    const exec = () => scene.sentinel(['exec', 'dev', '--', 'echo', 'started'], settings)

    const revoked = await sessions.session('revoke', '--user', 'alice', '--reason', REASON, '--yes')
    const messages = await Promise.all(gateways.map(refused))
    const server = ['exec', '--server', 'dev', '--session-table', table, '--', 'echo', 'started']
    const locked = await Promise.all([scene.sentinel(server, { env }), exec()])
    const listed = await sessions.session('list')
    const unlocked = await sessions.session('unlock', '--user', 'alice')
    const again = await Promise.all([scene.sentinel(server, { env }), exec()])

    assert.equal(revoked.status, 0, revoked.stderr)
    for (const id of ids) assert.match(revoked.stdout, new RegExp(`^revoked +${id}`, 'm'))
    const written = proxy.calls
      .slice(before)
      .filter(({ operation }) => operation === 'UpdateItem')
      .map(({ id }) => id)
    assert.equal(written[0], 'lock#user#alice')
    assert.deepEqual(new Set(written.slice(1, 3)), new Set(ids))
    for (const message of messages) assert.match(message, new RegExp(`bob: ${REASON}`))
    for (const { status, stdout, stderr } of locked) {
      assert.deepEqual({ status, stdout }, { status: 3, stdout: '' })
      assert.match(stderr, new RegExp(`user alice is locked until \\S+ by bob: ${REASON}`))
    }
    assert.match(listed.stderr, /user alice is locked until/)
    assert.equal(unlocked.status, 0, unlocked.stderr)
    for (const { status, stdout, stderr } of again) {
      assert.deepEqual({ status, stdout }, { status: 0, stdout: 'started\n' }, stderr)
    }
    // The lock was lifted, not what was revoked under it.
    for (const gateway of gateways) {
      assert.equal((await gateway.ask()).status, 403)
      await gateway.end()
    }
  })
})

async function openTracked(sessions: SessionScene, ...flags: string[]): Promise<Gateway> {
  const gateway = await sessions.serve(['--session-table', sessions.table, ...flags])
  await eventually('the record', () => sessions.row(gateway.id))
  return gateway
}

async function revoke({ session }: SessionScene, { id }: Gateway): Promise<void> {
  const { status, stderr } = await session('revoke', id, '--reason', REASON)
  assert.equal(status, 0, stderr)
}

/** Waits for the refusal that is due; its message. */
async function refused({ ask }: Gateway): Promise<string> {
  const refusal = await eventually(
    'a refusal',
    async () => {
      const answer = await ask()
      return answer.status === 403 && answer
    },
    OBEYED_WITHIN_MS,
  )
  return refusal.body.Message ?? ''
}
