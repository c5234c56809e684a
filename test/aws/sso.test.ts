import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { type Home, openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { type Answer, openScriptedServer } from '../fixtures/aws/scripted-server.ts'
import { openScriptedSTS } from '../fixtures/aws/scripted-sts.ts'

const SSO = `[profile corp]
sso_session = work
sso_account_id = 111122223333
sso_role_name = Engineer
[sso-session work]
sso_start_url = https://corp.awsapps.example/start
sso_region = eu-central-1
`
const PROD = `[profile prod]
role_arn = arn:aws:iam::444455556666:role/Prod
source_profile = corp
`
const HOUR = 3_600_000
const later = (ms: number) => new Date(Date.now() + ms).toISOString()

/** Stores what `aws sso login` stores. */
function logIn(home: Home, token: object, session = 'work'): void {
  const name = createHash('sha1').update(session).digest('hex')
  home.write(`.aws/sso/cache/${name}.json`, JSON.stringify(token))
}

/** A portal and OIDC endpoint in one, answering by path. */
async function openPortal({ portal, oidc }: { portal?: Answer | 'hang'; oidc?: Answer } = {}) {
  const credentials = {
    accessKeyId: 'ASIASSO',
    secretAccessKey: 'sso-secret',
    sessionToken: 'sso-token',
    expiration: Date.now() + HOUR,
  }
  const given = { body: JSON.stringify({ roleCredentials: credentials }) }
  const server = await openScriptedServer(({ path }) =>
    path === '/token' ? (oidc ?? { status: 400 }) : (portal ?? given),
  )
  const endpoints = { AWS_ENDPOINT_URL_SSO: server.url, AWS_ENDPOINT_URL_SSO_OIDC: server.url }
  return { server, endpoints, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

suite('an Identity Center profile', () => {
  test('gives credentials for the cached token, and the command that renews it', async () => {
    await using portal = await openPortal()
    using home = openHome({ config: SSO + PROD }, portal.endpoints)
    logIn(home, { accessToken: 'bearer', expiresAt: later(HOUR) })
    using room = openRoom()
    const { base, role, loginCommand } = await room.profiles.resolve('prod', QUIETLY)
    assert.deepEqual([base.accessKeyId, base.secretAccessKey.reveal()], ['ASIASSO', 'sso-secret'])
    assert.ok((base.expiration ?? 0) > Date.now())
    assert.equal(role?.arn, 'arn:aws:iam::444455556666:role/Prod')
    assert.equal(loginCommand, 'aws sso login --profile corp')
    const [{ path, headers }] = portal.server.received as [(typeof portal.server.received)[0]]
    assert.match(path, /^\/federation\/credentials\?.*account_id=111122223333/)
    assert.equal(headers['x-amz-sso_bearer_token'], 'bearer')
    assert.match(String(headers['user-agent']), /sentinel\/1\.2\.3/)
  })

  test('works in the form without a session', async () => {
    await using portal = await openPortal()
    const config = SSO.replace(/sso_session = work\n/, '').replace('[sso-session work]\n', '')
    using home = openHome({ config }, portal.endpoints)
    const start = 'https://corp.awsapps.example/start'
    logIn(home, { accessToken: 'bearer', expiresAt: later(HOUR) }, start)
    using room = openRoom()
    assert.equal((await room.profiles.resolve('corp', QUIETLY)).base.accessKeyId, 'ASIASSO')
  })

  test('refreshes a token that is about to end', async () => {
    const fresh = { accessToken: 'fresh', expiresIn: 3600, refreshToken: 'r2', tokenType: 'Bearer' }
    await using portal = await openPortal({
      oidc: { body: JSON.stringify(fresh), headers: { 'content-type': 'application/json' } },
    })
    using home = openHome({ config: SSO.replaceAll('work', 'refreshed') }, portal.endpoints)
    const token = { accessToken: 'old', expiresAt: later(60_000), refreshToken: 'r1' }
    logIn(home, { ...token, clientId: 'c', clientSecret: 's' }, 'refreshed')
    using room = openRoom()
    await room.profiles.resolve('corp', QUIETLY)
    assert.equal(portal.server.received[1]?.headers['x-amz-sso_bearer_token'], 'fresh')
  })

  const expired: [what: string, token: object | undefined, answer?: Answer][] = [
    ['nobody has logged in', undefined],
    ['the token has expired', { accessToken: 'b', expiresAt: later(-HOUR) }],
    ['the cache holds no token', { expiresAt: later(HOUR) }],
    [
      'the portal does not know the token',
      { accessToken: 'b', expiresAt: later(HOUR) },
      { status: 401, headers: { 'x-amzn-errortype': 'UnauthorizedException' }, body: '{}' },
    ],
  ]
  for (const [what, token, answer] of expired) {
    test(`needs a new log-in when ${what}`, async () => {
      await using portal = await openPortal(answer === undefined ? {} : { portal: answer })
      using home = openHome({ config: SSO + PROD }, portal.endpoints)
      if (token !== undefined) logIn(home, token)
      using room = openRoom()
      await assert.rejects(room.profiles.resolve('prod', QUIETLY), {
        code: 'BASE_CREDENTIALS_EXPIRED',
        hint: 'run: aws sso login --profile corp',
      })
    })
  }

  test('needs a new log-in when the token cannot be refreshed any more', async () => {
    await using portal = await openPortal({
      oidc: { status: 400, headers: { 'x-amzn-errortype': 'InvalidGrantException' }, body: '{}' },
    })
    using home = openHome({ config: SSO.replaceAll('work', 'stale') }, portal.endpoints)
    const token = { accessToken: 'old', expiresAt: later(-1000), refreshToken: 'r1' }
    logIn(home, { ...token, clientId: 'c', clientSecret: 's' }, 'stale')
    using room = openRoom()
    const resolving = room.profiles.resolve('corp', QUIETLY)
    await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_EXPIRED' })
  })

  for (const status of [403, 404]) {
    test(`has no credentials when the portal answers ${status}: no such assignment`, async () => {
      await using portal = await openPortal({ portal: { status, body: '{}' } })
      using home = openHome({ config: SSO }, portal.endpoints)
      logIn(home, { accessToken: 'b', expiresAt: later(HOUR) })
      using room = openRoom()
      await assert.rejects(room.profiles.resolve('corp', QUIETLY), {
        code: 'BASE_CREDENTIALS_MISSING',
        hint: /sso_account_id and sso_role_name/,
      })
    })
  }

  for (const [what, portalAnswer] of [
    ['fails', { status: 503, body: '{}' }],
    ['does not answer', 'hang'],
  ] as const) {
    test(`is unavailable when the portal ${what}`, async () => {
      await using portal = await openPortal({ portal: portalAnswer })
      using home = openHome({ config: SSO }, portal.endpoints)
      logIn(home, { accessToken: 'b', expiresAt: later(HOUR) })
      using room = openRoom({ requestTimeoutMs: 100 })
      const resolving = room.profiles.resolve('corp', QUIETLY)
      await assert.rejects(resolving, { code: 'BASE_CREDENTIALS_UNAVAILABLE' })
    })
  }

  test('teaches the clock what time it is at AWS', async () => {
    const late = new Date(Date.now() + HOUR).toUTCString()
    await using portal = await openPortal({ portal: { status: 401, headers: { date: late } } })
    using home = openHome({ config: SSO }, portal.endpoints)
    logIn(home, { accessToken: 'b', expiresAt: later(HOUR) })
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('corp', QUIETLY))
    assert.throws(() => room.clock.aws(), { code: 'CLOCK_SKEWED' })
  })

  test('goes by a token that STS never sees', async () => {
    await using sts = await openScriptedSTS()
    await using portal = await openPortal()
    using home = openHome({ config: SSO + PROD }, portal.endpoints)
    process.env.AWS_ENDPOINT_URL_STS = sts.url
    logIn(home, { accessToken: 'bearer', expiresAt: later(HOUR) })
    using room = openRoom()
    await room.profiles.resolve('prod', QUIETLY)
    assert.deepEqual(sts.requests, [])
  })
})

suite('a console log-in profile', () => {
  test('needs a log-in when there is none, by its own command', async () => {
    using _home = openHome({ config: '[profile console]\nlogin_session = arn:aws:iam::1:user/a\n' })
    using room = openRoom()
    await assert.rejects(room.profiles.resolve('console', QUIETLY), {
      code: 'BASE_CREDENTIALS_EXPIRED',
      hint: 'run: aws login --profile console',
    })
  })
})
