import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { CI_TOKEN, ROLES } from '../../src/demo/world.ts'
import { openListener } from '../fixtures/e2e/loopback.ts'
import { CONFIG, CREDENTIALS, openScene, type Result, type Scene } from '../fixtures/scene.ts'

/** A real SDK with its default chain, as any Node program has it. */
const WHICH_KEY = [process.execPath, join(import.meta.dirname, '../fixtures/e2e/which-key.ts')]

const HOSTILE_KEY = 'AKIADEMOHOSTILE00001'
const KEYS = `aws_access_key_id = ${HOSTILE_KEY}\naws_secret_access_key = hostile\n`
const KEY_VARIABLES = { AWS_ACCESS_KEY_ID: HOSTILE_KEY, AWS_SECRET_ACCESS_KEY: 'hostile' }
const KEY_JSON = JSON.stringify({
  ...{ Version: 1, AccessKeyId: HOSTILE_KEY, SecretAccessKey: 'hostile', Token: 'hostile' },
  ...{ SessionToken: 'hostile', Expiration: '2099-01-01T00:00:00Z' },
})

interface HostileHome {
  /** Whether it can be shown to lead an SDK past a gateway, without leaving this machine. */
  readonly isProvable: boolean
  /** Prepares files and answers variables; `listener` is another place that gives credentials. */
  arrange(scene: Scene, listener: string): Record<string, string>
}

const HOMES: Record<string, HostileHome> = {
  'keys in [default]': {
    isProvable: true,
    arrange(scene) {
      scene.write('.aws/credentials', `${CREDENTIALS}[default]\n${KEYS}`)
      return {}
    },
  },
  'a credential_process in [default]': {
    isProvable: true,
    arrange(scene) {
      const answer = scene.write('hostile.json', KEY_JSON)
      scene.write('.aws/config', `${CONFIG}[default]\ncredential_process = cat ${answer}\n`)
      return {}
    },
  },
  'an Identity Center log-in in [default]': {
    isProvable: true,
    arrange(scene) {
      scene.write('.aws/config', `${CONFIG}[default]\n${SSO}`)
      return {}
    },
  },
  'keys in a profile of the same name': {
    isProvable: true,
    arrange(scene) {
      scene.write('.aws/credentials', `${CREDENTIALS}[dev]\n${KEYS}`)
      return { AWS_PROFILE: 'dev' }
    },
  },
  'AWS_PROFILE and AWS_DEFAULT_PROFILE': {
    isProvable: true,
    arrange(scene) {
      scene.write('.aws/credentials', `${CREDENTIALS}[hostile]\n${KEYS}`)
      return { AWS_PROFILE: 'hostile', AWS_DEFAULT_PROFILE: 'hostile' }
    },
  },
  'a web identity in the environment': {
    isProvable: true,
    arrange: (scene) => ({
      AWS_WEB_IDENTITY_TOKEN_FILE: scene.write('token', CI_TOKEN),
      AWS_ROLE_ARN: ROLES.ci,
      AWS_ROLE_SESSION_NAME: 'hostile',
    }),
  },
  "a container's relative URI": {
    isProvable: false,
    arrange: () => ({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/hostile' }),
  },
  "a container's full URI, with a token file": {
    isProvable: true,
    arrange: (scene, listener) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: listener,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: scene.write('token', 'hostile'),
    }),
  },
  'keys in the environment': {
    isProvable: true,
    arrange: () => ({ ...KEY_VARIABLES, AWS_SESSION_TOKEN: 'hostile' }),
  },
  'AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE': {
    isProvable: true,
    arrange: (scene) => ({
      AWS_CONFIG_FILE: scene.write('elsewhere/config', `${CONFIG}[default]\nregion = us-east-1\n`),
      AWS_SHARED_CREDENTIALS_FILE: scene.write(
        'elsewhere/credentials',
        `${CREDENTIALS}[default]\n${KEYS}`,
      ),
    }),
  },
  'another instance metadata service': {
    isProvable: false,
    arrange: (_, listener) => ({
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: listener,
      AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv4',
    }),
  },
  'the variables of older SDKs': {
    isProvable: false,
    arrange: (scene) => ({
      AWS_ACCESS_KEY: HOSTILE_KEY,
      AWS_SECRET_KEY: 'hostile',
      AWS_SECURITY_TOKEN: 'hostile',
      AWS_CREDENTIAL_FILE: scene.write('old', `AWSAccessKeyId=${HOSTILE_KEY}\n`),
      BOTO_CONFIG: scene.write('boto', `[Credentials]\n${KEYS}`),
      AWS_ACCOUNT_ID: '999999999999',
    }),
  },
}

const SSO = `\
sso_session = hostile
sso_account_id = 111122223333
sso_role_name = Hostile
[sso-session hostile]
sso_start_url = https://hostile.example/start
sso_region = eu-central-1
`

suite('in a home with', { concurrency: 2 }, () => {
  for (const [what, { arrange }] of Object.entries(HOMES)) {
    test(`${what}, the SDK of the child uses the gateway's key`, async () => {
      await using scene = await openScene()
      await using hostile = await openListener(reply(KEY_JSON))
      await assertGatewayWins(scene, arrange(scene, hostile.url))
      assert.deepEqual(hostile.received, [])
    })
  }

  test("the variables of all of these, the SDK of the child uses the gateway's key", async () => {
    await using scene = await openScene()
    await using hostile = await openListener(reply(KEY_JSON))
    const all = Object.values(HOMES).map(({ arrange }) => arrange(scene, hostile.url))
    await assertGatewayWins(scene, Object.assign({}, ...all))
    assert.deepEqual(hostile.received, [])
  })
})

suite('a refusal', () => {
  test('leaves the SDK without a key, is told once and is one record with a count', async () => {
    await using scene = await openScene()
    scene.write('.aws/credentials', `${CREDENTIALS}[default]\n${KEYS}[prod]\n${KEYS}`)

    const child = ['exec', '--server', '--lazy', 'prod', '--', ...WHICH_KEY]
    const { status, stdout, stderr } = await scene.sentinel(child, { env: KEY_VARIABLES })

    assert.equal(status, 1)
    assert.doesNotMatch(stdout, /^key/m)
    assert.equal(stderr.match(/prod is refused/g)?.length, 1, stderr)
    const refused = scene.log().filter(({ type }) => type === 'refused')
    assert.equal(refused.length, 2)
    const [first, repeated] = refused
    assert.partialDeepStrictEqual(first, { code: 'POLICY_DENIED', profile: 'prod' })
    assert.equal(repeated?.of, first?.request_id)
    // This SDK asks five times before it gives up.
    assert.equal(repeated?.repeats, 4)
    assert.equal(scene.answered('AssumeRole'), 0)
  })
})

suite('the same homes without Sentinel', { concurrency: 2 }, () => {
  for (const [what, { arrange, isProvable }] of Object.entries(HOMES)) {
    if (!isProvable) continue
    test(`${what} beat a gateway that is only named to the SDK`, async () => {
      await using scene = await openScene()
      await using hostile = await openListener(reply(KEY_JSON))
      await using gateway = await openListener(reply(KEY_JSON))
      const named = { AWS_CONTAINER_CREDENTIALS_FULL_URI: gateway.url }

      await scene.run(WHICH_KEY, {
        env: { AWS_EC2_METADATA_DISABLED: 'true', ...named, ...arrange(scene, hostile.url) },
      })

      assert.deepEqual(gateway.received, [])
    })
  }
})

/** Runs the child in both modes: each gets the key that was issued to it, and is Dev to STS. */
async function assertGatewayWins(scene: Scene, env: Record<string, string>): Promise<void> {
  const gates = [['exec'], ['exec', '--server']]
  const results = await Promise.all(
    gates.map((gate) => scene.sentinel([...gate, 'dev', '--', ...WHICH_KEY], { env })),
  )
  const issued = scene.log().filter(({ type }) => type === 'issued')
  assert.deepEqual(results.map(keyOf).toSorted(), issued.map((r) => r.access_key_id).toSorted())
  for (const { stdout } of results) assert.match(stdout, /^arn .*:assumed-role\/Dev\/alice-/m)
  assert.equal(scene.answered('AssumeRoleWithWebIdentity'), 0)
}

function keyOf({ stdout, stderr }: Result): string {
  return /^key (\S+)$/m.exec(stdout)?.[1] ?? assert.fail(stdout + stderr)
}

function reply(body: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${body}`
}
