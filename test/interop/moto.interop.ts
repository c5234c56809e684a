import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Keys, MOTO_ACCOUNT, MOTO_REGION, type Moto, openMoto } from '../fixtures/moto.ts'
import { BINARY, type Result, type Scene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'
import { AWS_CLI, BOTO3, CLIENTS, type Client, POLL } from './clients.ts'
import { openMotoScene, ROLE } from './moto-scene.ts'

const PARAMETER = '/sentinel/policies/default'

const policy = (rules: string) => `\
version: "1"
principal_accounts: ["${MOTO_ACCOUNT}"]
profiles: { prod: { role: "${ROLE}" } }
rules: ${rules}
`
const ALLOWED = policy('[{ name: engineers, effect: allow, conditions: { profiles: [prod] } }]')
const REMOVED = policy('[{ name: others, effect: allow, conditions: { profiles: [dev] } }]')

/** The flags of somebody who keeps the policy in SSM, in an AWS that is not the real one. */
const gated = (parameter = PARAMETER) => [
  '--profile',
  'prod',
  '--policy-parameter',
  parameter,
  '--allow-endpoint-override',
]

const needs = (...clients: readonly Client[]) => ({
  skip: missing('moto_server', ...clients.flatMap((client) => client.needs)),
})

suite('with moto for AWS', { concurrency: 3 }, () => {
  let moto: Moto
  let alice: Keys
  before(async () => {
    if (needs().skip) return
    moto = await openMoto()
    alice = await moto.createUser('alice')
    await moto.putParameter(PARAMETER, ALLOWED)
  })
  after(() => moto?.[Symbol.asyncDispose]())

  test('a server stops issuing within 35 s of the rule being removed', needs(BOTO3), async () => {
    await using scene = await openMotoScene(moto, { base: alice })
    const parameter = '/sentinel/policies/removed-under-a-server'
    await moto.putParameter(parameter, ALLOWED)

    const words = [BINARY, 'exec', '--server', ...gated(parameter), '--', ...POLL]
    const running = scene.launch(words)
    await running.saw(/served/)
    await moto.putParameter(parameter, REMOVED)
    const removedAt = Date.now()
    const run = await running.ended

    assert.equal(run.status, 0, run.stderr)
    const lastServedAt = Number(run.stdout.match(/(?<=served )\d+/g)?.at(-1))
    assert.ok(lastServedAt - removedAt < 35_000, `${lastServedAt - removedAt} ms`)
    assert.match(run.stdout, /403.*no rule/)
    assert.match(run.stderr, /no rule/)
    const [refused] = scene.log().filter(({ type }) => type === 'refused')
    assert.partialDeepStrictEqual(refused, { policy: { version: 2 }, outcome: 'refused' })
  })

  for (const words of [['exec', '--server'], ['exec']]) {
    for (const client of CLIENTS) {
      test(`${words.join(' ')} makes ${client.name} the assumed role`, needs(client), async () => {
        await using scene = await openMotoScene(moto, { base: alice })

        const run = await scene.run([BINARY, ...words, ...gated(), '--', ...client.command])

        assertIsIssued(run, scene, 'alice')
      })
    }
  }

  test(
    'exec --server serves whoever has keys that moto does not know',
    needs(AWS_CLI),
    async () => {
      const base = { accessKeyId: 'testing', secretAccessKey: 'testing' }
      await using scene = await openMotoScene(moto, { base })

      const words = [BINARY, 'exec', '--server', ...gated(), '--', ...AWS_CLI.command]
      const run = await scene.run(words)

      assertIsIssued(run, scene, 'moto')
    },
  )

  for (const client of [AWS_CLI, BOTO3]) {
    test(`credentials is a credential_process for ${client.name}`, needs(client), async () => {
      const config = processProfile('gated', [BINARY, 'credentials', ...gated()])
      await using scene = await openMotoScene(moto, { base: alice, config })

      const run = await scene.run(client.command, { env: { AWS_PROFILE: 'gated' } })

      assertIsIssued(run, scene, 'alice')
    })
  }

  test('export is evaluated by a shell', needs(AWS_CLI), async () => {
    await using scene = await openMotoScene(moto, { base: alice })
    const words = [BINARY, 'export', ...gated(), '--format', 'export-env'].join(' ')

    const run = await scene.run(['sh', '-c', `eval "$(${words})" && ${AWS_CLI.command.join(' ')}`])

    assertIsIssued(run, scene, 'alice')
  })

  test(
    'without a rule there is nothing from exec, credentials or export',
    needs(AWS_CLI),
    async () => {
      const parameter = '/sentinel/policies/removed'
      await moto.putParameter(parameter, REMOVED)
      const config = processProfile('gated', [BINARY, 'credentials', ...gated(parameter)])
      await using scene = await openMotoScene(moto, { base: alice, config })

      const exec = await scene.run([BINARY, 'exec', ...gated(parameter), '--', ...AWS_CLI.command])
      const process = await scene.run(AWS_CLI.command, { env: { AWS_PROFILE: 'gated' } })
      const printed = await scene.run([BINARY, 'export', ...gated(parameter)])

      assert.deepEqual([exec.status, exec.stdout, printed.status, printed.stdout], [3, '', 3, ''])
      assert.notEqual(process.status, 0)
      for (const { stderr } of [exec, process, printed]) assert.match(stderr, /no rule/)
      const types = scene.log().map(({ type }) => type)
      assert.equal(types.filter((type) => type === 'refused').length, 3)
      assert.ok(!types.includes('issued'))
    },
  )

  test(
    'a credential_process that needs itself ends with the layout to use',
    needs(AWS_CLI),
    async () => {
      const words = [BINARY, 'credentials', '--profile', 'loop', ...gated().slice(2)]
      const loop = `[profile loop]\nrole_arn = ${ROLE}\nsource_profile = gated\n`
      const config = processProfile('gated', words) + loop
      await using scene = await openMotoScene(moto, { base: alice, config })

      const run = await scene.run(AWS_CLI.command, { env: { AWS_PROFILE: 'gated' } })

      assert.notEqual(run.status, 0)
      assert.match(run.stderr, /needs Sentinel's credentials for itself/)
      assert.match(run.stderr, /keep the role in a profile of its own/)
    },
  )

  test('a policy too long for a parameter is stored compressed', needs(AWS_CLI), async () => {
    await using scene = await openMotoScene(moto, { base: alice })
    const parameter = '/sentinel/policies/long'
    const comment = '# a comment that explains the rule above\n'.repeat(500)
    const packed = gzipSync(ALLOWED + comment).toString('base64')
    await moto.putParameter(parameter, `#sentinel:gzip+base64\n${packed}\n`)

    const run = await scene.run([BINARY, 'exec', ...gated(parameter), '--', ...AWS_CLI.command])

    assertIsIssued(run, scene, 'alice')
  })
})

function processProfile(name: string, words: readonly string[]): string {
  return `[profile ${name}]\nregion = ${MOTO_REGION}\ncredential_process = ${words.join(' ')}\n`
}

/** The caller that AWS named is the session of the one issuance in the log. */
function assertIsIssued(
  { status, stdout, stderr }: Result,
  scene: Pick<Scene, 'log'>,
  user: string,
): void {
  assert.equal(status, 0, stderr)
  const [issued, ...more] = scene.log().filter(({ type }) => type === 'issued')
  assert.deepEqual(more, [])
  assert.partialDeepStrictEqual(issued, { user, profile: 'prod', role_arn: ROLE })
  const [, session] = /:assumed-role\/Prod\/([^"]+)"/.exec(stdout) ?? assert.fail(stdout)
  assert.equal(session, `${user}-${issued?.request_id}`)
}
