import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openScriptedServer, type Received } from '../fixtures/aws/scripted-server.ts'
import { findFreePort } from '../fixtures/free-port.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'

const ASK_SERVER = join(import.meta.dirname, '../fixtures/e2e/ask-server.ts')
const LOG = '.local/state/sentinel/decisions.jsonl'
const PATH = '/in/s3cr3t-path'

/** A child that asks the server `count` times, every `everyMs`. */
const asking = (count: number, everyMs: number) => [
  process.execPath,
  ASK_SERVER,
  String(count),
  String(everyMs),
]

/** A receiver, and the setting that ships to it. */
async function openReceiver(answer: (request: Received) => number | 'hang' = () => 200) {
  const server = await openScriptedServer((request) => {
    const status = answer(request)
    return status === 'hang' ? status : { status }
  })
  return {
    server,
    env: { SENTINEL_LOG_SHIP: `${server.url}${PATH}` },
    /** What came in the bodies of the requests. */
    text: () => server.received.map(({ body }) => body).join(''),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const fileOf = ({ home }: Scene) => readFileSync(join(home, LOG), 'utf8')

async function doctor(scene: Scene, env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = await scene.sentinel(['doctor', '--output', 'json', ...args], {
    env,
  })
  assert.equal(stderr.includes('bug:'), false, stderr)
  const { checks } = JSON.parse(stdout) as { checks: Record<string, unknown>[] }
  return { status, of: (name: string) => checks.find(({ check }) => check === name) }
}

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 2000) throw new Error(`not in time: ${what}`)
    await sleep(10)
  }
}

suite('shipping the log', { concurrency: 2 }, () => {
  for (const mode of [[], ['--server']]) {
    const name = ['exec', ...mode].join(' ')
    test(`of ${name} sends every line exactly as it is in the file`, async () => {
      await using scene = await openScene()
      await using receiver = await openReceiver()
      const env = { ...receiver.env, SENTINEL_LOG_SHIP_TOKEN: 't0k3n' }

      const { status, stdout, stderr } = await scene.sentinel(
        ['exec', ...mode, 'dev', '--', 'env'],
        {
          env,
        },
      )

      assert.equal(status, 0, stderr)
      assert.equal(receiver.text(), fileOf(scene))
      assert.match(receiver.text(), /"type":"stop"/)
      const [{ headers, path } = assert.fail('nothing came')] = receiver.server.received
      assert.equal(headers.authorization, 'Bearer t0k3n')
      assert.equal(headers['content-type'], 'application/x-ndjson')
      assert.equal(path, PATH)
      assert.doesNotMatch(
        stderr + readFileSync(join(scene.home, `${LOG}.ship.json`)),
        /s3cr3t|t0k3n/,
      )
      assert.doesNotMatch(stdout, /t0k3n/)
    })
  }

  test('leaves export and credentials alone: their lines go with the next run', async () => {
    await using scene = await openScene()
    await using receiver = await openReceiver()
    const { env } = receiver
    await scene.sentinel(['export', 'dev'], { env })
    await scene.sentinel(['credentials', '--profile', 'dev'], { env })
    assert.equal(receiver.server.connections, 0)
    await scene.sentinel(['exec', 'dev', '--', 'true'], { env })
    assert.equal(receiver.text(), fileOf(scene))
  })

  test('by audit ship sends what there is, once', async () => {
    await using scene = await openScene()
    await using receiver = await openReceiver()
    const { env } = receiver
    await scene.sentinel(['export', 'dev'])

    const first = await scene.sentinel(['audit', 'ship'], { env })
    const second = await scene.sentinel(['audit', 'ship'], { env })

    assert.equal(first.status, 0, first.stderr)
    assert.match(first.stdout, /^shipped 3 lines of \S+decisions\.jsonl to 127\.0\.0\.1:\d+$/m)
    assert.match(second.stdout, /^nothing in /)
    assert.equal(receiver.text(), fileOf(scene))
  })

  test('costs a run nothing while the receiver is down, and is told once', async () => {
    await using scene = await openScene()
    const down = { SENTINEL_LOG_SHIP: `http://127.0.0.1:${await findFreePort()}${PATH}` }

    const run = await scene.sentinel(['exec', 'dev', '--', 'sh', '-c', 'sleep 4; exit 7'], {
      env: down,
    })

    assert.equal(run.status, 7)
    const told = run.stderr.match(/^warning: the decision log is not shipped for now: .*$/gm)
    assert.equal(told?.length, 1, run.stderr)
    assert.match(told?.[0] ?? '', /127\.0\.0\.1:\d+ could not be reached: ECONNREFUSED$/)
    assert.doesNotMatch(run.stderr, /s3cr3t/)
    const { status, of } = await doctor(scene, down, '--offline')
    assert.equal(status, 0)
    assert.partialDeepStrictEqual(of('shipping'), {
      verdict: 'warning',
      lag_bytes: fileOf(scene).length,
      last_failure: { code: 'SHIPPING_FAILED' },
    })

    const failed = await scene.sentinel(['audit', 'ship'], { env: down })
    assert.equal(failed.status, 6)
    assert.match(failed.stderr, /^error: .* could not be reached: ECONNREFUSED$/m)

    await using receiver = await openReceiver()
    const shipped = await scene.sentinel(['audit', 'ship'], { env: receiver.env })
    assert.equal(shipped.status, 0)
    assert.match(shipped.stderr, /^warning: the log went to 127\.0\.0\.1:\d+ before: /m)
    assert.equal(receiver.text(), fileOf(scene))
    assert.equal((await doctor(scene, receiver.env, '--offline')).of('shipping')?.lag_bytes, 0)
  })

  test('goes on without a gap after a kill in the middle of it', async () => {
    await using scene = await openScene()
    // The first batch is taken; of the second nobody hears whether it was.
    let batches = 0
    await using receiver = await openReceiver(() => {
      batches += 1
      return batches === 2 ? 'hang' : 200
    })
    const { env } = receiver
    const running = scene.start(['exec', '--server', 'dev', '--', ...asking(1000, 50)], { env })
    await eventually('a batch', () => batches === 1)
    await scene.sentinel(['export', 'dev'])
    await eventually('a second batch', () => batches === 2)
    process.kill(running.process.pid ?? 0, 'SIGKILL')
    await running.ended

    const next = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })

    assert.equal(next.status, 0, next.stderr)
    const lines = fileOf(scene).split('\n').filter(Boolean)
    const came = receiver.text().split('\n').filter(Boolean)
    // The batch in doubt came twice, and nothing else.
    const [, doubtful] = receiver.server.received.map(({ body }) =>
      body.split('\n').filter(Boolean),
    )
    assert.deepEqual([...new Set(came)], lines)
    assert.equal(came.length, lines.length + (doubtful?.length ?? 0))
  })

  test('never holds up a credential, nor the end for long, when the receiver hangs', async () => {
    await using scene = await openScene()
    await using receiver = await openReceiver(() => 'hang')
    const { env } = receiver

    const running = scene.start(['exec', '--server', 'dev', '--', ...asking(40, 50)], { env })
    await eventually('a batch', () => receiver.server.received.length > 0)
    const { status, stdout, stderr } = await running.ended

    assert.equal(status, 0, stderr)
    assert.equal(stdout.match(/^200 ASIA/gm)?.length, 40)
    assert.deepEqual(scene.log().at(-1)?.type, 'stop')
    const { of } = await doctor(scene, env, '--offline')
    assert.equal(of('shipping')?.lag_bytes, fileOf(scene).length)
  })

  test('is one process’s at a time', async () => {
    await using scene = await openScene()
    await using receiver = await openReceiver()
    const { env } = receiver
    const first = scene.start(['exec', '--server', 'dev', '--', ...asking(1000, 50)], { env })
    await eventually('a batch', () => receiver.server.received.length > 0)

    const second = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })
    const by = await scene.sentinel(['audit', 'ship'], { env })
    const { of } = await doctor(scene, env, '--offline')

    assert.equal(second.status, 0, second.stderr)
    assert.match(by.stdout, /^another process ships /)
    assert.partialDeepStrictEqual(of('shipping'), { shipper: { pid: first.process.pid } })
    await eventually('the lines of the second', () => receiver.text() === fileOf(scene))
    process.kill(first.process.pid ?? 0, 'SIGTERM')
    await first.ended
    assert.equal(receiver.text(), fileOf(scene))
  })

  test('needs a setting, and a log', async () => {
    await using scene = await openScene()
    const unset = await scene.sentinel(['audit', 'ship'])
    assert.equal(unset.status, 5)
    assert.match(unset.stderr, /hint: set log_ship to /)
    const env = { SENTINEL_LOG_SHIP: 'cloudwatch:/sentinel/log/laptop' }
    const missing = await scene.sentinel(['audit', 'ship'], { env })
    assert.equal(missing.status, 4)
    assert.ok(!existsSync(join(scene.home, '.local')))
  })

  test('goes to CloudWatch Logs with the base credentials of the profile', async () => {
    await using scene = await openScene()
    const logs = await openScriptedServer(() => ({ body: '{}' }))
    await using _ = logs
    const env = {
      SENTINEL_LOG_SHIP: 'cloudwatch:/sentinel/log/laptop',
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: logs.url,
    }

    const { status, stderr } = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })

    assert.equal(status, 0, stderr)
    const [{ headers, body } = assert.fail('nothing came')] = logs.received
    assert.equal(headers['x-amz-target'], 'Logs_20140328.PutLogEvents')
    assert.match(String(headers.authorization), /AKIA\w+\/\d+\/eu-central-1\/logs/)
    const { logEvents } = JSON.parse(body) as { logEvents: { message: string }[] }
    assert.equal(logEvents.map(({ message }) => `${message}\n`).join(''), fileOf(scene))
  })
})

suite('sentinel doctor', { concurrency: 2 }, () => {
  test('finds nothing on a machine that is well', async () => {
    await using scene = await openScene()
    await scene.sentinel(['export', 'dev'])
    const { status, of } = await doctor(scene, {}, 'dev')
    assert.equal(status, 0)
    assert.partialDeepStrictEqual(of('policy'), {
      verdict: 'ok',
      rules: 1,
      sha256: createHash('sha256')
        .update(readFileSync(join(scene.home, 'policy.yaml')))
        .digest('hex'),
    })
    assert.partialDeepStrictEqual(of('log'), { verdict: 'ok', bytes: fileOf(scene).length })
    assert.partialDeepStrictEqual(of('identity'), {
      verdict: 'ok',
      principal: 'arn:aws:iam::111122223333:user/alice',
    })
  })

  test('makes nothing, and asks nobody with --offline', async () => {
    await using scene = await openScene()
    const env = {
      SENTINEL_SESSION_STORE: 'local',
      SENTINEL_REQUEST_STORE: 'dynamodb:eu-central-1:requests',
    }
    const { status, of } = await doctor(scene, env, 'dev', '--offline')
    assert.equal(status, 0)
    assert.deepEqual(
      ['identity', 'sessions', 'requests'].map((name) => of(name)?.verdict),
      ['skipped', 'ok', 'skipped'],
    )
    assert.ok(!existsSync(join(scene.home, '.local')))
    assert.deepEqual(scene.aws.journal, [])
  })

  test('tells of all that is wrong at once, with 1 at the end', async () => {
    await using scene = await openScene()
    scene.write('policy.yaml', 'version: "1"\n\nrulez: []\n')
    const port = await findFreePort()
    const env = {
      SENTINEL_LOG_FILE: '/dev/null',
      SENTINEL_LOG_ANCHOR: 'dynamodb:eu-central-1:anchors',
      SENTINEL_SESSION_STORE: 'dynamodb:eu-central-1:sessions',
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
    }
    const { status, of } = await doctor(scene, env, 'nobody')
    assert.equal(status, 1)
    for (const name of ['policy', 'identity', 'log', 'anchors', 'sessions']) {
      assert.equal(of(name)?.verdict, 'failed', name)
      assert.ok(of(name)?.hint, name)
    }
    assert.match(String(of('policy')?.detail), /:3: /)
    assert.equal(of('shipping')?.verdict, 'ok')
  })
})
