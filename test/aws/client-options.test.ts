import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { SSMPolicySource } from '../../src/aws/ssm-policy.ts'
import { STSTokenService } from '../../src/aws/sts.ts'
import { Secret } from '../../src/domain/secret.ts'
import { CERTIFICATE_PATH, openConnectProxy, TLS } from '../fixtures/aws/connect-proxy.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { openScriptedServer, type Received } from '../fixtures/aws/scripted-server.ts'
import { succeed } from '../fixtures/aws/scripted-sts.ts'

const KEYS = { accessKeyId: 'AKIACORP', secretAccessKey: new Secret('s3cr3t') }
const REGION = 'eu-central-1'
const { signal } = QUIETLY

/** Answers for each of AWS's services, told apart by what is asked of them. */
function answerAsAWS({ path, body, headers }: Received) {
  const json = { 'content-type': 'application/x-amz-json-1.1' }
  if (path.startsWith('/federation/')) {
    const keys = { accessKeyId: 'ASIASSO', secretAccessKey: 's', sessionToken: 't' }
    return { body: JSON.stringify({ roleCredentials: { ...keys, expiration: Date.now() + 9e6 } }) }
  }
  if (path === '/token') {
    const token = { accessToken: 'fresh', expiresIn: 3600, refreshToken: 'r', tokenType: 'Bearer' }
    return { headers: json, body: JSON.stringify(token) }
  }
  if (String(headers['x-amz-target']).endsWith('GetParameter')) {
    return { headers: json, body: JSON.stringify({ Parameter: { Value: 'policy', Version: 1 } }) }
  }
  const input = Object.fromEntries(new URLSearchParams(body))
  return succeed({ action: input.Action ?? '', input, userAgent: '' }, 1)
}

/** Loopback standing in for AWS behind a proxy: every real name leads to it. */
async function openAWS(config = '', variables: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack()
  const aws = stack.use(await openScriptedServer(answerAsAWS, TLS))
  const proxy = stack.use(await openConnectProxy(aws.port))
  const home = stack.use(openHome({ config }, { AWS_CA_BUNDLE: CERTIFICATE_PATH, ...variables }))
  const opened = stack.move()
  return { aws, proxy, home, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function callers(room: ReturnType<typeof openRoom>, region = REGION) {
  const service = new STSTokenService(room.sts, { region, profile: 'prod' })
  const policy = new SSMPolicySource({
    transport: room.transport,
    region,
    parameter: '/p',
    profile: 'prod',
    credentials: async () => KEYS,
  })
  return { service, policy }
}

suite('the proxy', () => {
  test('carries STS and SSM through a tunnel, to the regional endpoints', async () => {
    await using world = await openAWS()
    using room = openRoom({ proxy: world.proxy.url.replace('//', '//user:pass@') })
    const { service, policy } = callers(room)
    assert.equal((await service.identify(KEYS, signal)).userId, 'AIDAALICE')
    assert.equal((await policy.fetch(signal)).text, 'policy')
    assert.deepEqual(world.proxy.tunnels, [
      `sts.${REGION}.amazonaws.com:443`,
      `ssm.${REGION}.amazonaws.com:443`,
    ])
    const basic = `Basic ${Buffer.from('user:pass').toString('base64')}`
    assert.deepEqual(world.proxy.authorizations, [basic, basic])
  })

  test('carries the clients inside the providers too', async () => {
    await using world = await openAWS(SSO)
    logIn(world.home, 'tunnelled')
    using room = openRoom({ proxy: world.proxy.url })
    await room.profiles.resolve('corp', QUIETLY)
    assert.deepEqual(world.proxy.tunnels, [
      `oidc.${REGION}.amazonaws.com:443`,
      `portal.sso.${REGION}.amazonaws.com:443`,
    ])
  })

  test('that refuses is an STS that did not answer', async () => {
    await using refusing = await openScriptedServer(() => ({ status: 403 }))
    using _home = openHome()
    using room = openRoom({ proxy: refusing.url, timeoutMs: 500 })
    const asking = callers(room).service.identify(KEYS, signal)
    await assert.rejects(asking, { code: 'STS_UNAVAILABLE' })
  })

  for (const proxy of ['proxy.example:3128', 'socks5://127.0.0.1:1', '']) {
    test(`is refused as "${proxy}"`, () => {
      assert.throws(() => openRoom({ proxy }), { code: 'CONFIG_INVALID', hint: /http:/ })
    })
  }

  test('is not repeated when it is refused: it may hold a password', () => {
    assert.throws(
      () => openRoom({ proxy: 'ftp://u:hunter2@proxy' }),
      (error: Error) => {
        assert.doesNotMatch(`${error.message}${error.stack}`, /hunter2/)
        return true
      },
    )
  })
})

const SSO = `[profile corp]
sso_session = tunnelled
sso_account_id = 111122223333
sso_role_name = Engineer
endpoint_url = http://127.0.0.1:9
[sso-session tunnelled]
sso_start_url = https://corp.awsapps.example/start
sso_region = ${REGION}
`

/** A log-in that has to be refreshed, so that OIDC is called as well as the portal. */
function logIn(home: { write(name: string, content: string): string }, session: string): void {
  const token = {
    accessToken: 'old',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    refreshToken: 'r',
    clientId: 'c',
    clientSecret: 's',
  }
  const name = createHash('sha1').update(session).digest('hex')
  home.write(`.aws/sso/cache/${name}.json`, JSON.stringify(token))
}

suite('configured endpoints', () => {
  /** Everything that calls AWS, called once. */
  async function callEverything(room: ReturnType<typeof openRoom>): Promise<void> {
    const { service, policy } = callers(room)
    await service.identify(KEYS, signal)
    await policy.fetch(signal)
    await room.profiles.resolve('web', QUIETLY)
    await room.profiles.resolve('chained', QUIETLY)
    await room.profiles.resolve('sso', QUIETLY)
  }

  function writeProfiles(home: ReturnType<typeof openHome>, url: string, session: string): void {
    home.write('token', 'oidc-token')
    const endpoint = `endpoint_url = ${url}\n`
    const role = 'role_arn = arn:aws:iam::444455556666:role/R\n'
    home.write(
      '.aws/config',
      `[default]\n${endpoint}` +
        `[profile web]\n${endpoint}${role}web_identity_token_file = ${home.path}/token\nregion = ${REGION}\n` +
        `[profile chained]\n${endpoint}${role}source_profile = hop\nregion = ${REGION}\n` +
        `[profile hop]\n${endpoint}${role}source_profile = keys\n` +
        `[profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = s\n` +
        `[profile sso]\n${endpoint}sso_session = ${session}\nsso_account_id = 1\nsso_role_name = r\n` +
        `[sso-session ${session}]\nsso_start_url = https://x.example\nsso_region = ${REGION}\n`,
    )
    logIn(home, session)
  }

  test('get not one byte unless they are asked for', async () => {
    await using listener = await openScriptedServer(answerAsAWS)
    await using world = await openAWS('', {
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
      AWS_ENDPOINT_URL: listener.url,
      AWS_ENDPOINT_URL_STS: listener.url,
      AWS_ENDPOINT_URL_SSO: listener.url,
    })
    writeProfiles(world.home, listener.url, 'ignored')
    using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'ignore' })
    await callEverything(room)
    assert.equal(listener.connections, 0)
    assert.ok(world.aws.received.length >= 6)
  })

  test('get not one byte even where the variable against them was not set', async () => {
    await using listener = await openScriptedServer(answerAsAWS)
    await using world = await openAWS('', { AWS_ENDPOINT_URL: listener.url })
    writeProfiles(world.home, listener.url, 'second-lock')
    using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'ignore' })
    await callEverything(room)
    assert.equal(listener.connections, 0)
  })

  test('get every call when they are asked for', async () => {
    await using listener = await openScriptedServer(answerAsAWS)
    await using world = await openAWS('', { AWS_ENDPOINT_URL: listener.url })
    writeProfiles(world.home, listener.url, 'honoured')
    using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'honour' })
    await callEverything(room)
    assert.equal(world.aws.received.length, 0)
    const paths = listener.received.map(({ path }) => path.split('?')[0])
    assert.deepEqual(paths.toSorted(), ['/', '/', '/', '/', '/federation/credentials', '/token'])
  })
})

suite('an endpoint of the served profile', () => {
  const honoured: [what: string, config: (url: string) => string][] = [
    ['its own', (url) => `[profile prod]\nendpoint_url = ${url}\n`],
    [
      'of its services before its own',
      (url) =>
        '[profile prod]\nservices = mine\nendpoint_url = http://127.0.0.1:1\n' +
        `[services mine]\nsts =\n  endpoint_url = ${url}\n`,
    ],
  ]
  for (const [what, config] of honoured) {
    test(`is called when endpoints are asked for: ${what}`, async () => {
      await using listener = await openScriptedServer(answerAsAWS)
      await using world = await openAWS(config(listener.url))
      using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'honour' })
      await callers(room).service.identify(KEYS, signal)
      assert.deepEqual([listener.received.length, world.aws.received.length], [1, 0])
    })
  }

  test('gives way to one in the environment', async () => {
    await using listener = await openScriptedServer(answerAsAWS)
    const environment = { AWS_ENDPOINT_URL_STS: listener.url }
    const config = '[profile prod]\nendpoint_url = http://127.0.0.1:1\n'
    await using world = await openAWS(config, environment)
    using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'honour' })
    await callers(room).service.identify(KEYS, signal)
    assert.equal(listener.received.length, 1)
  })
})

suite('private endpoints', () => {
  test('are called as they are set, whatever the profile says of FIPS', async () => {
    await using world = await openAWS('[profile prod]\nuse_fips_endpoint = true\n')
    const url = `https://127.0.0.1:${world.aws.port}`
    using room = openRoom({ endpoints: { sts: url, ssm: url }, configuredEndpoints: 'ignore' })
    const { service, policy } = callers(room)
    await service.identify(KEYS, signal)
    await policy.fetch(signal)
    assert.equal(world.aws.received.length, 2)
    assert.deepEqual(world.proxy.tunnels, [])
  })

  for (const sts of ['http://127.0.0.1:1', 'sts.example', 'ftp://x']) {
    test(`are refused unless they are https: ${sts}`, () => {
      assert.throws(() => openRoom({ endpoints: { sts } }), {
        code: 'CONFIG_INVALID',
        message: /endpoints\.sts/,
        hint: /https:/,
      })
    })
  }
})

suite('the settings of a profile', () => {
  test('choose the FIPS endpoint', async () => {
    await using world = await openAWS('[profile prod]\nuse_fips_endpoint = true\n')
    using room = openRoom({ proxy: world.proxy.url, configuredEndpoints: 'ignore' })
    await callers(room, 'us-east-1').service.identify(KEYS, signal)
    assert.deepEqual(world.proxy.tunnels, ['sts-fips.us-east-1.amazonaws.com:443'])
  })

  test('choose the CA bundle when the environment names none', async () => {
    await using world = await openAWS(`[profile prod]\nca_bundle = ${CERTIFICATE_PATH}\n`)
    delete process.env.AWS_CA_BUNDLE
    using room = openRoom({ proxy: world.proxy.url })
    assert.equal((await callers(room).service.identify(KEYS, signal)).userId, 'AIDAALICE')
  })

  test('are not needed to refuse a certificate that nobody vouches for', async () => {
    await using world = await openAWS()
    delete process.env.AWS_CA_BUNDLE
    using room = openRoom({ proxy: world.proxy.url, timeoutMs: 1000 })
    const asking = callers(room).service.identify(KEYS, signal)
    await assert.rejects(asking, { code: 'STS_UNAVAILABLE' })
    assert.equal(world.aws.received.length, 0)
  })

  test('cannot name a CA bundle that is not there', async () => {
    await using world = await openAWS('', { AWS_CA_BUNDLE: '/nowhere/ca.pem' })
    using room = openRoom({ proxy: world.proxy.url })
    await assert.rejects(callers(room).service.identify(KEYS, signal), {
      code: 'CONFIG_INVALID',
      message: /\/nowhere\/ca\.pem/,
    })
  })
})
