import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempDisposableSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { World } from '../../src/demo/iam.ts'
import { DEMO_KEYS, ROLES, STORY } from '../../src/demo/world.ts'
import { Canaries } from '../fixtures/e2e/canaries.ts'
import { closedPort } from '../fixtures/e2e/loopback.ts'
import { CONFIG, openScene, POLICY, type Result, type Scene } from '../fixtures/scene.ts'

const ASK_SERVER = join(import.meta.dirname, '../fixtures/e2e/ask-server.ts')

/** Secrets of the sizes that the stand-in AWS draws: a secret key, and a session token. */
const DRAWN: Record<number, string> = { 30: 'a secret key', 240: 'a session token' }

/** What makes a Node program talk, and what would let somebody in. */
const TALKATIVE = {
  NODE_DEBUG: 'http,https,net,tls,stream,child_process,fetch,undici',
  NODE_DEBUG_NATIVE: 'http_client',
  NODE_OPTIONS: '--inspect=127.0.0.1:0 --trace-uncaught',
}

const CASES: Record<string, Record<string, string[]>> = {
  'what shows and decides': {
    whoami: ['whoami', 'dev'],
    'whoami as JSON': ['whoami', 'dev', '--output', 'json'],
    'config show': ['config', 'show'],
    'policy explain': ['policy', 'explain', 'dev'],
    'policy validate': ['policy', 'validate'],
    exec: ['exec', '--log-stderr', 'dev', '--', 'true'],
    'exec, refused': ['exec', 'prod', '--', 'true'],
    'exec --server, refused': ['exec', '--server', 'prod', '--', 'true'],
  },
  'what fails': {
    'a usage error': ['exec', 'dev', '--bogus'],
    'an unknown profile': ['exec', 'nowhere', '--', 'true'],
    'a wrong secret key': ['exec', 'wrong', '--', 'true'],
    'a credential_process that fails': ['exec', 'failing', '--', 'true'],
    'a credential_process that prints nonsense': ['exec', 'garbled', '--', 'true'],
    'a web identity without a stamp': ['exec', 'web', '--', 'true'],
    'a web identity that is refused': ['exec', 'web-refused', '--', 'true'],
  },
}

const EXEC = ['--verbose', 'exec', 'dev', '--', 'true']
const CREDENTIALS = ['--verbose', 'credentials', '--profile', 'dev']
const EXPORT = ['--verbose', 'export', 'dev']

const OUTCOMES = [
  { kind: 'garbage' },
  { kind: 'reset' },
  { kind: 'error', code: 'ExpiredToken', status: 403 },
] as const

suite('no secret', { concurrency: 2 }, () => {
  for (const [kind, cases] of Object.entries(CASES)) {
    test(`is in any output or file of ${kind}`, async () => {
      const canaries = new Canaries()
      await using scene = await openCanaryScene(canaries)

      for (const [what, args] of Object.entries(cases)) {
        const result = await scene.sentinel(['--verbose', ...args], { env: talkative(scene) })
        assertQuiet(canaries, result, what)
      }

      assertNothingLeft(scene, canaries)
    })
  }

  test('is on the stderr of credentials and export, and all of them are on their stdout', async () => {
    const canaries = new Canaries()
    await using scene = await openCanaryScene(canaries)

    for (const args of [CREDENTIALS, EXPORT]) {
      const { stdout, stderr } = await scene.sentinel(args, { env: talkative(scene) })
      // That they are found where they must be shows that they would be found elsewhere.
      assert.deepEqual(new Set(canaries.foundIn(stdout)), new Set(Object.values(DRAWN)))
      assert.deepEqual(canaries.foundIn(stderr), [])
    }

    assertNothingLeft(scene, canaries)
  })

  test('is seen of a running server, its token neither, but by its child', async () => {
    const canaries = new Canaries()
    await using scene = await openCanaryScene(canaries)
    using vault = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'sentinel-vault-'))
    const token = join(vault.path, 'token')
    const running = scene.start(serverOver(token), { env: talkative(scene) })
    await running.saw(/asked/)
    canaries.add("the server's token", readFileSync(token, 'utf8'))

    assert.deepEqual(canaries.foundOnCommandLines(), [])
    assertNothingLeft(scene, canaries)
    running.process.kill('SIGTERM')

    const result = await running.ended
    assert.equal(result.signal, 'SIGTERM')
    assert.equal(result.stdout.match(/^200 ASIADEMO/gm)?.length, 3)
    assertQuiet(canaries, result, 'server')
    assertNothingLeft(scene, canaries)
  })

  for (const outcome of OUTCOMES) {
    test(`is in what is said of an STS that answers with ${outcome.kind}`, async () => {
      const canaries = new Canaries()
      await using scene = await openCanaryScene(canaries)
      scene.aws.script({ operation: 'AssumeRole', times: Infinity, outcome })

      const result = await scene.sentinel(EXEC, { env: talkative(scene) })

      assert.equal(result.status, 6)
      assertQuiet(canaries, result, outcome.kind)
      assertNothingLeft(scene, canaries)
    })
  }

  test('is in what is said of an STS that is down, or of a proxy with a password', async () => {
    const canaries = new Canaries()
    await using scene = await openCanaryScene(canaries)
    const password = canaries.add('a password', randomBytes(24).toString('hex'))
    const down = { ...talkative(scene), AWS_ENDPOINT_URL: await closedPort() }
    const proxied = { ...talkative(scene), SENTINEL_PROXY: `http://me:${password}@127.0.0.1:9` }

    assertQuiet(canaries, await scene.sentinel(EXEC, { env: down }), 'down')
    for (const args of [EXEC, ['config', 'show']]) {
      assertQuiet(canaries, await scene.sentinel(args, { env: proxied }), 'proxy')
    }

    assertNothingLeft(scene, canaries)
  })
})

function assertQuiet(canaries: Canaries, { stdout, stderr }: Result, what: string): void {
  assert.deepEqual(canaries.foundIn(stdout + stderr), [], what)
  assert.doesNotMatch(stderr, /^bug:|^Debugger listening|^HTTP \d+:|^NET \d+:/m, what)
}

/** Neither in the log nor in any other file; no coverage, and a code cache of the first moment only. */
function assertNothingLeft(scene: Scene, canaries: Canaries): void {
  assert.ok(scene.log().length > 0)
  assert.deepEqual(canaries.foundBelow(scene.home, isGiven), [])
  assert.ok(!existsSync(join(scene.home, 'coverage')))
}

/** A server whose child writes its token to a file, asks, and stays. */
function serverOver(token: string): string[] {
  const clean = 'env -u NODE_DEBUG -u NODE_DEBUG_NATIVE -u NODE_OPTIONS -u NODE_V8_COVERAGE'
  const child = `printf %s "$AWS_CONTAINER_AUTHORIZATION_TOKEN" > ${token}
    ${clean} -u NODE_COMPILE_CACHE ${process.execPath} ${ASK_SERVER} 3 10
    echo asked; exec sleep 30`
  return ['--verbose', 'exec', '--server', '--log-stderr', 'dev', '--', 'sh', '-c', child]
}

/** Files that hold secrets because the test put them there. */
function isGiven(path: string): boolean {
  return path.startsWith('.aws/') || path.startsWith('given/')
}

function talkative({ home }: Scene): Record<string, string> {
  return {
    ...TALKATIVE,
    NODE_V8_COVERAGE: join(home, 'coverage'),
    NODE_COMPILE_CACHE: join(home, 'cache'),
  }
}

/** A scene whose every secret is a canary: those it begins with, and those that its AWS issues. */
async function openCanaryScene(canaries: Canaries): Promise<Scene> {
  const fresh = (what: string) => canaries.add(what, `canary-${randomBytes(24).toString('hex')}`)
  const [key, wrong, printed] = [fresh("alice's key"), fresh('a wrong key'), fresh('printed')]
  const [token, untrusted] = [fresh('a web token'), fresh('a bad one')]
  const profiles = {
    wrong: `role_arn = ${ROLES.dev}\nsource_profile = wrong-base\n`,
    failing: `credential_process = sh given/failing.sh\n`,
    garbled: `credential_process = cat given/garbled.json\n`,
    web: `role_arn = ${ROLES.ci}\nweb_identity_token_file = given/token\n`,
    'web-refused': `role_arn = ${ROLES.ci}\nweb_identity_token_file = given/untrusted\n`,
  }
  const more = Object.entries(profiles).map(
    ([name, lines]) => `[profile ${name}]\n${lines}region = eu-central-1\n`,
  )
  const id = `aws_access_key_id = ${DEMO_KEYS.alice.accessKeyId}\naws_secret_access_key =`
  const scene = await openScene({
    world: worldWith(key, token),
    randomBytes(size) {
      const bytes = randomBytes(size)
      const what = DRAWN[size]
      if (what) canaries.add(what, bytes.toString('base64'))
      return bytes
    },
    config: CONFIG + more.join(''),
    credentials: `[base]\n${id} ${key}\n[wrong-base]\n${id} ${wrong}\n`,
    policy: POLICY.replace('profiles: [dev]', 'profiles: [dev, "*"]'),
  })
  scene.write(
    'given/failing.sh',
    `echo ${printed} >&2; echo '{"SecretAccessKey": "${printed}"}'; exit 1\n`,
  )
  scene.write('given/garbled.json', `{"Version": 1, "SecretAccessKey": "${printed}", "x"`)
  scene.write('given/token', token)
  scene.write('given/untrusted', untrusted)
  return scene
}

/** The story, with another key of alice's and another token of the CI system's. */
function worldWith(secretAccessKey: string, value: string): World {
  const accounts = STORY.accounts.map((account) => ({
    ...account,
    users: (account.users ?? []).map((user) => ({
      ...user,
      keys: user.name === 'alice' ? [{ ...DEMO_KEYS.alice, secretAccessKey }] : user.keys,
    })),
    oidcProviders: (account.oidcProviders ?? []).map((provider) => ({
      ...provider,
      tokens: provider.tokens.map((token) => ({ ...token, value })),
    })),
  }))
  return { ...STORY, accounts }
}
