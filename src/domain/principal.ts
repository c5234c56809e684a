/**
 * Who asks, as STS says it.
 *
 * @module
 */

/** What STS's GetCallerIdentity answers. */
export interface CallerIdentity {
  readonly arn: string
  readonly userId: string
  readonly account: string
}

interface PrincipalFields {
  /** `aws`, `aws-cn`, `aws-us-gov`, … */
  readonly partition: string
  readonly account: string
  /** The caller's name within its kind: user name, session name, subject. */
  readonly name: string
  /** GetCallerIdentity's UserId: `AIDA…`, `AROA…:session`. Never reused by AWS. */
  readonly uniqueId: string
  readonly arn: string
}

export type Principal = PrincipalFields &
  (
    | { readonly kind: 'iam'; readonly path: string }
    /** An Identity Center session: role `AWSReservedSSO_<permissionSet>_<hash>`. */
    | { readonly kind: 'sso'; readonly role: string; readonly permissionSet: string }
    | { readonly kind: 'role'; readonly role: string }
    | { readonly kind: 'federated' }
    /** A role session made by AssumeRoleWithWebIdentity; `name` is the token's subject. */
    | { readonly kind: 'web'; readonly role: string; readonly provider: string }
    | { readonly kind: 'root' }
  )
