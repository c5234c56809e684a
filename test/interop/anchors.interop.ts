import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBLocal,
  missingDynamoDBLocal,
  openDynamoDBLocal,
} from '../fixtures/dynamodb-local.ts'
import { type AnchorScene, openAnchorScene } from '../fixtures/interop/anchor-scene.ts'
import { eventually } from '../fixtures/interop/gateway.ts'

const isLocalMissing = await missingDynamoDBLocal()

/** The stream of the first record of a type. */
function streamOf(scene: AnchorScene, type: string): string {
  const line = scene.lines().find(({ record }) => record.type === type)
  return String(line?.record.stream)
}

suite('a log that is anchored', { skip: isLocalMissing, concurrency: 4 }, () => {
  let local: DynamoDBLocal
  before(async () => {
    local = await openDynamoDBLocal()
  })
  after(() => local?.[Symbol.asyncDispose]())

  test('has an anchor soon after the first credential, and in the end at its stop', async () => {
    await using scene = await openAnchorScene(local)
    const gateway = await scene.serve()
    await gateway.ask()
    const stream = streamOf(scene, 'issued')

    const early = await eventually('an anchor', () => scene.anchor(stream), 15_000)
    const run = await gateway.end()

    assert.equal(run.status, 0, run.stderr)
    assert.doesNotMatch(run.stderr, /warning: .*anchor/)
    const lines = scene.lines()
    const issued = lines.findIndex(({ record }) => record.type === 'issued')
    assert.ok(early.seq > issued, `${early.seq}, issued as ${issued + 1}`)
    assert.equal(early.hash, lines[early.seq - 1]?.hash)
    const [last] = lines.slice(-1)
    assert.equal(last?.record.type, 'stop')
    const path = join(scene.sessions.scene.home, '.local/state/sentinel/decisions.jsonl')
    assert.deepEqual(await scene.anchor(stream), {
      seq: lines.length,
      hash: last.hash,
      host: hostname(),
      log: hash('sha256', path).slice(0, 16),
    })
  })

  test('is anchored by every command that issues, refuses or orders, once each', async () => {
    await using scene = await openAnchorScene(local)
    const { table } = scene.sessions
    const commands = [
      ['exec', 'dev', '--', 'true'],
      ['credentials', '--profile', 'dev'],
      ['export', 'dev'],
      ['exec', 'prod', '--', 'true'],
      [
        ...['session', 'revoke', '--user', 'bob', '--reason', 'laptop stolen', '--yes'],
        ...['--session-table', table, '--aws-profile', 'bob'],
      ],
    ]
    for (const [n, command] of commands.entries()) {
      const { stderr } = await scene.sentinel(...command)
      assert.doesNotMatch(stderr, /anchor/)
      assert.equal(await scene.count(), n + 1, command.join(' '))
      const writes = scene.sessions.proxy.calls.filter(({ id }) => id?.startsWith('anchor#'))
      assert.equal(writes.length, n + 1, command.join(' '))
    }
    for (const { record, hash } of scene.lines().filter(({ record }) => record.type === 'stop')) {
      assert.partialDeepStrictEqual(await scene.anchor(String(record.stream)), {
        seq: record.seq,
        hash,
      })
    }
  })

  test('is not anchored where nobody is known: a policy that is not valid asks AWS nothing', async () => {
    await using scene = await openAnchorScene(local)
    scene.sessions.scene.write('policy.yaml', 'version: "2"\n')
    const { status, stderr } = await scene.sentinel('exec', 'dev', '--', 'true')
    assert.equal(status, 5)
    assert.doesNotMatch(stderr, /anchor/)
    assert.deepEqual(scene.sessions.proxy.calls, [])
  })

  test('is written all the same where the table is missing: told once, with what makes it', async () => {
    await using scene = await openAnchorScene(local, { hasTable: false })
    const gateway = await scene.serve()
    const { status } = await gateway.ask()
    await gateway.running.saw(/warning: the decision log is not being anchored: /)
    const run = await gateway.end()

    assert.equal(status, 200)
    assert.equal(run.status, 0, run.stderr)
    assert.equal(run.stderr.match(/warning: .*anchor/g)?.length, 1, run.stderr)
    assert.match(run.stderr, /^hint: create it with: sentinel init tables --anchor-table eu-/m)
  })

  test('delays no credential and no record while the table is silent, nor the end for long', async () => {
    await using scene = await openAnchorScene(local)
    scene.sessions.proxy.fail('silent')
    const gateway = await scene.serve()
    const asking = gateway.keepAsking(50)
    await gateway.running.saw(/warning: the decision log is not being anchored: .*in time$/m)
    const answers = await asking.stop()
    const before = performance.now()
    const run = await gateway.end()
    const endedMs = performance.now() - before

    assert.equal(run.status, 0, run.stderr)
    assert.ok(answers.length > 100)
    for (const { status, tookMs } of answers) {
      assert.equal(status, 200)
      assert.ok(tookMs < 1000, `${tookMs} ms`)
    }
    assert.ok(endedMs < 5000, `${endedMs} ms`)
    assert.equal(run.stderr.match(/warning: .*anchor/g)?.length, 1, run.stderr)
    assert.equal(scene.lines().at(-1)?.record.type, 'stop')
  })

  test('goes on with its anchors when the table is back', async () => {
    await using scene = await openAnchorScene(local)
    scene.sessions.proxy.fail('failing')
    const gateway = await scene.serve()
    await gateway.ask()
    await gateway.running.saw(/warning: the decision log is not being anchored: /)
    scene.sessions.proxy.heal()
    const run = await gateway.end()

    assert.equal(run.stderr.match(/warning: .*not being anchored/g)?.length, 1, run.stderr)
    assert.match(run.stderr, /^note: dynamodb:eu-central-1:anchors-.* answers again$/m)
    const [last] = scene.lines().slice(-1)
    assert.equal((await scene.anchor(String(last?.record.stream)))?.hash, last?.hash)
  })

  test('is vouched for by the record of its session, but for what comes after its end', async () => {
    await using scene = await openAnchorScene(local)
    const { table, show } = scene.sessions
    const gateway = await scene.serve(['--session-table', table])
    await gateway.ask()
    await eventually('the record', () => scene.sessions.row(gateway.id))
    await gateway.end()

    const lines = scene.lines()
    const types = lines.map(({ record }) => record.type)
    const key = { TableName: table, Key: { id: { S: gateway.id } } }
    const { Item } = await local.client('local').send(new GetItemCommand(key))
    const head = Buffer.from(Item?.log_head?.B ?? []).toString('hex')
    // How much of the end is in the last word depends on the disk and on the table.
    const vouched = lines.findIndex(({ hash }) => hash.startsWith(head))
    assert.ok(vouched >= types.lastIndexOf('issued'), `line ${vouched} of ${types}`)
    assert.ok(vouched < types.indexOf('stop'), `line ${vouched} of ${types}`)
    assert.equal((await show(gateway.id)).log_head, head)
    assert.equal(lines.at(-1)?.record.type, 'stop')
  })
})
