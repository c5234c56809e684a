import { accessDenied } from './aws-error.ts'
import type { AccessKey } from './directory.ts'
import type { Identity, KnownRole } from './iam.ts'

/** What of an AssumeRole request a trust policy looks at. */
export interface TrustedCall {
  readonly caller: AccessKey
  readonly hasMFA: boolean
  readonly externalId: string | undefined
  /** The source identity that the new session would have. */
  readonly sourceIdentity: string | undefined
  readonly hasTags: boolean
}

/**
 * Throws AccessDenied unless the trust policy of `role` allows all that the call needs. A role that
 * does not exist is refused in the same words, so that nobody can find out which do.
 */
export function assertTrusted(
  role: KnownRole | undefined,
  arn: string,
  call: TrustedCall,
): asserts role is KnownRole {
  const { identity } = call.caller
  const refused = (action: string) => accessDenied(identity.arn, `sts:${action}`, arn)
  if (!role || !isTrustee(role.trust.principals, identity)) throw refused('AssumeRole')

  const { externalId, requiresMFA, maySetSourceIdentity, mayTagSession } = role.trust
  if (externalId !== undefined && externalId !== call.externalId) throw refused('AssumeRole')
  if (requiresMFA && !call.hasMFA) throw refused('AssumeRole')
  // Needed to pass an inherited one on just as to set a new one.
  if (call.sourceIdentity !== undefined && !maySetSourceIdentity) throw refused('SetSourceIdentity')
  if (call.hasTags && !mayTagSession) throw refused('TagSession')
}

function isTrustee(principals: readonly string[], identity: Identity): boolean {
  const names = [identity.arn, identity.account, `arn:aws:iam::${identity.account}:root`]
  if (identity.kind === 'role') names.push(identity.role.arn)
  return principals.some((principal) => names.includes(principal))
}
