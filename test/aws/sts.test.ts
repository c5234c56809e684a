import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { STSTokenService } from '../../src/aws/sts.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { SentinelError } from '../../src/errors.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import type { Answer } from '../fixtures/aws/scripted-server.ts'
import { openScriptedSTS, refuse, type STSRequest, succeed } from '../fixtures/aws/scripted-sts.ts'

const ROLE = 'arn:aws:iam::444455556666:role/team/Prod'
const KEYS = { accessKeyId: 'AKIACORP', secretAccessKey: new Secret('s3cr3t') }
const SESSION = { ...KEYS, accessKeyId: 'ASIACORP', sessionToken: new Secret('t0k3n') }
const REQUEST = {
  roleArn: ROLE,
  roleSessionName: 'alice-abc',
  sourceIdentity: 'sentinel=alice=p=abc',
  duration: 900,
}
const { signal } = QUIETLY

type Options = Parameters<typeof openRoom>[0]

/** The token service over an STS that answers by `script`. */
async function openService(
  script?: (request: STSRequest, count: number) => Answer | 'hang' | undefined,
  options: Options = {},
) {
  await using stack = new AsyncDisposableStack()
  const sts = stack.use(await openScriptedSTS(script))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_STS: sts.url }))
  const room = stack.use(openRoom(options))
  const target = { region: 'eu-central-1', profile: 'prod' }
  const service = new STSTokenService(room.sts, target)
  const opened = stack.move()
  return { service, sts, room, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

suite('STSTokenService', () => {
  test('tells whose credentials they are', async () => {
    await using world = await openService()
    assert.deepEqual(await world.service.identify(SESSION, signal), {
      arn: 'arn:aws:iam::111122223333:user/alice',
      userId: 'AIDAALICE',
      account: '111122223333',
    })
    const [request] = world.sts.requests
    assert.deepEqual([request?.signer, request?.region], ['ASIACORP', 'eu-central-1'])
  })

  test('assumes a role with its stamp and everything else that was asked', async () => {
    await using world = await openService()
    const { credentials, assumedRoleArn } = await world.service.assumeRole(
      KEYS,
      {
        ...REQUEST,
        externalId: 'ext:1',
        mfa: { serialNumber: 'arn:aws:iam::111122223333:mfa/a', tokenCode: '123456' },
        tags: { ticket: 'OPS-1' },
      },
      signal,
    )
    assert.equal(assumedRoleArn, 'arn:aws:sts::444455556666:assumed-role/Prod/alice-abc')
    assert.deepEqual(
      [credentials.accessKeyId, credentials.accountId, credentials.sessionToken.reveal()],
      ['ASIA1', '444455556666', 'token1'],
    )
    assert.deepEqual(world.sts.requests[0]?.input, {
      RoleArn: ROLE,
      RoleSessionName: 'alice-abc',
      SourceIdentity: 'sentinel=alice=p=abc',
      DurationSeconds: '900',
      ExternalId: 'ext:1',
      SerialNumber: 'arn:aws:iam::111122223333:mfa/a',
      TokenCode: '123456',
      'Tags.member.1.Key': 'ticket',
      'Tags.member.1.Value': 'OPS-1',
    })
  })

  test('sends nothing that was not asked', async () => {
    await using world = await openService()
    await world.service.assumeRole(KEYS, REQUEST, signal)
    assert.deepEqual(Object.keys(world.sts.requests[0]?.input ?? {}).toSorted(), [
      'DurationSeconds',
      'RoleArn',
      'RoleSessionName',
      'SourceIdentity',
    ])
  })

  test('makes a session of keys, and finds out whose account it is', async () => {
    await using world = await openService()
    const session = await world.service.getSessionToken(KEYS, 1800, signal)
    assert.deepEqual([session.accessKeyId, session.accountId], ['ASIA1', '111122223333'])
    assert.deepEqual(
      world.sts.requests.map(({ action, signer }) => [action, signer]),
      [
        ['GetSessionToken', 'AKIACORP'],
        ['GetCallerIdentity', 'ASIA1'],
      ],
    )
    assert.deepEqual(world.sts.requests[0]?.input, { DurationSeconds: '1800' })
  })

  test('never shows a secret, whatever prints what it gave', async () => {
    await using world = await openService()
    const shown = await world.service.assumeRole(KEYS, REQUEST, signal)
    assert.doesNotMatch(inspect(shown, { depth: 9 }) + JSON.stringify(shown), /secret1|token1/)
  })

  test('tries again after a fault that passes', async () => {
    await using world = await openService((_, count) =>
      count < 3 ? refuse('InternalFailure', 500) : undefined,
    )
    await world.service.identify(KEYS, signal)
    assert.equal(world.sts.requests.length, 3)
  })

  test('gives up after three tries', async () => {
    await using world = await openService(() => refuse('Throttling', 400))
    await assert.rejects(world.service.identify(KEYS, signal), { code: 'STS_UNAVAILABLE' })
    assert.equal(world.sts.requests.length, 3)
  })

  test('does not ask a refusal twice, and says what is missing', async () => {
    const said = 'User: alice is not authorized to perform: sts:SetSourceIdentity'
    await using world = await openService(() => refuse('AccessDenied', 403, said))
    await assert.rejects(world.service.assumeRole(KEYS, REQUEST, signal), {
      code: 'STS_REFUSED',
      message: `STS refused AssumeRole of ${ROLE}: AccessDenied: ${said}`,
      hint: /sts:AssumeRole and sts:SetSourceIdentity/,
    })
    assert.equal(world.sts.requests.length, 1)
  })

  test('tells a duration that is too long from other refusals', async () => {
    await using world = await openService(() => refuse('ValidationError', 400))
    const asking = world.service.assumeRole(KEYS, { ...REQUEST, duration: 7200 }, signal)
    await assert.rejects(asking, (error: SentinelError) => {
      assert.equal(error.code, 'STS_REFUSED')
      assert.partialDeepStrictEqual(error.cause, { durationTooLong: true })
      return true
    })
  })

  const xml = (body: string) => ({ headers: { 'content-type': 'text/xml' }, body })
  const without = (field: string) => (request: STSRequest) => {
    const { body = '' } = succeed(request, 1)
    return xml(body.replace(new RegExp(`<${field}>[^<]*</${field}>`), ''))
  }
  const garbage: [what: string, script: (request: STSRequest) => Answer][] = [
    ['no XML', () => ({ body: 'It works! token1' })],
    ['XML cut short', (request) => xml(succeed(request, 1).body?.slice(0, 300) ?? '')],
    ['an empty body', () => ({})],
    ['another document', () => xml('<html><body>sign in</body></html>')],
    ...['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'Arn'].map(
      (field): [string, (request: STSRequest) => Answer] => [`no ${field}`, without(field)],
    ),
    ['an end in the past', (request) => succeed(request, 1, '2020-01-01T00:00:00Z')],
    ['an end that is no time', (request) => succeed(request, 1, 'tomorrow')],
    ['a redirect', () => ({ status: 302, headers: { location: 'http://127.0.0.1:9/' } })],
  ]
  for (const [what, script] of garbage) {
    test(`takes an answer with ${what} for none`, async () => {
      await using world = await openService(script)
      await assert.rejects(world.service.assumeRole(KEYS, REQUEST, signal), (error: Error) => {
        assert.equal((error as SentinelError).code, 'STS_UNAVAILABLE')
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /secret1|token1/)
        return true
      })
    })
  }

  test('gives up on an STS that takes the call and never answers', async () => {
    await using world = await openService(() => 'hang', { requestTimeoutMs: 50 })
    await assert.rejects(world.service.identify(KEYS, signal), { code: 'STS_UNAVAILABLE' })
    assert.equal(world.sts.requests.length, 3)
  })

  test('bounds a call with all its tries', async () => {
    await using world = await openService(() => 'hang', { timeoutMs: 100 })
    await assert.rejects(world.service.identify(KEYS, signal), { code: 'STS_UNAVAILABLE' })
    assert.equal(world.sts.requests.length, 1)
  })

  test('gives up on an STS that is not there', async () => {
    await using world = await openService()
    await world.sts[Symbol.asyncDispose]()
    await assert.rejects(world.service.identify(KEYS, signal), { code: 'STS_UNAVAILABLE' })
  })

  test('stops when nobody wants the answer any more', async () => {
    await using world = await openService(() => 'hang')
    const controller = new AbortController()
    const asking = world.service.identify(KEYS, controller.signal)
    setTimeout(() => controller.abort(), 50)
    await assert.rejects(asking, { code: 'INTERRUPTED' })
  })
})

suite('the clock', () => {
  const dated = (offset: number) => new Date(Date.now() + offset).toUTCString()

  test('learns from an answer', async () => {
    await using world = await openService((request, count) => {
      const answer = succeed(request, count)
      return { ...answer, headers: { ...answer.headers, date: dated(120_000) } }
    })
    await world.service.identify(KEYS, signal)
    assert.ok(Math.abs(world.room.clock.aws() - Date.now() - 120_000) < 2000)
  })

  for (const code of ['SignatureDoesNotMatch', 'RequestExpired', 'AccessDenied', 'ExpiredToken']) {
    test(`is blamed for ${code} when it is an hour off`, async () => {
      await using world = await openService(() => {
        const answer = refuse(code)
        return { ...answer, headers: { ...answer.headers, date: dated(3_600_000) } }
      })
      await assert.rejects(world.service.identify(KEYS, signal), {
        code: 'CLOCK_SKEWED',
        message: /behind AWS$/,
      })
    })
  }
})
