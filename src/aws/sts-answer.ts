import type { Credentials } from '../domain/credentials.ts'
import { Secret } from '../domain/secret.ts'
import type { Instant } from '../domain/time.ts'
import type { STSCaller } from './sts-caller.ts'
import { type STSCall, unavailable } from './sts-errors.ts'

/** Temporary credentials; whose account they belong to is told elsewhere. */
export interface SessionKeys extends Credentials {
  readonly sessionToken: Secret
  readonly expiration: Instant
}

interface AnsweredKeys {
  readonly AccessKeyId?: string | undefined
  readonly SecretAccessKey?: string | undefined
  readonly SessionToken?: string | undefined
  readonly Expiration?: Date | undefined
}

type Call = Pick<STSCall, 'action' | 'roleArn'>

/** Gives a field of an answer back. Throws `STS_UNAVAILABLE` when it is missing or empty. */
export function requireAnswer(field: string | undefined, call: Call): string {
  if (field !== undefined && field !== '') return field
  throw unavailable(call, new Error('the answer is not complete'))
}

/** Takes credentials out of an answer. Throws `STS_UNAVAILABLE` unless all are there and alive. */
export function sessionOf(
  sts: Pick<STSCaller, 'requireFuture'>,
  keys: AnsweredKeys | undefined,
  call: Call,
): SessionKeys {
  return {
    accessKeyId: requireAnswer(keys?.AccessKeyId, call),
    secretAccessKey: new Secret(requireAnswer(keys?.SecretAccessKey, call)),
    sessionToken: new Secret(requireAnswer(keys?.SessionToken, call)),
    expiration: sts.requireFuture(keys?.Expiration, call),
  }
}
