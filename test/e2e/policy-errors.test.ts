import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import { openScene, POLICY, type Result, type Scene } from '../fixtures/scene.ts'

interface BrokenPolicy {
  arrange(scene: Scene): void
  /** Where it is, if not in its usual place. */
  readonly path?: string
  /** Of the `error:` line, the place included where there is one. */
  readonly error: RegExp
  readonly hint: RegExp
  readonly isSkipped?: string | false
}

const isRoot = process.getuid?.() === 0

/** Puts `text` in the place of the policy. */
function written(text: string, error: RegExp, hint: RegExp): BrokenPolicy {
  return { arrange: (scene) => void scene.write('policy.yaml', text), error, hint }
}

const BROKEN: Record<string, BrokenPolicy> = {
  'a misspelt key': written(
    POLICY.replace('conditions:', 'condition:'),
    /policy\.yaml:9:5: .*"condition"/,
    /conditions/,
  ),
  'a misspelt condition': written(
    POLICY.replace('users:', 'user:'),
    /policy\.yaml:9:\d+: .*"user"/,
    /users/,
  ),
  'an alias bomb': written(aliasBomb(), /policy\.yaml:\d+:\d+: .*(alias|anchor)/, /./),
  'a document of 1 MB': written(
    `${POLICY}#${'x'.repeat(1024 * 1024)}\n`,
    /policy\.yaml:\d+:\d+: .*larger than 65536 bytes/,
    /./,
  ),
  'an unknown effect': written(
    POLICY.replace('effect: allow', 'effect: alow'),
    /policy\.yaml:8:13: .*"alow"/,
    /allow/,
  ),
  'no rules': written(POLICY.replace(/rules:[\s\S]*/, ''), /policy\.yaml:1:1: .*rules/, /rules/),
  'an empty list of rules': written(
    POLICY.replace(/rules:[\s\S]*/, 'rules: []\n'),
    /policy\.yaml:6:8: /,
    /./,
  ),
  'a key twice': written(
    POLICY.replace('effect: allow', 'effect: allow\n    effect: deny'),
    /policy\.yaml:9:5: .*effect/,
    /./,
  ),
  'a zone that does not exist': written(
    withTime('{ hours: { start: "09:00", end: "17:00" }, timezone: Europe/Berlim }'),
    /policy\.yaml:9:\d+: .*Europe\/Berlim/,
    /Europe\/Berlin/,
  ),
  'no zone': written(
    withTime('{ hours: { start: "09:00", end: "17:00" } }'),
    /policy\.yaml:9:\d+: .*timezone/,
    /./,
  ),
  'another version': written(
    POLICY.replace('version: "1"', 'version: "2"'),
    /policy\.yaml:1:10: .*"2"/,
    /"1"/,
  ),
  'a file that its group may write to': {
    arrange: (scene) => chmodSync(join(scene.home, 'policy.yaml'), 0o664),
    error: /policy\.yaml may be changed by other users/,
    hint: /chmod go-w .*policy\.yaml/,
  },
  'a directory that others may write to': {
    arrange(scene) {
      scene.write('shared/policy.yaml', POLICY)
      chmodSync(join(scene.home, 'shared'), 0o777)
    },
    path: 'shared/policy.yaml',
    error: /shared may be changed by other users/,
    hint: /chmod go-w .*shared$/,
  },
  'no file': {
    arrange: (scene) => rmSync(join(scene.home, 'policy.yaml')),
    error: /there is no policy at .*policy\.yaml/,
    hint: /--policy/,
  },
  'a link to a file that others may write to': {
    arrange(scene) {
      const target = scene.write('shared/policy.yaml', POLICY)
      chmodSync(target, 0o666)
      linkPolicy(scene, target)
    },
    error: /shared\/policy\.yaml may be changed by other users/,
    hint: /chmod go-w .*shared\/policy\.yaml/,
  },
  "a link to a stranger's file": {
    arrange(scene) {
      const target = scene.write('shared/policy.yaml', POLICY)
      chownSync(target, 4242, 4242)
      linkPolicy(scene, target)
    },
    error: /shared\/policy\.yaml belongs to another user/,
    hint: /chown 0 .*shared\/policy\.yaml/,
    isSkipped: !isRoot && 'only root can give files away',
  },
  'a directory in its place': {
    arrange(scene) {
      rmSync(join(scene.home, 'policy.yaml'))
      mkdirSync(join(scene.home, 'policy.yaml'), { mode: 0o700 })
    },
    error: /policy\.yaml is not a regular file/,
    hint: /regular file/,
  },
}

const COMMANDS: Record<string, string[]> = {
  exec: ['exec', 'dev', '--', 'echo', 'reached'],
  'exec --server': ['exec', '--server', 'dev', '--', 'echo', 'reached'],
  'exec --server --lazy': ['exec', '--server', '--lazy', 'dev', '--', 'echo', 'reached'],
  credentials: ['credentials', '--profile', 'dev'],
  export: ['export', 'dev'],
}

suite('a policy with', { concurrency: 2 }, () => {
  const commands = Object.values(COMMANDS)
  for (const [index, [what, broken]] of Object.entries(BROKEN).entries()) {
    // Each meets one of the commands; that all of them do the same is shown below.
    const args = commands[index % commands.length] ?? []
    test(`${what} issues nothing`, { skip: broken.isSkipped ?? false }, async () => {
      await using scene = await openScene()
      broken.arrange(scene)
      const env = broken.path && { SENTINEL_POLICY: `file:${join(scene.home, broken.path)}` }

      assertNothingIssued(scene, await scene.sentinel(args, { env: env || {} }), broken)
    })
  }

  for (const [command, args] of Object.entries(COMMANDS)) {
    test(`a misspelt key stops ${command}`, async () => {
      await using scene = await openScene()
      const broken = BROKEN['a misspelt key'] ?? assert.fail()
      broken.arrange(scene)

      assertNothingIssued(scene, await scene.sentinel(args), broken)
    })
  }
})

suite('without a policy that is valid', { concurrency: 2 }, () => {
  test('commands that need one lead to what is wrong with the very policy they were given', async () => {
    await using scene = await openScene()
    scene.write('my policy.yaml', POLICY.replace('effect: allow', 'effect: alow'))
    for (const command of ['requests', 'breakglass list', 'init tables --plan']) {
      const args = [...command.split(' '), '--policy', 'my policy.yaml']
      const { status, stderr } = await scene.sentinel(args, { isPlain: true })
      assert.equal(status, 5)
      assert.match(stderr, /^hint: .*: sentinel policy validate --policy 'my policy\.yaml'$/m)
    }
  })

  test('policy validate lists every problem with its place, as JSON too', async () => {
    await using scene = await openScene()
    const text = POLICY.replace('effect: allow', 'effect: alow').replace('reason:', 'raeson:')
    const file = scene.write('policy.yaml', text)

    const [shown, json] = await Promise.all([
      scene.sentinel(['policy', 'validate', file], { isPlain: true }),
      scene.sentinel(['policy', 'validate', file, '--output', 'json'], { isPlain: true }),
    ])

    assert.equal(shown.status, 5)
    assert.match(shown.stdout, /policy\.yaml:8:13: .*\n.*policy\.yaml:10:5: /)
    assert.equal(json.status, 5)
    const { valid, problems } = JSON.parse(json.stdout)
    assert.equal(valid, false)
    assert.partialDeepStrictEqual(problems, [
      { line: 8, column: 13 },
      { line: 10, column: 5 },
    ])
  })

  test('policy explain decides nothing', async () => {
    await using scene = await openScene()
    scene.write('policy.yaml', POLICY.replace('effect: allow', 'effect: alow'))

    const { status, stdout, stderr } = await scene.sentinel(['policy', 'explain', 'dev'])

    assert.deepEqual([status, stdout], [5, ''])
    assert.match(stderr, /^error: .*policy\.yaml:8:13: /m)
  })

  test('nothing is issued when no policy is named at all', async () => {
    await using scene = await openScene()

    const env = { SENTINEL_POLICY: undefined }
    const result = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })

    assert.equal(result.status, 5)
    assert.match(result.stderr, /^error: no policy is configured/m)
    assert.deepEqual(scene.aws.journal, [])
  })
})

/** Exit 5, one error with its place, one hint, no AssumeRole, and a record of the refusal. */
function assertNothingIssued(
  scene: Scene,
  { status, stdout, stderr }: Result,
  { error, hint }: BrokenPolicy,
): void {
  assert.equal(status, 5, stderr)
  assert.equal(stdout, '')
  assertOneLine(stderr, 'error', error)
  assertOneLine(stderr, 'hint', hint)
  assert.doesNotMatch(stderr, /^bug:/m)
  assert.equal(scene.answered('AssumeRole'), 0)
  const records = scene.log()
  assert.deepEqual(
    records.map(({ type }) => type),
    ['start', 'refused', 'stop'],
  )
  assert.partialDeepStrictEqual(records[1], { outcome: 'failed', profile: 'dev' })
  assert.match(String(records[1]?.code), /^(POLICY_|FILE_UNTRUSTED)/)
}

function assertOneLine(stderr: string, kind: string, expected: RegExp): void {
  const found = stderr.match(new RegExp(`^${kind}: .*$`, 'gm')) ?? []
  assert.equal(found.length, 1, stderr)
  assert.match(found[0] ?? '', expected)
}

function linkPolicy({ home }: Scene, target: string): void {
  const link = join(home, 'policy.yaml')
  rmSync(link)
  symlinkSync(target, link)
}

function withTime(time: string): string {
  return POLICY.replace('users: [alice] }', `users: [alice], time: ${time} }`)
}

/** Nine levels of nine aliases each: a few hundred bytes that stand for ten million leaves. */
function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const item = level === 0 ? `"${ROLES.dev}"` : `*l${level - 1}`
    return `l${level}: &l${level} [${Array(9).fill(item).join(', ')}]\n`
  })
  return `${levels.join('')}${POLICY}`
}
