import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import type { Credentials } from '../domain/credentials.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { PolicySource, PolicyText } from '../ports/policy-source.ts'
import type { AWSTransport } from './client-options.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { type Fault, isRefusal, nameOfFault, toFault } from './fault.ts'
import { decodePolicy } from './policy-encoding.ts'
import { toIdentity } from './sts-caller.ts'

const FETCH_TIMEOUT = 10 * SECOND

interface SSMPolicySourceOptions {
  readonly transport: AWSTransport
  readonly region: string
  /** A parameter's name, with `:VERSION` or `:LABEL` if it is to be pinned, or its ARN. */
  readonly parameter: string
  /** The profile whose settings (FIPS, CA bundle) hold for the call. */
  readonly profile: string
  /** Asked at each fetch: credentials end and are renewed during a run. */
  readonly credentials: () => Promise<Credentials>
  /** Milliseconds for one fetch with its retries. */
  readonly timeoutMs?: number
}

/** A policy in SSM's Parameter Store, decrypted if it is a SecureString. */
export class SSMPolicySource implements PolicySource {
  readonly reference: string
  readonly isLocal = false
  readonly #options: SSMPolicySourceOptions

  /** Throws `CONFIG_INVALID` when the parameter's ARN names another region. */
  constructor(options: SSMPolicySourceOptions) {
    const { region, parameter } = options
    const [prefix, , , named] = parameter.split(':')
    if (prefix === 'arn' && named !== region) {
      throw new SentinelError('CONFIG_INVALID', `${parameter} is not in region ${region}`, {
        hint: `name the policy as ssm:${named}:${parameter}`,
      })
    }
    this.reference = `ssm:${region}:${parameter}`
    this.#options = options
  }

  async fetch(signal: AbortSignal): Promise<PolicyText> {
    const credentials = await this.#options.credentials()
    const bounded = AbortSignal.any([
      signal,
      AbortSignal.timeout(this.#options.timeoutMs ?? FETCH_TIMEOUT),
    ])
    const { Parameter } = await this.#get(credentials, bounded).catch((error: unknown) => {
      if (error instanceof SentinelError) throw error
      throw signal.aborted ? interrupted(`reading ${this.reference}`) : this.#translate(error)
    })
    if (Parameter?.Value === undefined) {
      throw this.#unavailable({ name: 'no value in the answer' })
    }
    const text = decodePolicy(Parameter.Value, this.reference)
    return Parameter.Version === undefined ? { text } : { text, version: Parameter.Version }
  }

  async #get(credentials: Credentials, abortSignal: AbortSignal) {
    const { transport, region, profile, parameter } = this.#options
    const client = new SSMClient({
      ...(await transport.clientOptions('ssm', { region, profile })),
      credentials: toIdentity(credentials),
    })
    const command = new GetParameterCommand({ Name: parameter, WithDecryption: true })
    return abandonOn(abortSignal, client.send(command, { abortSignal }))
  }

  #translate(error: unknown): SentinelError {
    const fault = toFault(error)
    if (fault.name === 'ParameterNotFound' || fault.name === 'ParameterVersionNotFound') {
      return new SentinelError('POLICY_NOT_FOUND', `there is no policy in ${this.reference}`, {
        hint: 'check the name and the region of the parameter',
        cause: fault,
      })
    }
    return this.#unavailable(fault)
  }

  #unavailable(fault: Fault): SentinelError {
    const message = `the policy in ${this.reference} could not be read: ${nameOfFault(fault)}`
    return new SentinelError('POLICY_UNAVAILABLE', message, { hint: hintFor(fault), cause: fault })
  }
}

function hintFor(fault: Fault): string {
  if (fault.name === 'AccessDeniedException' || fault.name === 'InvalidKeyId') {
    return 'allow ssm:GetParameter, and kms:Decrypt for a SecureString, to the caller'
  }
  if (isRefusal(fault)) return 'log in again, or name other credentials with --aws-profile'
  return 'try again, and look at the network and at the region'
}
