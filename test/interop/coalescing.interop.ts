import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { openScene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { BOTO3, JAVASCRIPT } from './clients.ts'

// COAL-2 and COAL-3 of the acceptance list.

const CALLS = 100
const PARAMETER = '/interop/parameter'
const OF_THE_ROLE = { region: 'eu-central-1', account: '777788889999' }

const REASON = 'nothing moves until Monday'
const FROZEN = `\
version: "1"
rules:
  - name: freeze
    effect: deny
    conditions: {}
    reason: ${REASON}
`

suite('what one program asks again and again', { concurrency: 2 }, () => {
  const atLoop = `${CALLS} calls of boto3 over 15-minute credentials cost one AssumeRole`
  test(atLoop, { skip: missing(...BOTO3.needs) }, async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, 'value', OF_THE_ROLE)
    const loop = [...BOTO3.command, String(CALLS), PARAMETER]

    const words = ['exec', '--server', '--server-duration', '15m', 'dev', '--', ...loop]
    const run = await scene.sentinel(words)

    assert.equal(run.status, 0, run.stdout + run.stderr)
    const { gateway } = JSON.parse(run.stdout) as { gateway: [status: number, seconds: number][] }
    // What makes it worth a test: boto3 asks on every call while less than 15 minutes are left.
    assert.ok(gateway.length >= CALLS, `${gateway.length} requests`)
    assert.ok(gateway.every(([status]) => status === 200))
    assert.equal(scene.answered('GetParameter'), CALLS / 2)
    assert.equal(scene.answered('AssumeRole'), 1)
    const records = scene.log().filter(({ type }) => type !== 'start' && type !== 'stop')
    const served = records.filter(({ type }) => type === 'served')
    assert.deepEqual(new Set(records.map(({ type }) => type)), new Set(['issued', 'served']))
    assert.equal(records.length - served.length, 1)
    const count = served.reduce((sum, record) => sum + Number(record.count), 0)
    assert.equal(count, gateway.length)
  })

  for (const client of [BOTO3, JAVASCRIPT]) {
    const oneDenial = `one denial, heard by ${client.name}, is one line, one record and a count`
    test(oneDenial, { skip: missing(...client.needs) }, async () => {
      await using scene = await openScene({ policy: FROZEN })

      const words = ['exec', '--server', '--lazy', 'dev', '--', ...client.command]
      const run = await scene.sentinel(words)

      assert.equal(run.status, 1, run.stderr)
      assert.equal(run.stderr.split(REASON).length - 1, 1, run.stderr)
      // The JavaScript SDK keeps the body of a refusal to itself.
      if (client === BOTO3) assert.ok(run.stdout.includes(REASON), run.stdout)
      const [first, repeats, ...more] = scene.log().filter(({ type }) => type === 'refused')
      assert.deepEqual(more, [])
      assert.partialDeepStrictEqual(first, { rule: 'freeze', outcome: 'refused' })
      assert.equal(repeats?.of, first?.request_id)
      // An SDK that asks once only would prove nothing.
      assert.ok(Number(repeats?.repeats) >= 2, `${repeats?.repeats} repeats`)
    })
  }
})
