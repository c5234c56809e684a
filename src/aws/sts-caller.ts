import { STSClient } from '@aws-sdk/client-sts'
import type { Credentials } from '../domain/credentials.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { type STSCall, stsError, unavailable } from './sts-errors.ts'

/** Bounds one call with its retries: whoever waits has a second, and the rest runs behind it. */
const CALL_TIMEOUT = 10 * SECOND

interface STSCallerOptions {
  readonly transport: AWSTransport
  readonly clock: Clock
  /** Milliseconds for one call with its retries. */
  readonly timeoutMs?: number
}

/** Where a call goes, and under whose settings (FIPS, CA bundle). */
export interface STSTarget {
  readonly region: string
  readonly profile: string
}

type Send<Output> = (client: STSClient, options: { abortSignal: AbortSignal }) => Promise<Output>

/** Makes single STS calls: signed by whatever credentials, bounded in time, errors translated. */
export class STSCaller {
  readonly #transport: AWSTransport
  readonly #clock: Clock
  readonly #timeoutMs: number

  constructor({ transport, clock, timeoutMs = CALL_TIMEOUT }: STSCallerOptions) {
    this.#transport = transport
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** `signer` is absent for AssumeRoleWithWebIdentity, which the token alone authorizes. */
  async call<Output>(
    { target, signer, signal }: { target: STSTarget; signer?: Credentials; signal: AbortSignal },
    call: Omit<STSCall, 'secrets'> & { readonly secrets?: readonly string[] },
    send: Send<Output>,
  ): Promise<Output> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)])
    try {
      // A client costs 0.1 ms and its connections are the transport's: nothing to keep, so no key
      // outlives its call.
      const client = new STSClient({
        ...(await this.#transport.clientOptions('sts', target)),
        credentials: signer === undefined ? ANONYMOUS : toIdentity(signer),
      })
      return await abandonOn(bounded, send(client, { abortSignal: bounded }))
    } catch (error) {
      if (signal.aborted) throw interrupted(call.action)
      if (error instanceof SentinelError) throw error
      const translated = stsError(error, {
        ...call,
        secrets: [...secretsOf(signer), ...(call.secrets ?? [])],
      })
      // A clock that is off makes STS refuse for reasons that are not the real one.
      if (translated.code !== 'STS_UNAVAILABLE') this.#clock.aws()
      throw translated
    }
  }

  /** Throws `STS_UNAVAILABLE` unless `instant` lies in the future. */
  requireFuture(instant: Date | undefined, call: Pick<STSCall, 'action' | 'roleArn'>): number {
    const expiration = instant?.getTime() ?? Number.NaN
    if (expiration > this.#clock.aws()) return expiration
    throw unavailable(call, new Error('the credentials in the answer have no life left'))
  }
}

const ANONYMOUS = { accessKeyId: '', secretAccessKey: '' }

/** What the SDK's clients take for credentials. */
export function toIdentity({ accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken !== undefined && { sessionToken: sessionToken.reveal() }),
  }
}

function secretsOf(signer: Credentials | undefined): string[] {
  if (signer === undefined) return []
  const { secretAccessKey, sessionToken } = toIdentity(signer)
  return sessionToken === undefined ? [secretAccessKey] : [secretAccessKey, sessionToken]
}
