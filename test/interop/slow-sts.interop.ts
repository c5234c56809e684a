import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openScene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3, JAVASCRIPT } from './clients.ts'

const LATENCY_MS = 2500
/** Botocore hangs up after this; design § 6 promises an answer in under a second. */
const PATIENCE_SECONDS = 2

// LAT-2 of the acceptance list.
suite(`while STS takes ${LATENCY_MS} ms`, { concurrency: 2 }, () => {
  const secondTry = 'boto3 is told to come back in time, and served by its second try'
  test(secondTry, { skip: missing(...BOTO3.needs) }, async () => {
    await using scene = await openScene()
    scene.aws.script({ operation: 'AssumeRole', latencyMs: LATENCY_MS })

    const run = await scene.sentinel(['exec', '--server', '--lazy', 'dev', '--', ...BOTO3.command])

    assert.equal(run.status, 0, run.stdout + run.stderr)
    const { gateway } = JSON.parse(run.stdout) as { gateway: [status: number, seconds: number][] }
    const statuses = gateway.map(([status]) => status)
    // With less than 15 minutes left it asks once more for the call itself.
    assert.deepEqual(statuses.slice(0, 2), [503, 200])
    for (const [, seconds] of gateway) assert.ok(seconds < PATIENCE_SECONDS, `${seconds} s`)
    assert.equal(scene.answered('AssumeRole'), 1)
  })

  test('the JavaScript SDK is served in the end', async () => {
    await using scene = await openScene()
    scene.aws.script({ operation: 'AssumeRole', latencyMs: LATENCY_MS })
    const words = ['exec', '--server', '--lazy', 'dev', '--', ...JAVASCRIPT.command]

    const run = await scene.sentinel(words)

    assert.equal(run.status, 0, run.stdout + run.stderr)
    assert.equal(scene.answered('AssumeRole'), 1)
  })
})
