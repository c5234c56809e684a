import { createHash } from 'node:crypto'
import type { Instant } from '../domain/time.ts'
import { AWSError, invalid } from './aws-error.ts'

export type ParameterType = 'String' | 'StringList' | 'SecureString'

interface ParameterVersion {
  readonly version: number
  readonly type: ParameterType
  readonly value: string
  readonly modifiedAt: Instant
}

/** Where parameters live: each account has its own in each region. */
export interface Place {
  readonly account: string
  readonly region: string
}

interface Put {
  readonly value: string
  readonly type?: ParameterType | undefined
  readonly mayOverwrite: boolean
  readonly at: Instant
}

const STANDARD_CHARACTERS = 4096
const MAX_VERSIONS = 100
const NAME = /^(?:[\w.-]+|(?:\/[\w.-]+){1,15})$/

/** The SSM parameters. A parameter that was deleted and put again begins at version 1. */
export class ParameterStore {
  readonly #parameters = new Map<string, readonly ParameterVersion[]>()

  /**
   * The parameter that `selector` names: `NAME`, or `NAME:VERSION` for an older one. Throws
   * ParameterNotFound or ParameterVersionNotFound.
   */
  get(place: Place, selector: string, with_: { decryption: boolean }): object {
    const [name = '', version] = selector.split(':', 2)
    const versions = this.#parameters.get(keyOf(place, name))
    // AWS sends this one without a message.
    if (!versions) throw new AWSError('ParameterNotFound', '')
    const found =
      version === undefined
        ? versions.at(-1)
        : versions.find((candidate) => String(candidate.version) === version)
    if (!found) {
      throw new AWSError(
        'ParameterVersionNotFound',
        `Systems Manager could not find version ${version} of ${name}. ` +
          'Verify the version and try again.',
      )
    }
    const isHidden = found.type === 'SecureString' && !with_.decryption
    return {
      ARN: `arn:aws:ssm:${place.region}:${place.account}:parameter/${name.replace(/^\//, '')}`,
      DataType: 'text',
      LastModifiedDate: found.modifiedAt / 1000,
      Name: name,
      Type: found.type,
      Value: isHidden ? ciphertextOf(found.value) : found.value,
      Version: found.version,
      ...(version === undefined ? {} : { Selector: `:${version}` }),
    }
  }

  /** Returns the version that the value got. Throws as AWS refuses. */
  put(place: Place, name: string, { value, type, mayOverwrite, at }: Put): number {
    assertName(name)
    assertValue(value)
    const versions = this.#parameters.get(keyOf(place, name)) ?? []
    const last = versions.at(-1)
    if (last && !mayOverwrite) {
      throw new AWSError(
        'ParameterAlreadyExists',
        'The parameter already exists. ' +
          'To overwrite this value, set the overwrite option in the request to true.',
      )
    }
    const kind = type ?? last?.type
    if (!kind) {
      throw invalid('A parameter type is required when you create a parameter.')
    }
    const next = { version: (last?.version ?? 0) + 1, type: kind, value, modifiedAt: at }
    this.#parameters.set(keyOf(place, name), [...versions, next].slice(-MAX_VERSIONS))
    return next.version
  }

  /** Throws ParameterNotFound. */
  delete(place: Place, name: string): void {
    if (!this.#parameters.delete(keyOf(place, name))) throw new AWSError('ParameterNotFound', '')
  }
}

function keyOf({ account, region }: Place, name: string): string {
  return `${account} ${region} ${name}`
}

function assertName(name: string): void {
  if (/^\/?(?:aws|ssm)/i.test(name) || !NAME.test(name)) {
    throw invalid(
      'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). ' +
        'If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path ' +
        'can be formed as a mix of letters, numbers and the following 3 symbols .-_',
    )
  }
}

function assertValue(value: string): void {
  if (value === '') {
    throw invalid(
      "1 validation error detected: Value '' at 'value' failed to satisfy constraint: " +
        'Member must have length greater than or equal to 1',
    )
  }
  if (value.includes('{{')) {
    throw invalid('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
  }
  if (Buffer.byteLength(value) > STANDARD_CHARACTERS) {
    throw invalid(
      'Standard tier parameters support a maximum parameter value of 4096 characters. To create ' +
        'a larger parameter value, upgrade the parameter to use the advanced-parameter tier. ' +
        'For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/' +
        'parameter-store-advanced-parameters.html',
    )
  }
}

/** What a SecureString looks like to somebody who did not ask for decryption. */
function ciphertextOf(value: string): string {
  return `AQICAH${createHash('sha512').update(value).digest('base64')}`
}
