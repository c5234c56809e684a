import { toSeconds } from '../domain/time.ts'
import { AWSError, invalid } from './aws-error.ts'
import type { AccessKey, Directory, SessionKey } from './directory.ts'
import { type KnownRole, sessionIdentity } from './iam.ts'
import type { MFADevices } from './mfa.ts'
import type { Outcome, SignedCall } from './operation.ts'
import type { Value } from './shapes.ts'
import type { ASSUME_ROLE } from './sts-shapes.ts'
import { assertTrusted } from './trust.ts'

/** What STS keeps between calls. */
export interface STSState {
  readonly directory: Directory
  readonly devices: MFADevices
}

/** Seconds. Also what the longest chained session is. */
const DEFAULT_LIFETIME = 3600
const PACKED_POLICY_CHARACTERS = 2048
const ROLE_ARN = /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/

export function assumeRole(
  { directory, devices }: STSState,
  { caller, now }: SignedCall,
  parameters: Value<typeof ASSUME_ROLE>,
): Outcome {
  const { RoleArn: arn, RoleSessionName: sessionName, Tags: tags = [] } = parameters
  assertRoleArn(arn)
  assertDistinctKeys(tags)
  const packedPolicySize = packedSize(parameters)
  if (caller.identity.kind === 'root') {
    throw new AWSError('AccessDenied', 'Roles may not be assumed by root accounts.', 403)
  }
  const sourceIdentity = sourceIdentityOf(caller, parameters.SourceIdentity)
  const hasMFA = devices.check(caller, parameters, now) || caller.hasMFA
  const role = directory.findRole(arn)
  assertTrusted(role, arn, {
    caller,
    hasMFA,
    externalId: parameters.ExternalId,
    sourceIdentity,
    hasTags: tags.length > 0,
  })
  const lifetime = parameters.DurationSeconds ?? DEFAULT_LIFETIME
  assertLifetime(lifetime, role, caller)

  const identity = sessionIdentity(role, sessionName, { sourceIdentity })
  const issued = directory.issue(identity, { at: now, lifetime, hasMFA: false })
  const result = {
    Credentials: toCredentials(issued),
    AssumedRoleUser: { AssumedRoleId: identity.userId, Arn: identity.arn },
    PackedPolicySize: packedPolicySize,
    SourceIdentity: sourceIdentity,
  }
  return { result, issued }
}

/** Throws unless `arn` has the form of a role's. */
export function assertRoleArn(arn: string): void {
  if (!ROLE_ARN.test(arn)) throw invalid('Request ARN is invalid')
}

/** Throws when the role or, for a `caller` that is a session itself, chaining allows less. */
export function assertLifetime(lifetime: number, role: KnownRole, caller?: AccessKey): void {
  if (lifetime > role.maxSessionSeconds) {
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  }
  // Sessions of GetSessionToken count as well (github.com/99designs/aws-vault/issues/351).
  if (caller?.sessionToken !== undefined && lifetime > DEFAULT_LIFETIME) {
    throw invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit ' +
        'for roles assumed by role chaining.',
    )
  }
}

/** What session policies take of their room, in percent; undefined without any. */
export function packedSize({
  Policy: policy,
  PolicyArns: policyArns = [],
}: {
  readonly Policy?: string
  readonly PolicyArns?: readonly { readonly arn?: string }[]
}): number | undefined {
  if (policy === undefined && policyArns.length === 0) return undefined
  if (policy !== undefined && !isJSONObject(policy)) {
    throw new AWSError('MalformedPolicyDocument', 'This policy contains invalid Json')
  }
  const characters = [policy, ...policyArns.map(({ arn }) => arn)].join('').length
  const percent = Math.ceil((characters / PACKED_POLICY_CHARACTERS) * 100)
  if (percent > 100) {
    throw new AWSError(
      'PackedPolicyTooLarge',
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
    )
  }
  return percent
}

/** The `Credentials` of a response. */
export function toCredentials(key: SessionKey): Readonly<Record<string, string>> {
  return {
    AccessKeyId: key.accessKeyId,
    SecretAccessKey: key.secretAccessKey,
    SessionToken: key.sessionToken,
    Expiration: toSeconds(key.expiration),
  }
}

/** The one asked for, or the one the caller's own session has, which nothing can change. */
function sourceIdentityOf({ identity }: AccessKey, asked: string | undefined): string | undefined {
  const inherited = identity.kind === 'role' ? identity.sourceIdentity : undefined
  if (inherited !== undefined && asked !== undefined && asked !== inherited) {
    throw invalid('The source identity is already set for this assume role session')
  }
  return inherited ?? asked
}

function assertDistinctKeys(tags: readonly { readonly Key: string }[]): void {
  const keys = new Set(tags.map(({ Key }) => Key.toLowerCase()))
  if (keys.size === tags.length) return
  throw new AWSError(
    'InvalidParameterValue',
    'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  )
}

function isJSONObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
