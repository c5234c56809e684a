import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import {
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import type { Credentials } from '../domain/credentials.ts'
import type { LogSignature, SigningAlgorithm } from '../domain/log-statement.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { LogSigner } from '../ports/log-signer.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { type Fault, isRefusal, nameOfFault, toFault } from './fault.ts'
import { toIdentity } from './sts-caller.ts'

const CALL_TIMEOUT = 10 * SECOND

/** What KMS calls the ways in which a statement may be signed: a key of KMS has one of them. */
const ALGORITHMS: Readonly<Record<SigningAlgorithm, SigningAlgorithmSpec>> = {
  Ed25519: 'ED25519_SHA_512',
  ECDSA_SHA_256: 'ECDSA_SHA_256',
  ECDSA_SHA_384: 'ECDSA_SHA_384',
  RSASSA_PSS_SHA_256: 'RSASSA_PSS_SHA_256',
}

interface KMSSignerOptions {
  readonly transport: AWSTransport
  readonly region: string
  /** A key's id or ARN, or an alias (`alias/NAME`) or its ARN. */
  readonly key: string
  /** The profile whose settings (FIPS, CA bundle) hold for the calls. */
  readonly profile: string
  readonly credentials: () => Promise<Credentials>
  /** Milliseconds for one call with its retries. */
  readonly timeoutMs?: number
}

interface Described {
  readonly publicKey: KeyObject
  readonly algorithm: SigningAlgorithm
  /** An alias may come to stand for another key between two calls; this does not. */
  readonly id: string
}

/** An asymmetric key of KMS: the private half of it is in no place that can be read. */
export class KMSSigner implements LogSigner {
  readonly #options: KMSSignerOptions
  #described: Described | undefined

  constructor(options: KMSSignerOptions) {
    this.#options = options
  }

  async publicKey(signal: AbortSignal): Promise<string> {
    const { publicKey } = await this.#describe(signal)
    return publicKey.export({ type: 'spki', format: 'pem' }).toString()
  }

  async sign(message: string, signal: AbortSignal): Promise<LogSignature> {
    const { publicKey, algorithm, id } = await this.#describe(signal)
    const command = new SignCommand({
      KeyId: id,
      Message: Buffer.from(message),
      MessageType: 'RAW',
      SigningAlgorithm: ALGORITHMS[algorithm],
    })
    const { Signature } = await this.#call(signal, 'signing with', (client, abortSignal) =>
      client.send(command, { abortSignal }),
    )
    if (!Signature) throw this.#failed({ name: 'no signature in the answer' })
    return {
      algorithm,
      keyId: hash('sha256', publicKey.export({ type: 'spki', format: 'der' })),
      signature: Buffer.from(Signature).toString('base64'),
    }
  }

  async #describe(signal: AbortSignal): Promise<Described> {
    this.#described ??= await this.#getPublicKey(signal)
    return this.#described
  }

  async #getPublicKey(signal: AbortSignal): Promise<Described> {
    const { key } = this.#options
    const command = new GetPublicKeyCommand({ KeyId: key })
    const answer = await this.#call(signal, 'asking for', (client, abortSignal) =>
      client.send(command, { abortSignal }),
    )
    const { PublicKey, KeyUsage, KeyId = key, SigningAlgorithms = [] } = answer
    const algorithm = algorithmAmong(SigningAlgorithms)
    if (KeyUsage !== 'SIGN_VERIFY' || algorithm === undefined) throw this.#unfit()
    const publicKey = readDER(PublicKey)
    if (!publicKey) throw this.#failed({ name: 'no public key in the answer' })
    return { publicKey, algorithm, id: KeyId }
  }

  async #call<Answer>(
    signal: AbortSignal,
    what: string,
    send: (client: KMSClient, signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const { transport, region, key, profile, credentials, timeoutMs } = this.#options
    const identity = toIdentity(await credentials())
    const timeout = AbortSignal.timeout(timeoutMs ?? CALL_TIMEOUT)
    const abortSignal = AbortSignal.any([signal, timeout])
    try {
      const options = await transport.clientOptions('kms', { region, profile })
      const client = new KMSClient({ ...options, credentials: identity })
      return await abandonOn(abortSignal, send(client, abortSignal))
    } catch (error) {
      if (error instanceof SentinelError) throw error
      throw signal.aborted ? interrupted(`${what} ${key}`) : this.#translate(toFault(error))
    }
  }

  #translate(fault: Fault): SentinelError {
    const { key, region } = this.#options
    switch (fault.name) {
      case 'NotFoundException':
      case 'InvalidArnException':
      case 'ValidationException':
        return new SentinelError('KEY_INVALID', `KMS knows no key ${key} in ${region}`, {
          hint: 'name a key by its id, its ARN or alias/NAME, and look at --region',
          cause: fault,
        })
      case 'DisabledException':
      case 'KMSInvalidStateException':
        return new SentinelError('KEY_INVALID', `the key ${key} is disabled, or to be deleted`, {
          hint: 'enable it, or name another key',
          cause: fault,
        })
      case 'UnsupportedOperationException':
      case 'InvalidKeyUsageException':
        return this.#unfit(fault)
      default:
        return this.#failed(fault)
    }
  }

  #unfit(cause?: Fault): SentinelError {
    const message = `the key ${this.#options.key} is none that signs statements`
    return new SentinelError('KEY_INVALID', message, {
      hint:
        'name a key of usage SIGN_VERIFY and of spec ECC_NIST_EDWARDS25519, ECC_NIST_P256, ' +
        'ECC_NIST_P384 or RSA_2048 to RSA_4096',
      cause,
    })
  }

  #failed(fault: Fault): SentinelError {
    const message = `KMS did not answer for the key ${this.#options.key}: ${nameOfFault(fault)}`
    return new SentinelError('SIGNING_FAILED', message, { hint: hintFor(fault), cause: fault })
  }
}

function algorithmAmong(offered: readonly SigningAlgorithmSpec[]): SigningAlgorithm | undefined {
  const known = Object.keys(ALGORITHMS) as SigningAlgorithm[]
  return known.find((algorithm) => offered.includes(ALGORITHMS[algorithm]))
}

function readDER(der: Uint8Array | undefined): KeyObject | undefined {
  if (!der) return undefined
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function hintFor(fault: Fault): string {
  if (fault.name === 'AccessDeniedException') {
    return 'allow kms:GetPublicKey, and kms:Sign to whoever signs, to the caller'
  }
  if (isRefusal(fault)) return 'log in again, or name other credentials with --aws-profile'
  return 'try again, and look at the network and at the region'
}
