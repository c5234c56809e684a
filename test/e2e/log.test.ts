import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openDecisionLog } from '../../src/audit/file-decision-log.ts'
import { ROLES } from '../../src/demo/world.ts'
import { readWholeLog, rotatedFiles, streamOf } from '../audit/log-fixture.ts'
import { verifyLog } from '../audit/verify-log.ts'
import { openScene, POLICY, type Scene } from '../fixtures/scene.ts'

const ASK_SERVER = join(import.meta.dirname, '../fixtures/e2e/ask-server.ts')
const DIRECTORY = '.local/state/sentinel'
const LOG = `${DIRECTORY}/decisions.jsonl`

/** A child that asks the server `count` times. */
const asking = (count: number) => [process.execPath, ASK_SERVER, String(count), '20']

/** Each way to a credential, its mode, and the types of the records it leaves. */
const WAYS: Record<string, { args: string[]; mode: string; types: string[] }> = {
  exec: {
    args: ['exec', 'dev', '--', 'true'],
    mode: 'cli',
    types: ['start', 'issued', 'stop'],
  },
  'exec --server': {
    args: ['exec', '--server', 'dev', '--', ...asking(3)],
    mode: 'server',
    types: ['start', 'issued', 'served', 'stop'],
  },
  credentials: {
    args: ['credentials', '--profile', 'dev'],
    mode: 'credential_process',
    types: ['start', 'issued', 'stop'],
  },
  export: { args: ['export', 'dev'], mode: 'cli', types: ['start', 'issued', 'stop'] },
}

suite('the decision log', { concurrency: 2 }, () => {
  for (const [command, { args, mode, types }] of Object.entries(WAYS)) {
    test(`of ${command} has each record with its fields, on one chain`, async () => {
      await using scene = await openScene()

      const { status, stderr } = await scene.sentinel(args)

      assert.equal(status, 0, stderr)
      const { problems, streams } = verifyLog(readFileSync(join(scene.home, LOG), 'utf8'))
      assert.deepEqual(problems, [])
      assert.equal(streams.size, 1)
      const records = scene.log()
      assert.deepEqual(
        records.map(({ type }) => type),
        types,
      )
      for (const record of records) assertCommon(record, mode)
      assertIssued(records[1] ?? {}, scene)
      assert.match(String(records[0]?.version), /^\d+\.\d+\.\d+$/)
      assert.equal(records.at(-1)?.exit_status, 0)
      const served = records.find(({ type }) => type === 'served')
      if (served) {
        assert.partialDeepStrictEqual(served, { count: 3, request_id: records[1]?.request_id })
      }
    })

    test(`of ${command} has a refusal with what decided it`, async () => {
      await using scene = await openScene()
      const policy = POLICY.replace('effect: allow', 'effect: deny')
      scene.write('policy.yaml', policy)

      const { status } = await scene.sentinel(args)

      assert.equal(status, 3)
      const [start, refused, stop, ...more] = scene.log()
      assert.deepEqual([start?.type, stop?.type, more], ['start', 'stop', []])
      assert.equal(stop?.exit_status, 3)
      assertCommon(refused ?? {}, mode)
      assert.partialDeepStrictEqual(refused, {
        ...{ type: 'refused', outcome: 'refused', code: 'POLICY_DENIED', effect: 'deny' },
        ...{ rule: 'developers', rule_index: 0, user: 'alice', account: '777788889999' },
        policy: { sha256: createHash('sha256').update(policy).digest('hex') },
      })
      assert.match(String(refused?.reason), /developers may use dev/)
      assert.ok(!('access_key_id' in (refused ?? {})))
    })
  }

  test('counts the repeats of a refusal in one more record', async () => {
    await using scene = await openScene()

    const child = ['exec', '--server', '--lazy', 'prod', '--', ...asking(5)]
    const { stdout, stderr } = await scene.sentinel(child)

    assert.equal(stdout.match(/^403 PolicyDenied$/gm)?.length, 5)
    assert.equal(stderr.match(/prod is refused/g)?.length, 1)
    const refused = scene.log().filter(({ type }) => type === 'refused')
    assert.equal(refused.length, 2)
    assert.equal(refused[1]?.of, refused[0]?.request_id)
    assert.equal(refused[1]?.repeats, 4)
  })

  test('is for its owner alone, in a directory that is too', async () => {
    await using scene = await openScene()
    const line = 'umask 0; exec "$SENTINEL" --allow-endpoint-override export dev'
    await scene.run(['sh', '-c', line])
    const mode = (path: string) => statSync(join(scene.home, path)).mode & 0o777
    assert.deepEqual([mode(LOG), mode(DIRECTORY)], [0o600, 0o700])
  })

  test('is where --log-file, SENTINEL_LOG_FILE or XDG_STATE_HOME say', async () => {
    await using scene = await openScene()
    const elsewhere = join(scene.home, 'state')

    await scene.sentinel(['export', 'dev', '--log-file', 'a/log.jsonl'])
    await scene.sentinel(['export', 'dev'], { env: { SENTINEL_LOG_FILE: 'b/log.jsonl' } })
    await scene.sentinel(['export', 'dev'], { env: { XDG_STATE_HOME: elsewhere } })

    for (const path of ['a/log.jsonl', 'b/log.jsonl', 'state/sentinel/decisions.jsonl']) {
      assert.equal(scene.log(path).length, 3, path)
    }
    assert.deepEqual(scene.log(), [])
  })

  test('is shown on stderr as well with --log-stderr, and stdout stays as it is', async () => {
    await using scene = await openScene()
    const { stdout, stderr } = await scene.sentinel(['export', '--log-stderr', 'dev'])
    const mirrored = stderr.split('\n').filter((line) => line.startsWith('{'))
    assert.deepEqual(
      mirrored.map((line) => JSON.parse(line)),
      scene.log(),
    )
    assert.doesNotMatch(stdout, /\{/)
  })

  for (const [why, env] of Object.entries({
    old: { SENTINEL_LOG_MAX_AGE: '1h' },
    full: { SENTINEL_LOG_MAX_SIZE: '64KiB' },
  })) {
    test(`moves on to another file when the first is ${why}, as the settings say`, async () => {
      await using scene = await openScene()
      const path = join(scene.home, LOG)
      await writeOldLog(path, why === 'full' ? 64 * 1024 : 1)
      await scene.sentinel(['export', 'dev'])
      assert.deepEqual(rotatedFiles(path), [])

      const { status, stderr } = await scene.sentinel(['export', 'dev'], { env })

      assert.equal(status, 0)
      assert.doesNotMatch(stderr, /decision log/)
      const [rotated = '', ...more] = rotatedFiles(path)
      assert.deepEqual(more, [])
      assert.equal(statSync(rotated).mode & 0o777, 0o600)
      assert.deepEqual(
        scene.log().map(({ type }) => type),
        ['start', 'issued', 'stop'],
      )
      const { problems, streams } = verifyLog(readWholeLog(path))
      assert.deepEqual(problems, [])
      // The stream that wrote to the first file, and the run after it.
      assert.equal(Object.keys(scene.log()[0]?.heads ?? {}).length, 2)
      assert.equal(streams.size, 3)
    })
  }

  test('takes runs that end at the same time, each on a chain of its own', async () => {
    await using scene = await openScene()
    await Promise.all(Array.from({ length: 4 }, () => scene.sentinel(['export', 'dev'])))
    const { problems, streams } = verifyLog(readFileSync(join(scene.home, LOG), 'utf8'))
    assert.deepEqual(problems, [])
    assert.deepEqual(
      [...streams.values()].map(({ length }) => length),
      [3, 3, 3, 3],
    )
  })
})

/** Logs that cannot be written, even by root. */
const UNWRITABLE: Record<string, { arrange(scene: Scene): void; path?: string; status: number }> = {
  'a directory': {
    arrange: ({ home }) => void mkdirSync(join(home, LOG), { recursive: true, mode: 0o700 }),
    status: 5,
  },
  'below a file': {
    arrange: (scene) => void scene.write('plain', ''),
    path: 'plain/log.jsonl',
    status: 6,
  },
  'a link': {
    arrange(scene) {
      symlinkSync(scene.write('plain', ''), join(scene.home, 'link.jsonl'))
    },
    path: 'link.jsonl',
    status: 5,
  },
  'a device': { arrange() {}, path: '/dev/full', status: 5 },
  'for others to read': {
    arrange: (scene) => chmodSync(scene.write('log.jsonl', ''), 0o644),
    path: 'log.jsonl',
    status: 5,
  },
}

suite('a log that is', { concurrency: 2 }, () => {
  for (const [what, { arrange, path, status }] of Object.entries(UNWRITABLE)) {
    test(`${what} issues nothing, and AWS is not asked`, async () => {
      await using scene = await openScene()
      arrange(scene)
      const env = { SENTINEL_LOG_FILE: path }

      for (const args of [
        ['export', 'dev'],
        ['exec', '--server', 'dev', '--', 'echo', 'reached'],
      ]) {
        const result = await scene.sentinel(args, { env })

        assert.deepEqual([result.status, result.stdout], [status, ''], result.stderr)
        assert.equal(result.stderr.match(/^error: /gm)?.length, 1)
        assert.match(result.stderr, /^hint: /m)
      }
      assert.deepEqual(scene.aws.journal, [])
    })
  }

  for (const command of ['export dev', 'exec dev -- echo reached', 'exec --server dev -- true']) {
    test(`on a full file system gives no credential to ${command}`, async () => {
      await using scene = await openScene()
      // No file may grow beyond nothing: what a full disk does, but for this process only.
      const line = `ulimit -f 0; exec "$SENTINEL" --allow-endpoint-override ${command}`

      const { status, stdout, stderr } = await scene.run(['sh', '-c', line])

      assert.deepEqual([status, stdout], [6, ''], stderr)
      assert.match(stderr, /^error: decision log .* cannot be written: EFBIG.*\nhint: make room/m)
      assert.equal(stderr.match(/cannot be written/g)?.length, 1)
    })
  }

  test('lost while a server runs gives 503, and credentials when it is back', async () => {
    await using scene = await openScene()
    const child = `mv ${LOG} old; mkdir ${LOG}; "$@" 3 50; rmdir ${LOG}; mv old ${LOG}; "$@" 6 1000`
    const words = ['sh', '-c', child, 'sh', process.execPath, ASK_SERVER]

    const { status, stdout, stderr } = await scene.sentinel([
      ...['exec', '--server', '--lazy', 'dev', '--'],
      ...words,
    ])

    assert.equal(status, 0)
    const [during = '', after = ''] = stdout.split('ready\n').slice(1)
    assert.equal(during, '503 LogUnavailable\n'.repeat(3))
    // Within 5 s: the first or the second of these may come too soon.
    assert.match(after, /^(?:503 LogUnavailable\n){0,5}(?:200 ASIADEMO\w+\n)+$/)
    assert.equal(stderr.match(/cannot be written/g)?.length, 1, stderr)
    const { problems } = verifyLog(readFileSync(join(scene.home, LOG), 'utf8'))
    assert.deepEqual(problems, [])
    const given = new Set(after.match(/ASIADEMO\w+/g))
    const recorded = scene.log().filter(({ type }) => type === 'issued')
    assert.deepEqual([...given], recorded.map(({ access_key_id: id }) => id).slice(-1))
  })

  for (const gate of ['exec', 'exec --server']) {
    test(`lost at the end leaves ${gate} its command's status, and says so`, async () => {
      await using scene = await openScene()
      const child = `mv ${LOG} old; mkdir ${LOG}; exit 7`
      const words = [...gate.split(' '), 'dev', '--', 'sh', '-c', child]
      const { status, stderr } = await scene.sentinel(words)
      assert.equal(status, 7)
      assert.match(stderr, /^warning: decision log .* cannot be written/m)
    })
  }
})

/** A log of two hours ago, of `size` bytes at least. */
async function writeOldLog(path: string, size: number): Promise<void> {
  const then = Date.now() - 2 * 3_600_000
  const now = () => ({ wall: then, monotonic: 0 })
  await using log = await openDecisionLog({
    ...{ path, stream: streamOf('old'), host: 'host.example', pid: 1, uid: process.getuid?.() },
    clock: { now, aws: () => then, learn() {} },
  })
  do {
    await log.append({ type: 'refused', outcome: 'refused', reason: 'x'.repeat(2000) })
  } while (statSync(path).size < size)
}

/** What every record of a run has. */
function assertCommon(record: Record<string, unknown>, mode: string): void {
  assert.partialDeepStrictEqual(record, { v: 1, profile: 'dev', mode, role_arn: ROLES.dev })
  assert.match(String(record.stream), /^[a-z2-7]{20}$/)
  assert.match(String(record.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.match(String(record.prev), /^[0-9a-f]{64}$/)
  assert.ok(Number(record.seq) >= 1 && Number(record.pid) > 1 && String(record.host) !== '')
}

/** What is told of an issuance: enough to decide it again, and to find it in CloudTrail. */
function assertIssued(record: Record<string, unknown>, { aws, home }: Scene): void {
  const call = aws.journal.find(({ operation }) => operation === 'AssumeRole')
  assert.partialDeepStrictEqual(record, {
    ...{ type: 'issued', outcome: 'issued', effect: 'allow', basis: 'policy' },
    ...{ user: 'alice', principal: 'arn:aws:iam::111122223333:user/alice', stamped: true },
    ...{ rule: 'developers', rule_index: 0, account: '777788889999' },
    source_identity: call?.parameters.SourceIdentity,
    access_key_id: call?.issued?.accessKeyId,
    duration_seconds: call?.parameters.DurationSeconds,
    policy: {
      reference: `file:${join(home, 'policy.yaml')}`,
      sha256: createHash('sha256').update(POLICY).digest('hex'),
    },
  })
  const end = Math.floor((call?.issued?.expiration ?? 0) / 1000) * 1000
  assert.equal(Date.parse(String(record.expires_at)), end)
  assert.equal(record.source_identity, `sentinel=alice=policy=${record.request_id}`)
}
