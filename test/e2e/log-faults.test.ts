import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openDecisionLog } from '../../src/audit/file-decision-log.ts'
import { readWholeLog, rotatedFiles, STILL_CLOCK, streamOf } from '../audit/log-fixture.ts'
import { verifyLog } from '../audit/verify-log.ts'
import { ONE_THREAD, whyNoStrace, withFault } from '../fixtures/e2e/strace.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'

const ASK_SERVER = join(import.meta.dirname, '../fixtures/e2e/ask-server.ts')
const MAX_SIZE = 64 * 1024

/** From the first call on, one alone or all that follow: a run makes three writes and syncs. */
const MOMENTS = ['1', '2', '3', '1+', '2+', '3+']

/** With the move to another file before the first write. */
const MOMENTS_MOVING = ['1', '2', '1+', '2+']

/** What the kernel says to calls on the log. */
const FAULTS = [
  'write:error=ENOSPC',
  // It claims to have taken one byte and has taken none: the next write goes on with the second.
  'write:retval=1',
  'fdatasync:error=EIO',
  'statx:error=EIO',
  'openat:error=ENOSPC',
]

suite('a log whose system calls fail (LOG-2)', { skip: whyNoStrace(), concurrency: 2 }, () => {
  for (const fault of FAULTS) {
    test(`gives no credential without its record, and recovers: ${fault}`, async () => {
      await using scene = await openScene()
      await failAtEach(scene, { fault, moments: MOMENTS })
    })
  }

  for (const fault of [...FAULTS, 'rename:error=EIO']) {
    test(`does so while the log moves to another file: ${fault}`, async () => {
      await using scene = await openScene()
      const prepare = () => fill(pathOf(scene))
      await failAtEach(scene, { fault, moments: MOMENTS_MOVING, prepare })
      assert.ok(rotatedFiles(pathOf(scene)).length > 0)
    })
  }

  test('that cannot be moved aside costs no credential, and is told once', async () => {
    await using scene = await openScene()
    await fill(pathOf(scene))
    const { status, stdout, stderr } = await runFaulty(scene, 'rename:error=EPERM:when=1+')

    assert.equal(status, 0, stderr)
    assert.match(stdout, /^AWS_ACCESS_KEY_ID=ASIADEMO/m)
    const [warning, ...more] = stderr.match(/^warning: decision log .*\nhint: .*$/gm) ?? []
    assert.match(String(warning), /goes on, but its full files cannot be moved aside: EPERM/)
    assert.deepEqual(more, [])
    assert.deepEqual(rotatedFiles(pathOf(scene)), [])
    assert.equal(scene.log().at(-1)?.type, 'stop')
  })

  for (const when of ['2', '2..4', '3+']) {
    test(`gives 503 in the server while that lasts: writes ${when}`, async () => {
      await using scene = await openScene()
      const asking = [process.execPath, ASK_SERVER, '4', '10']
      const args = ['exec', '--server', '--lazy', 'dev', '--', ...asking]
      const fault = `write:error=ENOSPC:when=${when}`
      const { status, stdout, stderr } = await runFaulty(scene, fault, args)

      assert.equal(status, 0, stderr)
      const answers = stdout.split('\n').slice(1, -1)
      assert.equal(answers.length, 4, stdout)
      for (const answer of answers) assert.match(answer, /^(200 ASIADEMO\w+|503 LogUnavailable)$/)
      if (when !== '3+') assert.equal(answers[0], '503 LogUnavailable')
      assertSound(scene, keysIn(stdout), stderr)
    })
  }
})

interface Failing {
  readonly fault: string
  readonly moments: readonly string[]
  readonly prepare?: () => Promise<void>
}

/** Runs with `fault` at one moment after the other, and each time without it as well. */
async function failAtEach(scene: Scene, { fault, moments, prepare }: Failing): Promise<void> {
  const given: string[] = []
  for (const moment of moments) {
    await prepare?.()
    const { status, signal, stdout, stderr } = await runFaulty(scene, `${fault}:when=${moment}`)
    const about = `${fault}:when=${moment}\n${stderr}`
    const [key, ...more] = keysIn(stdout)
    assert.deepEqual([signal, more], [null, []], about)
    assert.equal(status, key ? 0 : 6, about)
    assert.equal(stderr.match(/^error: /gm)?.length ?? 0, key ? 0 : 1, about)
    if (!key) assert.match(stderr, /^error: decision log .* cannot be written: .*\nhint: /m, about)
    if (key) given.push(key)

    const next = await scene.sentinel(['export', 'dev'], { env: { ...SMALL } })
    assert.equal(next.status, 0, `after ${about}${next.stderr}`)
    given.push(...keysIn(next.stdout))
    assertSound(scene, given, about)
  }
}

const SMALL = { SENTINEL_LOG_MAX_SIZE: '64KiB' }

function runFaulty(scene: Scene, fault: string, args: readonly string[] = ['export', 'dev']) {
  const words = [...withFault(fault, pathOf(scene)), scene.env.SENTINEL ?? '']
  const env = { ...SMALL, ...ONE_THREAD }
  return scene.run([...words, '--allow-endpoint-override', ...args], { env })
}

/** The chains verify, and hold an issuance for each key that was given and for no other. */
function assertSound(scene: Scene, given: readonly string[], about: string): void {
  const { problems, streams } = verifyLog(readWholeLog(pathOf(scene)))
  const records = [...streams.values()].flat()
  assert.deepEqual(problems, [], about)
  assert.deepEqual(
    records.filter(({ type }) => type === 'issued').map(({ access_key_id: key }) => key),
    [...new Set(given)],
    about,
  )
}

function keysIn(printed: string): readonly string[] {
  return printed.match(/ASIADEMO\w+/g) ?? []
}

function pathOf(scene: Scene): string {
  return join(scene.home, '.local/state/sentinel/decisions.jsonl')
}

/** Another run's records, up to the size at which the next run moves the file aside. */
async function fill(path: string): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  await using log = await openDecisionLog({
    ...{ path, stream: newStream(), clock: STILL_CLOCK, host: 'host.example', pid: 1 },
    uid: process.getuid?.(),
  })
  do {
    await log.append({ type: 'refused', outcome: 'refused', reason: 'x'.repeat(2000) })
  } while (statSync(path).size < MAX_SIZE)
}

let streams = 0

function newStream(): string {
  streams++
  return streamOf([...String(streams)].map((digit) => 'abcdefghij'[Number(digit)]).join(''))
}
