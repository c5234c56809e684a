/**
 * Signatures of statements by node:crypto: which keys can make them, and which public keys can
 * check them. No text of a private key reaches an error.
 *
 * @module
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { SigningAlgorithm } from '../domain/log-statement.ts'
import type { Secret } from '../domain/secret.ts'
import { SentinelError } from '../errors.ts'
import type { LogSigner, LogVerifier } from '../ports/log-signer.ts'

/** A key in PEM, and what it is called in errors. */
interface NamedKey<Text> {
  readonly pem: Text
  readonly name: string
}

/** Signs with an Ed25519 key. Throws `KEY_INVALID` for anything else. */
export function createLocalSigner({ pem, name }: NamedKey<Secret>): LogSigner {
  const key = readPrivateKey({ pem: pem.reveal(), name })
  const publicKey = createPublicKey(key)
  return {
    publicKey: async () => publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: async (message) => ({
      algorithm: 'Ed25519',
      keyId: keyIdOf(publicKey),
      signature: sign(null, Buffer.from(message), key).toString('base64'),
    }),
  }
}

/**
 * Checks signatures by a public key. Throws `KEY_INVALID` for one that no statement is signed with.
 */
export function createVerifier({ pem, name }: NamedKey<string>): LogVerifier {
  const key = readPublicKey({ pem, name })
  const algorithm = algorithmOf(key)
  if (algorithm === undefined) {
    throw new SentinelError('KEY_INVALID', `${name} is a key of a kind that signs no statements`, {
      hint: 'use a key of Ed25519, NIST P-256, NIST P-384, or RSA with 2048 bits or more',
    })
  }
  const keyId = keyIdOf(key)
  return {
    keyId,
    verify(message, given) {
      // Which algorithm counts is the key's affair: the signature only says the same.
      if (given.algorithm !== algorithm || given.keyId !== keyId) return false
      const { digest, padding } = CHECKS[algorithm]
      const signature = Buffer.from(given.signature, 'base64')
      return verify(digest, Buffer.from(message), { key, ...padding }, signature)
    },
  }
}

/** Ed25519 has its own digest. */
const CHECKS: Readonly<Record<SigningAlgorithm, { digest: string | null; padding?: object }>> = {
  Ed25519: { digest: null },
  ECDSA_SHA_256: { digest: 'sha256' },
  ECDSA_SHA_384: { digest: 'sha384' },
  RSASSA_PSS_SHA_256: {
    digest: 'sha256',
    padding: {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_AUTO,
    },
  },
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  switch (asymmetricKeyType) {
    case 'ed25519':
      return 'Ed25519'
    case 'ec':
      return CURVES[asymmetricKeyDetails?.namedCurve ?? '']
    case 'rsa':
      return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? 'RSASSA_PSS_SHA_256' : undefined
    default:
      return undefined
  }
}

const CURVES: Readonly<Record<string, SigningAlgorithm>> = {
  prime256v1: 'ECDSA_SHA_256',
  secp384r1: 'ECDSA_SHA_384',
}

function keyIdOf(key: KeyObject): string {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }))
}

/** OpenSSL's own errors are dropped: they say nothing that a person could use. */
function readPrivateKey({ pem, name }: NamedKey<string>): KeyObject {
  const label = labelOf(pem)
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw new SentinelError('KEY_INVALID', `the key in ${name} is encrypted`, {
      hint: `decrypt it to a file of your own: openssl pkey -in ${name} -out KEY && chmod 600 KEY`,
    })
  }
  if (label !== 'PRIVATE KEY') {
    const found = label === undefined ? 'no key in PEM' : `no PKCS #8 key but a "${label}"`
    throw unfit(`${name} holds ${found}`)
  }
  const key = attempt(() => createPrivateKey(pem))
  if (!key) throw unfit(`the key in ${name} is damaged`)
  const { asymmetricKeyType: type } = key
  if (type !== 'ed25519') throw unfit(`the key in ${name} is of ${type}, not of Ed25519`)
  return key
}

function unfit(message: string): SentinelError {
  return new SentinelError('KEY_INVALID', message, {
    hint: 'make one with: openssl genpkey -algorithm ed25519 -out KEY && chmod 600 KEY',
  })
}

/** Node would also take a private key for its public half: nobody should carry one about. */
function readPublicKey({ pem, name }: NamedKey<string>): KeyObject {
  const label = labelOf(pem)
  if (label?.endsWith('PRIVATE KEY')) {
    throw new SentinelError('KEY_INVALID', `${name} holds a private key`, {
      hint: 'give verifiers what this prints: sentinel audit sign --key FILE --print-public-key',
    })
  }
  const key = label === 'PUBLIC KEY' ? attempt(() => createPublicKey(pem)) : undefined
  if (key) return key
  throw new SentinelError('KEY_INVALID', `${name} holds no public key in PEM`, {
    hint: 'name a file that begins with -----BEGIN PUBLIC KEY-----',
  })
}

function labelOf(pem: string): string | undefined {
  return /^-----BEGIN ([A-Z0-9 ]+)-----/m.exec(pem)?.[1]
}

function attempt(read: () => KeyObject): KeyObject | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
