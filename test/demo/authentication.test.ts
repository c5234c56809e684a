import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GetParameterCommand } from '@aws-sdk/client-ssm'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { StandInAWS } from '../../src/demo/stand-in-aws.ts'
import { DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { openStory, ssmAs, stsAs, type Tamper } from './story.ts'

interface SDKError {
  readonly name: string
  readonly message: string
  readonly $metadata: { readonly httpStatusCode?: number }
}

/** What the SDK makes of a refusal. */
async function refusal(attempt: Promise<unknown>) {
  const error = (await attempt.then(
    () => assert.fail('was not refused'),
    (error: unknown) => error,
  )) as SDKError
  return { name: error.name, message: error.message, status: error.$metadata.httpStatusCode }
}

function whoAmI(
  aws: StandInAWS,
  key: Parameters<typeof stsAs>[1],
  options?: Parameters<typeof stsAs>[2],
) {
  return stsAs(aws, key, options).send(new GetCallerIdentityCommand())
}

/** Changes the Authorization header after it was made. */
function authorization(change: (header: string) => string): Tamper {
  return (request) => {
    request.headers.authorization = change(request.headers.authorization ?? '')
  }
}

const SIGNATURE = {
  name: 'SignatureDoesNotMatch',
  message:
    'The request signature we calculated does not match the signature you provided. ' +
    'Check your AWS Secret Access Key and signing method. ' +
    'Consult the service documentation for details.',
  status: 403,
}
const INVALID_TOKEN = {
  name: 'InvalidClientTokenId',
  message: 'The security token included in the request is invalid.',
  status: 403,
}

suite('authentication by the stand-in AWS', () => {
  test('refuses a request of which anything signed was changed', async () => {
    await using aws = await openStory()
    const changes: Record<string, Tamper> = {
      body(request) {
        request.body = `${request.body}&A=b`
        delete request.headers['content-length']
      },
      'content type': (request) => {
        request.headers['content-type'] += '; charset=utf-8'
      },
      query: (request) => {
        request.query = { a: 'b' }
      },
      path: (request) => {
        request.path = '/other'
      },
      'first digit': authorization((header) =>
        header.replace(/(?<=Signature=)./, (digit) => (digit === '0' ? '1' : '0')),
      ),
      'no digits': authorization((header) => header.replace(/(?<=Signature=).*/, 'x')),
    }
    for (const [what, tamper] of Object.entries(changes)) {
      assert.deepEqual(await refusal(whoAmI(aws, DEMO_KEYS.carol, { tamper })), SIGNATURE, what)
    }
    assert.ok(aws.journal.every(({ outcome, caller }) => outcome === 'refused' && !caller))
  })

  test('refuses a wrong secret, and a key that it does not know', async () => {
    await using aws = await openStory()
    const wrong = { ...DEMO_KEYS.alice, secretAccessKey: DEMO_KEYS.bob.secretAccessKey }
    assert.deepEqual(await refusal(whoAmI(aws, wrong)), SIGNATURE)
    const unknown = { ...DEMO_KEYS.alice, accessKeyId: 'AKIADEMOALICE0000002' }
    assert.deepEqual(await refusal(whoAmI(aws, unknown)), INVALID_TOKEN)
  })

  test('refuses a session key with no token or with that of another session', async () => {
    await using aws = await openStory()
    const { accessKeyId, secretAccessKey, sessionToken } = DEMO_KEYS.carol
    const dave = aws.signIn(ROLES.sso, 'dave@corp.example', 900)
    for (const key of [
      { accessKeyId, secretAccessKey },
      { accessKeyId, secretAccessKey, sessionToken: dave.sessionToken },
      // The token is looked at before the signature.
      { accessKeyId, secretAccessKey: 'wrong', sessionToken: dave.sessionToken },
      { ...DEMO_KEYS.alice, sessionToken },
    ]) {
      assert.deepEqual(await refusal(whoAmI(aws, key)), INVALID_TOKEN)
    }
  })

  test('refuses a session from the moment it ends', async () => {
    const end = Date.now()
    let now = end - 900_000
    await using aws = await openStory(undefined, () => now)
    const dave = aws.signIn(ROLES.sso, 'dave@corp.example', 900)
    now = end - 1
    await whoAmI(aws, dave)
    now = end
    const expired = {
      name: 'ExpiredToken',
      message: 'The security token included in the request is expired',
      status: 403,
    }
    assert.deepEqual(await refusal(whoAmI(aws, dave)), expired)
    await whoAmI(aws, DEMO_KEYS.carol)
    aws.expire(DEMO_KEYS.carol.accessKeyId)
    assert.deepEqual(await refusal(whoAmI(aws, DEMO_KEYS.carol)), expired)
    assert.throws(() => aws.expire(DEMO_KEYS.alice.accessKeyId), TypeError)
  })

  test('refuses a signature for another region or another service', async () => {
    await using aws = await openStory()
    const region = 'Credential should be scoped to a valid region. '
    const service = "Credential should be scoped to correct service: 'sts'. "
    const toService = authorization((header) => header.replace('/sts/', '/s3/'))
    const cases: [options: Parameters<typeof stsAs>[2], message: string][] = [
      [{ region: 'eu-west-9' }, region],
      [{ tamper: toService }, service],
      [{ region: 'eu-west-9', tamper: toService }, region + service],
    ]
    for (const [options, message] of cases) {
      const expected = { name: 'SignatureDoesNotMatch', message, status: 403 }
      assert.deepEqual(await refusal(whoAmI(aws, DEMO_KEYS.alice, options)), expected)
    }
    await whoAmI(aws, DEMO_KEYS.alice, { region: 'us-east-1' })
  })

  test('refuses a request whose host or tokens are not signed', async () => {
    await using aws = await openStory()
    const without = (name: string) =>
      authorization((header) => header.replace(new RegExp(`(?<=SignedHeaders=.*)${name};`), ''))
    const host = await refusal(whoAmI(aws, DEMO_KEYS.carol, { tamper: without('host') }))
    assert.match(host.message, /^'Host' or ':authority' must be a 'SignedHeader'/)
    const tamper = without('x-amz-security-token')
    const token = await refusal(whoAmI(aws, DEMO_KEYS.carol, { tamper }))
    assert.match(token.message, /^'x-amz-security-token' must be a 'SignedHeader'/)
  })

  test('refuses a malformed Authorization header, and a missing one', async () => {
    await using aws = await openStory()
    const incomplete = [
      authorization(() => 'Bearer token'),
      authorization((header) => header.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA512')),
      authorization((header) => header.replace('/aws4_request', '')),
      authorization((header) => header.replace('SignedHeaders', 'Headers')),
      authorization((header) => header.replace(/, Signature=.*/, '')),
    ]
    for (const tamper of incomplete) {
      const { name, status } = await refusal(whoAmI(aws, DEMO_KEYS.alice, { tamper }))
      assert.deepEqual({ name, status }, { name: 'IncompleteSignature', status: 400 })
    }
    const tamper: Tamper = (request) => {
      delete request.headers.authorization
    }
    assert.deepEqual(await refusal(whoAmI(aws, DEMO_KEYS.alice, { tamper })), {
      name: 'MissingAuthenticationToken',
      message: 'Request is missing Authentication Token',
      status: 403,
    })
  })

  test('takes clocks that are 5 minutes apart, and not more', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000
    await using aws = await openStory(undefined, () => now)
    const at = (offset: number): Tamper => {
      aws.clockOffset = offset
      return () => undefined
    }
    await whoAmI(aws, DEMO_KEYS.alice, { tamper: at(290_000) })
    await whoAmI(aws, DEMO_KEYS.alice, { tamper: at(-290_000) })
    const late = await refusal(whoAmI(aws, DEMO_KEYS.alice, { tamper: at(310_000) }))
    assert.equal(late.name, 'SignatureDoesNotMatch')
    assert.match(
      late.message,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    )
    const early = await refusal(whoAmI(aws, DEMO_KEYS.alice, { tamper: at(-310_000) }))
    assert.match(
      early.message,
      /^Signature not yet current: \w{16} is still later than \w{16} \(\w{16} \+ 5 min\.\)$/,
    )
  })

  test('refuses a scope of another day than the date that is signed', async () => {
    await using aws = await openStory()
    const tamper = authorization((header) => header.replace(/\/\d{8}\//, '/20200101/'))
    const { name, message } = await refusal(whoAmI(aws, DEMO_KEYS.alice, { tamper }))
    assert.equal(name, 'SignatureDoesNotMatch')
    assert.match(message, /^Date in Credential scope does not match YYYYMMDD .* '20200101' != /)
  })

  test('tells its time in Date, so that the SDK mends its clock', async () => {
    await using aws = await openStory()
    aws.clockOffset = 3_600_000
    await whoAmI(aws, DEMO_KEYS.alice, { attempts: 2 })
    assert.deepEqual(
      aws.journal.map(({ errorCode }) => errorCode),
      ['SignatureDoesNotMatch', undefined],
    )
    const [first] = aws.journal
    assert.ok(Math.abs(first!.at - Date.now() - 3_600_000) < 60_000)
  })

  test('speaks of the same in the words of SSM there', async () => {
    await using aws = await openStory()
    const get = (key: Parameters<typeof ssmAs>[1], options?: Parameters<typeof ssmAs>[2]) =>
      refusal(ssmAs(aws, key, options).send(new GetParameterCommand({ Name: 'x' })))
    const unsigned: Tamper = (request) => {
      delete request.headers.authorization
    }
    const dave = aws.signIn(ROLES.sso, 'dave@corp.example', 900)
    aws.expire(dave.accessKeyId)
    const names = [
      await get({ ...DEMO_KEYS.alice, secretAccessKey: 'wrong' }),
      await get({ ...DEMO_KEYS.alice, accessKeyId: 'AKIADEMOALICE0000002' }),
      await get(dave),
      await get(DEMO_KEYS.alice, { tamper: unsigned }),
      await get(DEMO_KEYS.alice, {
        tamper: authorization((header) => header.replace('ssm', 's3')),
      }),
    ].map(({ name, status }) => `${status} ${name}`)
    assert.deepEqual(names, [
      '400 InvalidSignatureException',
      '400 UnrecognizedClientException',
      '400 ExpiredTokenException',
      '400 MissingAuthenticationTokenException',
      '400 InvalidSignatureException',
    ])
  })

  test('takes no key that could be a real one', async () => {
    const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' }
    const accounts = [{ id: '111122223333', users: [{ name: 'alice', keys: [key] }] }]
    const open = async () => {
      await using _ = await openStory({ regions: ['eu-central-1'], accounts })
    }
    await assert.rejects(open, {
      name: 'TypeError',
      message: 'the stand-in AWS takes made-up keys only: their ids contain DEMO',
    })
  })
})
