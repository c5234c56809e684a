import assert from 'node:assert/strict'
import { appendFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { LogRecord } from '../../src/domain/log-record.ts'
import { openScene, POLICY, type Scene } from '../fixtures/scene.ts'

/** A log as some writer left it, and as it goes on. Nobody verifies it here. */
function logOf(scene: Scene, path: string) {
  let seq = 0
  const line = (record: LogRecord & Record<string, unknown>) => {
    seq += 1
    const time = new Date(Date.now() - 60_000 + seq).toISOString()
    const place = { v: 1, stream: 'mfzwizltoq3tsnbqgaya', seq }
    const whole = { ...place, time, ...record, host: 'laptop', pid: 4711, prev: '0'.repeat(64) }
    return `${JSON.stringify(whole)}\n`
  }
  const file = scene.write(path, '')
  return {
    file,
    append: (record: LogRecord & Record<string, unknown>) => appendFileSync(file, line(record)),
    /** As a writer does it when the file is full. */
    rotate(name: string) {
      renameSync(file, join(scene.home, `${path}.${name}`))
      scene.write(path, '')
    },
  }
}

suite('audit show, stats and replay', { concurrency: 2 }, () => {
  test('answer what was issued and refused, to whom and why', async () => {
    await using scene = await openScene()
    await scene.sentinel(['export', 'dev'])
    await scene.sentinel(['export', 'prod'])
    await scene.sentinel(['exec', 'dev', '--', 'true'])
    const all = scene.log()

    const show = async (...args: string[]) => {
      const { status, stdout, stderr } = await scene.sentinel(['audit', 'show', ...args])
      assert.equal(status, 0, stderr)
      return stdout
    }
    const records = async (...args: string[]) => JSON.parse(await show('--format', 'json', ...args))

    assert.deepEqual(await records('--all'), all)
    assert.deepEqual(
      await records(),
      all.filter(({ type }) => type === 'issued' || type === 'refused'),
    )
    const refused = all.filter(({ type }) => type === 'refused')
    assert.equal(refused.length, 1)
    for (const filter of [
      '--outcome=refused',
      '--profile=prod',
      '--effect=deny',
      '--type=refused',
    ]) {
      assert.deepEqual(await records(filter, '--user=alice', '--since=1h'), refused, filter)
    }
    assert.deepEqual(
      await records('--request', String(refused[0]?.request_id).slice(0, 8)),
      refused,
    )
    assert.deepEqual(await records('--since=1h', '--until=30m'), [])
    assert.match(
      await show('--rule', 'developers', '--limit', '1'),
      /^TIME .*\n\S+Z {2}issued +alice/,
    )

    const { stdout } = await scene.sentinel(['audit', 'stats', '--by', 'rule'])
    assert.match(stdout, /\ndevelopers +2 +0 +0 +0\n\(no rule\) +0 +0 +1 +0\n/)
  })

  test('say in words that nothing matches, and that there is no log', async () => {
    await using scene = await openScene()
    const none = await scene.sentinel(['audit', 'show'])
    assert.equal(none.status, 4, none.stderr)

    await scene.sentinel(['export', 'dev'])
    const { status, stdout, stderr } = await scene.sentinel(['audit', 'show', '--user', 'nobody'])
    assert.deepEqual([status, stdout], [0, ''])
    assert.match(stderr, /\/decisions\.jsonl has no record that matches\n$/)
  })

  test('print CSV that no spreadsheet runs, and no line that repaints a terminal', async () => {
    await using scene = await openScene()
    const log = logOf(scene, 'log.jsonl')
    log.append({
      type: 'request.created',
      user: '=HYPERLINK("http://evil.example")',
      profile: '@prod',
      justification: '+1\u001b]0;x\u0007,"quoted"\nsecond line',
    })

    const csv = await scene.sentinel(['audit', 'show', log.file, '--format', 'csv'])
    assert.equal(csv.status, 0, csv.stderr)
    assert.ok(csv.stdout.includes(`,"'=HYPERLINK(""http://evil.example"")",`), csv.stdout)
    assert.ok(csv.stdout.includes(`,'@prod,`), csv.stdout)
    assert.ok(csv.stdout.includes(`"'+1\\u001b]0;x\\u0007,""quoted""\nsecond line"`), csv.stdout)

    const table = await scene.sentinel(['audit', 'show', log.file])
    assert.match(table.stdout, /^[\x20-\x7e…]+\n[\x20-\x7e…]+\n$/)
    const stats = await scene.sentinel(['audit', 'stats', log.file, '--format', 'csv'])
    assert.match(stats.stdout, /^by,key,sum,/)
  })

  test('follow a log over a rotation, until Ctrl-C', async () => {
    await using scene = await openScene()
    const log = logOf(scene, 'log.jsonl')
    const issue = (user: string) => log.append({ type: 'issued', outcome: 'issued', user })
    for (const user of ['old-1', 'old-2', 'bob', 'old-3']) issue(user)

    const following = ['audit', 'show', '--follow', '--limit', '2', '--log-file', log.file]
    const running = scene.start([...following, '--user', 'old*', '--output', 'json'])
    await running.saw(/"user":"old-3"/)
    issue('bob')
    issue('old-4')
    await running.saw(/"user":"old-4"/)
    log.rotate('20260114T090000123Z')
    issue('old-5')
    await running.saw(/"user":"old-5"/)
    issue('old-6')
    await running.saw(/"user":"old-6"/)
    running.process.kill('SIGINT')

    const { signal, stdout } = await running.ended
    assert.equal(signal, 'SIGINT')
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).user),
      ['old-2', 'old-3', 'old-4', 'old-5', 'old-6'],
    )
  })

  test('replay what was decided, and fail on change where that is asked for', async () => {
    await using scene = await openScene()
    await scene.sentinel(['export', 'dev'])
    await scene.sentinel(['export', 'prod'])
    const policies = {
      same: POLICY,
      renamed: POLICY.replace('name: developers', 'name: others'),
      capped: `${POLICY}    max_duration: 15m\n`,
      stricter: POLICY.replace('effect: allow', 'effect: deny'),
      looser: POLICY.replace('profiles: [dev]', 'profiles: [dev, prod]'),
      broken: POLICY.replace('effect: allow', 'effect: alow'),
    }
    const replay = async (name: keyof typeof policies, ...args: string[]) => {
      const file = scene.write(`${name}.yaml`, policies[name])
      return await scene.sentinel(['audit', 'replay', '--policy', file, ...args])
    }
    const statuses: Record<string, unknown> = {}
    for (const name of ['same', 'renamed', 'capped', 'stricter', 'looser', 'broken'] as const) {
      const { status, stdout } = await replay(name, '--fail-on-change', '--format', 'json')
      const { changes, decided } = stdout === '' ? {} : JSON.parse(stdout)
      statuses[name] = [status, decided, changes && Object.values(changes)]
    }
    assert.deepEqual(statuses, {
      same: [0, 2, [0, 0, 0, 0]],
      renamed: [0, 2, [0, 0, 1, 0]],
      capped: [0, 2, [0, 0, 0, 1]],
      stricter: [1, 2, [1, 0, 0, 0]],
      looser: [1, 2, [0, 1, 0, 0]],
      broken: [5, undefined, undefined],
    })
    const { status, stdout } = await replay('stricter')
    assert.equal(status, 0)
    assert.match(
      stdout,
      /allowed then, refused now:\n {2}1 × alice, dev: developers → developers\n/,
    )
  })
})
