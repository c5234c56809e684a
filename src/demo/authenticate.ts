import type { Instant } from '../domain/time.ts'
import { AWSError } from './aws-error.ts'
import type { AccessKey, Directory } from './directory.ts'
import type { Service } from './journal.ts'
import type { WireRequest } from './loopback.ts'
import { assertScope, assertSignature, headerOf, parseAuthorization } from './sigv4.ts'

export interface Gate {
  readonly directory: Directory
  readonly regions: readonly string[]
}

export interface Signer {
  readonly caller: AccessKey
  readonly region: string
}

/**
 * Who signed `request`; undefined when nobody did. Throws as AWS refuses, in STS's order: what the
 * signature is meant for, whose key and token it is, whether the key has ended, the signature.
 */
export function authenticate(
  { directory, regions }: Gate,
  request: WireRequest,
  { service, now }: { service: Service; now: Instant },
): Signer | undefined {
  const authorization = parseAuthorization(request)
  if (!authorization) return undefined
  assertScope(authorization, { service, regions })
  const caller = liveKey(directory.findKey(authorization.accessKeyId), {
    token: headerOf(request, 'x-amz-security-token'),
    now,
  })
  assertSignature(request, authorization, { secret: caller.secretAccessKey, now })
  return { caller, region: authorization.region }
}

/** The refusal of a request that nobody signed though somebody must. */
export function missingToken(): AWSError {
  return new AWSError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
}

function liveKey(
  key: AccessKey | undefined,
  { token, now }: { token: string | undefined; now: Instant },
): AccessKey {
  if (key === undefined || key.sessionToken !== token) {
    throw new AWSError(
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
      403,
    )
  }
  if (key.expiration !== undefined && now >= key.expiration) {
    throw new AWSError('ExpiredToken', 'The security token included in the request is expired', 403)
  }
  return key
}
