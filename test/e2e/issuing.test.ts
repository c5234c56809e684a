import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import { EFFECTS } from '../../src/domain/policy/types.ts'
import { openScene, type Result, type Scene } from '../fixtures/scene.ts'

/** A command of the child that prints what the SDK of its time would be told: nothing is mocked. */
const PRINT_KEY = ['sh', '-c', 'echo "$AWS_ACCESS_KEY_ID"']
const ASK_SERVER = ['sh', '-c', '"$SENTINEL" demo-client']

/** The four ways to a credential, and the access key id each of them hands out. */
const WAYS: Record<string, { mode: string; run(scene: Scene): Promise<Result>; key: RegExp }> = {
  exec: {
    mode: 'cli',
    run: (scene) => scene.sentinel(['exec', 'dev', '--', ...PRINT_KEY]),
    key: /^(ASIADEMO\w+)$/m,
  },
  'exec --server': {
    mode: 'server',
    run: (scene) =>
      scene.sentinel(['exec', '--server', 'dev', '--', ...ASK_SERVER], {
        env: { SENTINEL: `${process.cwd()}/dist/sentinel`, AWS_ENDPOINT_URL_STS: scene.aws.url },
      }),
    key: /"accessKeyId":"(ASIADEMO\w+)…"/,
  },
  credentials: {
    mode: 'credential_process',
    run: (scene) => scene.sentinel(['credentials', '--profile', 'dev']),
    key: /"AccessKeyId":"(ASIADEMO\w+)"/,
  },
  export: {
    mode: 'cli',
    run: (scene) => scene.sentinel(['export', 'dev']),
    key: /^AWS_ACCESS_KEY_ID=(ASIADEMO\w+)$/m,
  },
}

function policyWith(effect: string, conditions: string): string {
  return `\
version: "1"
principal_accounts: ["111122223333"]
profiles: { dev: { role: "${ROLES.dev}" } }
rules:
  - name: the-rule
    effect: ${effect}
    conditions: ${conditions}
    reason: because of the test
`
}

suite('issuing, by effect, mode and command', () => {
  for (const [command, { mode, run, key }] of Object.entries(WAYS)) {
    for (const effect of EFFECTS) {
      const isAllowed = effect === 'allow' || (effect === 'require_server' && mode === 'server')
      test(`${command} under ${effect} ${isAllowed ? 'issues' : 'refuses'}`, async () => {
        await using scene = await openScene()
        scene.write('policy.yaml', policyWith(effect, '{ profiles: [dev] }'))

        const result = await run(scene)

        if (isAllowed) await assertIssued(scene, result, { key, mode, effect })
        else await assertRefused(scene, result, { mode, effect })
      })
    }

    for (const ruleMode of ['server', 'cli', 'credential_process']) {
      const isAllowed = ruleMode === mode
      test(`${command} under a rule for mode ${ruleMode} ${isAllowed ? 'issues' : 'refuses'}`, async () => {
        await using scene = await openScene()
        scene.write('policy.yaml', policyWith('allow', `{ profiles: [dev], mode: [${ruleMode}] }`))

        const result = await run(scene)

        assert.equal(result.status, isAllowed ? 0 : 3, result.stderr)
        assert.equal(scene.answered('AssumeRole'), isAllowed ? 1 : 0)
      })
    }
  }
})

interface Expected {
  readonly mode: string
  readonly effect: string
}

async function assertIssued(
  scene: Scene,
  { status, stdout, stderr }: Result,
  { key, mode, effect }: Expected & { key: RegExp },
): Promise<void> {
  assert.equal(status, 0, stderr)
  const [, accessKeyId = ''] = key.exec(stdout) ?? assert.fail(`no key in ${stdout}`)
  const issued = scene.log().filter(({ type }) => type === 'issued')
  assert.equal(issued.length, 1)
  const [record = {}] = issued
  assert.partialDeepStrictEqual(record, { mode, effect, rule: 'the-rule', basis: 'policy' })
  assert.ok(String(record.access_key_id).startsWith(accessKeyId))
  const call = scene.aws.journal.find(({ operation }) => operation === 'AssumeRole')
  assert.equal(call?.parameters.SourceIdentity, record.source_identity)
  assert.match(String(call?.parameters.RoleSessionName), new RegExp(`-${record.request_id}$`))
}

async function assertRefused(
  scene: Scene,
  { status, stdout, stderr }: Result,
  { mode, effect }: Expected,
): Promise<void> {
  assert.equal(status, 3, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^error: .*the-rule/m)
  assert.equal(stderr.match(/^error: /gm)?.length, 1)
  assert.equal(stderr.match(/^hint: /gm)?.length, 1)
  assert.equal(scene.answered('AssumeRole'), 0)
  const refused = scene.log().filter(({ type }) => type === 'refused')
  assert.equal(refused.length, 1)
  assert.partialDeepStrictEqual(refused[0], { mode, effect, rule: 'the-rule', outcome: 'refused' })
}
