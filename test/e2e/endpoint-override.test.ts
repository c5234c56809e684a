import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { suite, test } from 'node:test'
import { createServer } from 'node:tls'
import { ROLES } from '../../src/demo/world.ts'
import { CERTIFICATE_PATH, openConnectProxy, TLS } from '../fixtures/aws/connect-proxy.ts'
import { type Listener, openListener } from '../fixtures/e2e/loopback.ts'
import { CONFIG, openScene, type Result, type Scene } from '../fixtures/scene.ts'

/**
 * What a person, or somebody in their files, may set; `url` is where calls are to go. The SDK takes
 * `endpoint_url` from the profile that AWS_PROFILE names, whatever profile is served.
 */
const OVERRIDES: Record<string, (scene: Scene, url: string) => Record<string, string>> = {
  AWS_ENDPOINT_URL: (_, url) => ({ AWS_ENDPOINT_URL: url }),
  AWS_ENDPOINT_URL_STS: (_, url) => ({ AWS_ENDPOINT_URL_STS: url }),
  'endpoint_url of the profile'(scene, url) {
    scene.write('.aws/config', CONFIG.replaceAll(/^region/gm, `endpoint_url = ${url}\nregion`))
    return {}
  },
  'a services section'(scene, url) {
    const named = CONFIG.replaceAll(/^region/gm, 'services = elsewhere\nregion')
    const services = `[services elsewhere]\nsts =\n  endpoint_url = ${url}\nssm =\n  endpoint_url = ${url}\n`
    scene.write('.aws/config', named + services)
    return {}
  },
}

const BAD_GATEWAY = 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

suite('without --allow-endpoint-override', { concurrency: 2 }, () => {
  for (const [what, arrange] of Object.entries(OVERRIDES)) {
    test(`${what} gets not one byte`, async () => {
      await using scene = await openScene()
      await using elsewhere = await openListener()
      await using proxy = await openListener(BAD_GATEWAY)
      const env = { AWS_PROFILE: 'dev', ...withProxy(proxy, arrange(scene, elsewhere.url)) }

      const result = await scene.sentinel(['exec', 'dev', '--', 'true'], { env, isPlain: true })

      assertStayed(result, elsewhere, proxy, 'sts.eu-central-1.amazonaws.com')
      for (const record of scene.log()) assert.ok(!('endpoint_override' in record))
    })
  }

  test('AWS_ENDPOINT_URL_SSM gets not one byte', async () => {
    await using scene = await openScene()
    await using elsewhere = await openListener()
    await using proxy = await openListener(BAD_GATEWAY)
    const env = withProxy(proxy, { AWS_ENDPOINT_URL_SSM: elsewhere.url })

    const parameter = ['policy', 'validate', '--policy-parameter', '/p', '--aws-profile', 'base']
    const result = await scene.sentinel(parameter, { env, isPlain: true })

    assertStayed(result, elsewhere, proxy, 'ssm.eu-central-1.amazonaws.com')
  })

  test('an Identity Center log-in is not taken elsewhere', async () => {
    await using scene = await openScene({ config: SSO_CONFIG, credentials: '' })
    await using elsewhere = await openListener()
    await using proxy = await openListener(BAD_GATEWAY)
    scene.write(SSO_CACHE, SSO_TOKEN)
    const env = withProxy(proxy, { AWS_ENDPOINT_URL: elsewhere.url })

    const result = await scene.sentinel(['whoami', 'dev'], { env, isPlain: true })

    assertStayed(result, elsewhere, proxy, 'portal.sso.eu-central-1.amazonaws.com')
  })

  test('the command keeps its variables, and AWS is reached as ever', async () => {
    await using scene = await openScene()
    await using tls = await openTLS(scene)
    await using proxy = await openConnectProxy(tls.port)
    const env = {
      ...withProxy(proxy, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }),
      AWS_CA_BUNDLE: CERTIFICATE_PATH,
    }

    const result = await scene.sentinel(['exec', 'dev', '--', 'env'], { env, isPlain: true })

    assert.deepEqual([result.status, result.stderr], [0, ''])
    assert.match(result.stdout, /^AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:9$/m)
    assert.doesNotMatch(result.stdout, /^AWS_IGNORE_CONFIGURED_ENDPOINT_URLS/m)
    assert.equal(scene.answered('AssumeRole'), 1)
    assert.deepEqual(new Set(proxy.tunnels), new Set(['sts.eu-central-1.amazonaws.com:443']))
    for (const record of scene.log()) assert.ok(!('endpoint_override' in record))
  })
})

suite('with --allow-endpoint-override', { concurrency: 2 }, () => {
  for (const [what, arrange] of Object.entries(OVERRIDES)) {
    test(`${what} is used, stderr says so and every record too`, async () => {
      await using scene = await openScene()
      await using proxy = await openListener(BAD_GATEWAY)
      const env = { AWS_PROFILE: 'dev', ...withProxy(proxy, arrange(scene, scene.aws.url)) }

      const { status, stderr } = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })

      assert.equal(status, 0, stderr)
      assert.match(stderr, /^warning: --allow-endpoint-override/m)
      assert.equal(scene.answered('AssumeRole'), 1)
      const records = scene.log()
      assert.deepEqual(
        records.map(({ type }) => type),
        ['start', 'issued', 'stop'],
      )
      for (const record of records) assert.equal(record.endpoint_override, true)
    })
  }

  test('AWS_ENDPOINT_URL_SSM is used for the policy', async () => {
    await using scene = await openScene()
    scene.aws.putParameter('/sentinel/policy', 'version: "1"\nrules: []\n')
    await using proxy = await openListener(BAD_GATEWAY)
    const env = withProxy(proxy, { AWS_ENDPOINT_URL_SSM: scene.aws.url })

    const args = ['--aws-profile', 'base', 'policy', 'validate', '--policy-parameter']
    const { stderr } = await scene.sentinel([...args, '/sentinel/policy'], { env })

    assert.match(stderr, /^warning: --allow-endpoint-override/m)
    assert.equal(scene.answered('GetParameter'), 1)
  })
})

test('no variable and no setting stands for --allow-endpoint-override', async () => {
  await using scene = await openScene()
  await using elsewhere = await openListener()
  await using proxy = await openListener(BAD_GATEWAY)
  const env = withProxy(proxy, {
    AWS_ENDPOINT_URL: elsewhere.url,
    SENTINEL_ALLOW_ENDPOINT_OVERRIDE: 'true',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
  })

  const result = await scene.sentinel(['exec', 'dev', '--', 'true'], { env, isPlain: true })
  assertStayed(result, elsewhere, proxy, 'sts.eu-central-1.amazonaws.com')

  scene.write('.config/sentinel/config.yaml', 'allow_endpoint_override: true\n')
  const { status } = await scene.sentinel(['exec', 'dev', '--', 'true'], { env, isPlain: true })
  assert.equal(status, 5)
})

const SSO_CONFIG = `\
[profile base]
sso_session = work
sso_account_id = 111122223333
sso_role_name = Engineer
[sso-session work]
sso_start_url = https://corp.awsapps.example/start
sso_region = eu-central-1
[profile dev]
role_arn = ${ROLES.dev}
source_profile = base
region = eu-central-1
`

/** Where `aws sso login` stores the token of session `work`, and one that lasts. */
const SSO_CACHE = `.aws/sso/cache/${createHash('sha1').update('work').digest('hex')}.json`
const SSO_TOKEN = JSON.stringify({ accessToken: 'bearer', expiresAt: '2099-01-01T00:00:00Z' })

/** The proxy keeps on this machine what would go to AWS. */
function withProxy({ url }: { readonly url: string }, env: Record<string, string>) {
  return { AWS_ENDPOINT_URL: undefined, SENTINEL_PROXY: url, ...env }
}

/** AWS's own names on this machine: the stand-in behind the certificate of the fixtures. */
async function openTLS({ aws }: Scene) {
  const server = createServer(TLS, (socket) => {
    const upstream = connect(Number(new URL(aws.url).port), '127.0.0.1')
    socket.on('error', () => upstream.destroy())
    upstream.on('error', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** The call failed because the proxy refused it, and the proxy saw no more than where it was to go. */
function assertStayed(
  { status, stderr }: Result,
  elsewhere: Listener,
  proxy: Listener,
  host: string,
): void {
  assert.equal(status, 6, stderr)
  assert.deepEqual(elsewhere.received, [])
  assert.ok(proxy.received.length > 0)
  for (const request of proxy.received) {
    assert.equal(request.split('\r\n', 1)[0], `CONNECT ${host}:443 HTTP/1.1`)
    assert.match(request, /\r\n\r\n$/)
  }
}
