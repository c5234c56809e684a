import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { suite, test } from 'node:test'
import { createVerifier } from '../../src/audit/signing.ts'
import { KMSSigner } from '../../src/aws/kms.ts'
import { Secret } from '../../src/domain/secret.ts'
import { SentinelError } from '../../src/errors.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { type Answer, openScriptedServer, type Received } from '../fixtures/aws/scripted-server.ts'

const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const KEYS = {
  accessKeyId: 'ASIACORP',
  secretAccessKey: new Secret('s3cr3t'),
  sessionToken: new Secret('t0k3n'),
}
const MESSAGE = 'sentinel.log-statement.v1\nabc'
const { signal } = QUIETLY

const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
const failing = (code: string, status = 400) => json({ __type: code, message: code }, status)

const PAIR = generateKeyPairSync('ed25519')

/** A KMS that holds an Ed25519 key; `over`: what it says of it otherwise. */
function answering(over: Record<string, unknown> = {}) {
  return ({ headers, body }: Received): Answer => {
    if (headers['x-amz-target'] === 'TrentService.GetPublicKey') {
      return json({
        KeyId: KEY_ARN,
        KeyUsage: 'SIGN_VERIFY',
        KeySpec: 'ECC_NIST_EDWARDS25519',
        SigningAlgorithms: ['ED25519_PH_SHA_512', 'ED25519_SHA_512'],
        PublicKey: der(PAIR.publicKey),
        ...over,
      })
    }
    const message = Buffer.from(JSON.parse(body).Message, 'base64')
    const signature = sign(null, message, PAIR.privateKey)
    return json({ KeyId: KEY_ARN, Signature: signature.toString('base64') })
  }
}

function der(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64')
}

async function openSigner(
  script: (request: Received) => Answer | 'hang',
  options: Partial<ConstructorParameters<typeof KMSSigner>[0]> = {},
) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await openScriptedServer(script))
  stack.use(openHome({}, { AWS_ENDPOINT_URL_KMS: server.url }))
  const { transport } = stack.use(openRoom())
  const signer = new KMSSigner({
    transport,
    region: 'eu-central-1',
    key: 'alias/sentinel-log',
    profile: 'prod',
    credentials: async () => KEYS,
    ...options,
  })
  const opened = stack.move()
  return { signer, server, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

suite('KMSSigner', () => {
  test('signs what its public key verifies', async () => {
    await using world = await openSigner(answering())
    const pem = await world.signer.publicKey(signal)
    const signature = await world.signer.sign(MESSAGE, signal)
    assert.ok(createVerifier({ pem, name: 'kms' }).verify(MESSAGE, signature))
    assert.equal(signature.algorithm, 'Ed25519')
  })

  test('asks once for the key, and signs with what the alias stood for then', async () => {
    await using world = await openSigner(answering())
    await world.signer.publicKey(signal)
    await world.signer.sign(MESSAGE, signal)
    const [described, signed, ...more] = world.server.received.map(({ body }) => JSON.parse(body))
    assert.deepEqual(described, { KeyId: 'alias/sentinel-log' })
    assert.deepEqual(signed, {
      KeyId: KEY_ARN,
      Message: Buffer.from(MESSAGE).toString('base64'),
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
    })
    assert.deepEqual(more, [])
    const signer = String(world.server.received[0]?.headers.authorization)
    assert.match(signer, /ASIACORP\/\d+\/eu-central-1\/kms/)
  })

  for (const [algorithm, offered] of [
    ['ECDSA_SHA_256', ['ECDSA_SHA_256']],
    ['ECDSA_SHA_384', ['ECDSA_SHA_384']],
    ['RSASSA_PSS_SHA_256', ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256']],
  ] as const) {
    test(`asks for ${algorithm} where the key is for that`, async () => {
      await using world = await openSigner(answering({ SigningAlgorithms: offered }))
      const signature = await world.signer.sign(MESSAGE, signal)
      assert.equal(signature.algorithm, algorithm)
      const request = JSON.parse(world.server.received[1]?.body ?? '')
      assert.equal(request.SigningAlgorithm, algorithm)
    })
  }

  const unfit: [what: string, over: Record<string, unknown>, code: string, message: RegExp][] = [
    ['that encrypts', { KeyUsage: 'ENCRYPT_DECRYPT' }, 'KEY_INVALID', /none that signs/],
    ['of P-521', { SigningAlgorithms: ['ECDSA_SHA_512'] }, 'KEY_INVALID', /none that signs/],
    ['that says nothing', { SigningAlgorithms: undefined }, 'KEY_INVALID', /none that signs/],
    ['without a public half', { PublicKey: undefined }, 'SIGNING_FAILED', /no public key/],
    ['of garbage', { PublicKey: 'AAAA' }, 'SIGNING_FAILED', /no public key/],
  ]
  for (const [what, over, code, message] of unfit) {
    test(`refuses a key ${what}`, async () => {
      await using world = await openSigner(answering(over))
      await assert.rejects(world.signer.sign(MESSAGE, signal), { code, message })
    })
  }

  const failures: [name: string, status: number, code: string, hint: RegExp][] = [
    ['NotFoundException', 400, 'KEY_INVALID', /--region/],
    ['InvalidArnException', 400, 'KEY_INVALID', /ARN/],
    ['ValidationException', 400, 'KEY_INVALID', /alias\/NAME/],
    ['DisabledException', 400, 'KEY_INVALID', /enable it/],
    ['KMSInvalidStateException', 400, 'KEY_INVALID', /enable it/],
    ['UnsupportedOperationException', 400, 'KEY_INVALID', /SIGN_VERIFY/],
    ['InvalidKeyUsageException', 400, 'KEY_INVALID', /SIGN_VERIFY/],
    ['AccessDeniedException', 400, 'SIGNING_FAILED', /kms:GetPublicKey, and kms:Sign/],
    ['ExpiredTokenException', 400, 'SIGNING_FAILED', /log in again/],
    ['KeyUnavailableException', 500, 'SIGNING_FAILED', /try again/],
    ['ThrottlingException', 400, 'SIGNING_FAILED', /try again/],
  ]
  for (const [name, status, code, hint] of failures) {
    test(`makes ${code} of ${name}, of either call`, async () => {
      await using early = await openSigner(() => failing(name, status))
      await assert.rejects(early.signer.publicKey(signal), { code, hint })
      await using late = await openSigner((request) =>
        request.headers['x-amz-target'] === 'TrentService.Sign'
          ? failing(name, status)
          : answering()(request),
      )
      await assert.rejects(late.signer.sign(MESSAGE, signal), { code, hint })
    })
  }

  test('takes no answer for a signature that has none', async () => {
    await using world = await openSigner((request) =>
      request.headers['x-amz-target'] === 'TrentService.Sign' ? json({}) : answering()(request),
    )
    await assert.rejects(world.signer.sign(MESSAGE, signal), {
      code: 'SIGNING_FAILED',
      message: /no signature/,
    })
  })

  test('fails as its credentials do', async () => {
    const gone = new SentinelError('BASE_CREDENTIALS_EXPIRED', 'log in')
    const credentials = () => Promise.reject(gone)
    await using world = await openSigner(answering(), { credentials })
    await assert.rejects(world.signer.publicKey(signal), gone)
  })

  test('gives up on a KMS that never answers', async () => {
    await using world = await openSigner(() => 'hang', { timeoutMs: 100 })
    await assert.rejects(world.signer.publicKey(signal), { code: 'SIGNING_FAILED' })
  })

  test('is called off', async () => {
    await using world = await openSigner(() => 'hang')
    const called = world.signer.publicKey(AbortSignal.timeout(100))
    await assert.rejects(called, { code: 'INTERRUPTED' })
  })
})
