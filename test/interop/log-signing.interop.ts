import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  KMSClient,
} from '@aws-sdk/client-kms'
import { createVerifier } from '../../src/audit/signing.ts'
import { KMSSigner } from '../../src/aws/kms.ts'
import { Secret } from '../../src/domain/secret.ts'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { linesFor } from '../fixtures/line-archive.ts'
import { MOTO_REGION, type Moto, openMoto } from '../fixtures/moto.ts'
import { openScene } from '../fixtures/scene.ts'
import { missing } from '../fixtures/tools.ts'

const MESSAGE = 'sentinel.log-statement.v1\nabc'
const { signal } = QUIETLY

// moto 5.2 knows no ECC_NIST_EDWARDS25519, signs with keys that are disabled, and has no answer to
// who asks for the public half of a symmetric one: test/aws/kms.test.ts has these.
const SPECS = {
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_P384: 'ECDSA_SHA_384',
  RSA_2048: 'RSASSA_PSS_SHA_256',
  RSA_3072: 'RSASSA_PSS_SHA_256',
} as const

suite('signing with KMS by moto', { skip: missing('moto_server') }, () => {
  let moto: Moto
  let kms: KMSClient
  before(async () => {
    moto = await openMoto()
    const credentials = { accessKeyId: 'admin', secretAccessKey: 'admin' }
    kms = new KMSClient({ endpoint: moto.url, region: MOTO_REGION, credentials })
  })
  after(async () => {
    kms?.destroy()
    await moto?.[Symbol.asyncDispose]()
  })

  const createKey = async (input: CreateKeyCommandInput): Promise<string> => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
    return KeyMetadata?.Arn ?? assert.fail('moto made no key')
  }

  for (const [KeySpec, algorithm] of Object.entries(SPECS)) {
    test(`signs with a key of ${KeySpec} what its public key verifies`, async () => {
      const spec = KeySpec as keyof typeof SPECS
      const arn = await createKey({ KeyUsage: 'SIGN_VERIFY', KeySpec: spec })
      const alias = `alias/${KeySpec}`
      await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: arn }))
      for (const key of [arn, alias]) {
        await using room = openKMS(moto, key)
        const pem = await room.signer.publicKey(signal)
        const verifier = createVerifier({ pem, name: key })
        const signature = await room.signer.sign(MESSAGE, signal)
        assert.equal(signature.algorithm, algorithm)
        assert.ok(verifier.verify(MESSAGE, signature))
        assert.ok(!verifier.verify(`${MESSAGE}.`, signature))
      }
    })
  }

  test('signs a log, and checks that, by the binary, with a key of another region', async () => {
    const arn = await createKey({ KeyUsage: 'SIGN_VERIFY', KeySpec: 'ECC_NIST_P256' })
    await using scene = await openScene()
    const streams = ['a'.repeat(20)]
    const id = 'mzxw6ytboi3damrqgaya'
    const log = linesFor([{ type: 'start' }, { type: 'issued', request_id: id }], streams)
    scene.write('log.jsonl', `${log.join('\n')}\n`)
    const ask = (...args: string[]) =>
      scene.sentinel(['--aws-profile', 'base', 'audit', ...args], {
        env: { AWS_ENDPOINT_URL: moto.url },
      })
    const here = ['--log-file', 'log.jsonl', '--kms-key', arn]

    const signed = await ask('sign', ...here, '--out', 'statement.json')
    const held = await ask('verify', '--no-anchors', '--signature', 'statement.json', ...here)
    const proven = await ask('prove', id, ...here)
    scene.write('proof.json', proven.stdout)
    const checked = await ask('verify', '--proof', 'proof.json', '--kms-key', arn)
    const key = await ask('sign', '--kms-key', arn, '--print-public-key')
    scene.write('public.pem', key.stdout)
    const offline = await ask('verify', '--proof', 'proof.json', '--public-key', 'public.pem')
    const elsewhere = await ask('verify', '--proof', 'proof.json', '--kms-key', 'alias/nobody')
    const unreachable = await scene.sentinel(
      ['--aws-profile', 'base', 'audit', 'verify', '--proof', 'proof.json', '--kms-key', arn],
      { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' } },
    )

    assert.equal(signed.status, 0, signed.stderr)
    assert.equal(held.status, 0, held.stdout + held.stderr)
    assert.equal(checked.status, 0, checked.stdout + checked.stderr)
    assert.match(checked.stdout, /^signed by +ECDSA_SHA_256 key \w{64}$/m)
    assert.equal(offline.status, 0, offline.stdout + offline.stderr)
    assert.equal(elsewhere.status, 5)
    assert.match(elsewhere.stderr, /KMS knows no key alias\/nobody in eu-central-1/)
    assert.equal(unreachable.status, 6)
    assert.match(unreachable.stderr, /^error: KMS did not answer for the key arn:/m)
  })

  test('refuses keys that sign no statements, and those that are not there', async () => {
    for (const key of [
      await createKey({ KeyUsage: 'ENCRYPT_DECRYPT', KeySpec: 'RSA_2048' }),
      await createKey({ KeyUsage: 'SIGN_VERIFY', KeySpec: 'ECC_NIST_P521' }),
      'alias/nobody',
    ]) {
      await using room = openKMS(moto, key)
      await assert.rejects(room.signer.sign(MESSAGE, signal), { code: 'KEY_INVALID' }, key)
    }
  })
})

function openKMS(moto: Moto, key: string) {
  const stack = new AsyncDisposableStack()
  stack.use(openHome({}, { AWS_ENDPOINT_URL_KMS: moto.url }))
  const { transport } = stack.use(openRoom())
  const signer = new KMSSigner({
    transport,
    region: MOTO_REGION,
    key,
    profile: 'prod',
    credentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: new Secret('x') }),
  })
  return { signer, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
