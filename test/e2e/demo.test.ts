import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { BINARY, openScene } from '../fixtures/scene.ts'

suite('the demo', { concurrency: 2 }, () => {
  test('plays its ten steps in an empty environment, and leaves nothing behind', async () => {
    await using scene = await openScene()
    using temporary = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'sentinel-demo-test-'))
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', TMPDIR: temporary.path }
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)

    const { status, stdout, stderr } = await scene.run(['env', '-i', ...variables, BINARY, 'demo'])

    assert.deepEqual([status, stderr], [0, ''])
    const steps = [...stdout.matchAll(/^── (\d+)\. (.+?) ─+$/gm)]
    assert.deepEqual(
      steps.map(([, number]) => number),
      Array.from({ length: 10 }, (_, index) => String(index + 1)),
    )
    // The same request id in the decision log and in the trail of the calls that were made.
    const unwrapped = stdout.replaceAll(/\n {2}(?! )/g, '')
    const [, id] = /"source_identity":"sentinel=alice=policy=(\w{20})"/.exec(unwrapped) ?? []
    assert.ok(id, stdout)
    assert.match(
      stdout,
      new RegExp(`GetCallerIdentity +sourceIdentity sentinel=alice=policy=${id}`),
    )
    assert.match(stdout, /^ {2}sound: \d+ lines of \d+ streams/m)
    assert.match(stdout, /^ {2}copy\.jsonl:\d+: missing: /m)
    assert.match(stdout, /production takes a second pair of eyes/)
    assert.match(stdout, /^ {2}error: request [a-z2-7]{20} is your own/m)
    assert.match(stdout, /^ {2}BREAK-GLASS: alice is let into vault/m)
    assert.match(
      stdout,
      /^ {2}refused: session [0-9a-f]{16} was revoked by os:\S+: laptop stolen$/m,
    )
    assert.deepEqual(readdirSync(temporary.path), [])
    assert.deepEqual(scene.aws.journal, [])
  })

  test('is not led away by what the environment says of AWS', async () => {
    await using scene = await openScene()
    const env = {
      AWS_PROFILE: 'nobody',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9',
      SENTINEL_POLICY: 'ssm:/nowhere',
      SENTINEL_SERVER: 'true',
    }
    const { status, stderr } = await scene.sentinel(['demo'], { env, isPlain: true })
    assert.deepEqual([status, stderr], [0, ''])
    assert.deepEqual(scene.aws.journal, [])
  })

  test('that waits for Enter needs a terminal', async () => {
    await using scene = await openScene()
    const { status, stderr } = await scene.sentinel(['demo', '--pause'], { isPlain: true })
    assert.equal(status, 5)
    assert.match(stderr, /^error: .*terminal.*\nhint: leave --pause out$/m)
    assert.deepEqual(readdirSync(join(scene.home, 'tmp')), [])
  })
})
