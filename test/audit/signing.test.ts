import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { createLocalSigner, createVerifier } from '../../src/audit/signing.ts'
import type { SigningAlgorithm } from '../../src/domain/log-statement.ts'
import { Secret } from '../../src/domain/secret.ts'
import { hasCode } from '../../src/errors.ts'
import { newKey, pem } from '../fixtures/signing.ts'
import { missing } from '../fixtures/tools.ts'

const MESSAGE = 'sentinel.log-statement.v1\nabc'
const { signal } = new AbortController()

type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** How whoever holds such a key signs, KMS for example. */
const KINDS: Record<
  SigningAlgorithm,
  { readonly pair: Pair; readonly sign: (message: string, key: KeyObject) => Buffer }
> = {
  Ed25519: {
    pair: generateKeyPairSync('ed25519'),
    sign: (message, key) => sign(null, Buffer.from(message), key),
  },
  ECDSA_SHA_256: {
    pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    sign: (message, key) => sign('sha256', Buffer.from(message), key),
  },
  ECDSA_SHA_384: {
    pair: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    sign: (message, key) => sign('sha384', Buffer.from(message), key),
  },
  RSASSA_PSS_SHA_256: {
    pair: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    sign: (message, key) =>
      sign('sha256', Buffer.from(message), {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }),
  },
}

suite('a verifier', () => {
  for (const [name, { pair, sign }] of Object.entries(KINDS)) {
    const algorithm = name as SigningAlgorithm
    const verifier = createVerifier({ pem: pem(pair.publicKey), name: 'key' })
    const signature = () => ({
      algorithm,
      keyId: verifier.keyId,
      signature: sign(MESSAGE, pair.privateKey).toString('base64'),
    })

    test(`knows what a key of ${algorithm} signed, and nothing else`, () => {
      assert.ok(verifier.verify(MESSAGE, signature()))
      assert.ok(!verifier.verify(`${MESSAGE} `, signature()))
      assert.ok(!verifier.verify(MESSAGE, { ...signature(), keyId: '0'.repeat(64) }))
      for (const other of Object.keys(KINDS) as SigningAlgorithm[]) {
        if (other === algorithm) continue
        assert.ok(!verifier.verify(MESSAGE, { ...signature(), algorithm: other }))
      }
    })

    test(`finds out every changed byte of a signature by ${algorithm}`, () => {
      const { signature: text, ...rest } = signature()
      const bytes = Buffer.from(text, 'base64')
      for (const place of bytes.keys()) {
        const changed = Buffer.from(bytes)
        changed[place]! ^= 1
        assert.ok(!verifier.verify(MESSAGE, { ...rest, signature: changed.toString('base64') }))
      }
      for (const length of [0, 1, bytes.length - 1]) {
        const short = bytes.subarray(0, length).toString('base64')
        assert.ok(!verifier.verify(MESSAGE, { ...rest, signature: short }))
      }
    })
  }

  const refused: [what: string, key: string, message: RegExp][] = [
    ['a private key', newKey().privatePEM, /holds a private key/],
    ['no key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5', /no public key in PEM/],
    ['half a key', newKey().publicPEM.replace(/.{20}\n-----END/, '\n-----END'), /no public/],
    ['a small key of RSA', publicPEM('rsa', { modulusLength: 1024 }), /signs no statements/],
    ['a key of P-521', publicPEM('ec', { namedCurve: 'P-521' }), /signs no statements/],
    ['a key of secp256k1', publicPEM('ec', { namedCurve: 'secp256k1' }), /signs no statements/],
    ['a key of Ed448', publicPEM('ed448'), /signs no statements/],
    ['a key that agrees on others', publicPEM('x25519'), /signs no statements/],
  ]
  for (const [what, key, message] of refused) {
    test(`is not made from ${what}`, () => {
      const make = () => createVerifier({ pem: key, name: 'public.pem' })
      assert.throws(make, { code: 'KEY_INVALID', message })
    })
  }
})

suite('a signer with a key of its own', () => {
  test('signs what its public key verifies', async () => {
    const { privatePEM, publicPEM } = newKey()
    const signer = createLocalSigner({ pem: new Secret(privatePEM), name: 'key.pem' })
    assert.equal(await signer.publicKey(signal), publicPEM)
    const verifier = createVerifier({ pem: publicPEM, name: 'public.pem' })
    assert.ok(verifier.verify(MESSAGE, await signer.sign(MESSAGE, signal)))
  })

  const encryption = { cipher: 'aes-256-cbc', passphrase: 'x' }
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  const rsa = KINDS.RSASSA_PSS_SHA_256.pair.privateKey
  const refused: [what: string, key: string, message: RegExp][] = [
    [
      'an encrypted key',
      text(ed25519.export({ type: 'pkcs8', format: 'pem', ...encryption })),
      /is encrypted/,
    ],
    [
      'an old encrypted key',
      text(rsa.export({ type: 'pkcs1', format: 'pem', ...encryption })),
      /is encrypted/,
    ],
    ['a key of RSA', pem(rsa), /is of rsa, not of Ed25519/],
    [
      'an old key of RSA',
      text(rsa.export({ type: 'pkcs1', format: 'pem' })),
      /but a "RSA PRIVATE KEY"/,
    ],
    [
      'a key of OpenSSH',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n',
      /but a "OPENSSH PRIVATE KEY"/,
    ],
    ['a public key', newKey().publicPEM, /but a "PUBLIC KEY"/],
    ['a damaged key', newKey().privatePEM.replace('MC4C', 'MC4D'), /is damaged/],
    ['no key', 'hello', /no key in PEM/],
  ]
  for (const [what, key, message] of refused) {
    test(`is not made from ${what}, and tells nothing of it`, () => {
      const make = () => createLocalSigner({ pem: new Secret(key), name: 'key.pem' })
      const error = catchFrom(make)
      assert.ok(hasCode(error, 'KEY_INVALID'), inspect(error))
      assert.match(error.message, message)
      assert.match(error.hint ?? '', /openssl/)
      const told = inspect(error, { depth: null, showHidden: true })
      for (const secret of key.split('\n').filter((line) => /^[\w+/=]{16,}$/.test(line))) {
        assert.ok(!told.includes(secret), 'the error quotes the key')
      }
    })
  }

  test('takes the key that the hint makes', { skip: missing('openssl') }, async () => {
    const made = execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519'], { encoding: 'utf8' })
    const signer = createLocalSigner({ pem: new Secret(made), name: 'key.pem' })
    const { algorithm } = await signer.sign(MESSAGE, signal)
    assert.equal(algorithm, 'Ed25519')
  })
})

function publicPEM(...kind: unknown[]): string {
  // Each kind has options of its own.
  const generate = generateKeyPairSync as unknown as (...kind: unknown[]) => Pair
  return pem(generate(...kind).publicKey)
}

function text(exported: string | Buffer): string {
  return exported.toString()
}

function catchFrom(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was thrown')
}
