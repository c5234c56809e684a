import {
  assertLifetime,
  assertRoleArn,
  packedSize,
  type STSState,
  toCredentials,
} from './assume-role.ts'
import { AWSError } from './aws-error.ts'
import type { Directory } from './directory.ts'
import { type OIDCToken, sessionIdentity } from './iam.ts'
import type { Call, Outcome } from './operation.ts'
import type { Value } from './shapes.ts'
import type { ASSUME_ROLE_WITH_WEB_IDENTITY } from './sts-shapes.ts'

/** Seconds. */
const DEFAULT_LIFETIME = 3600

export function assumeRoleWithWebIdentity(
  { directory }: STSState,
  { now }: Call,
  parameters: Value<typeof ASSUME_ROLE_WITH_WEB_IDENTITY>,
): Outcome {
  const { RoleArn: arn, RoleSessionName: sessionName, WebIdentityToken: presented } = parameters
  assertRoleArn(arn)
  const packedPolicySize = packedSize(parameters)
  const [, , , , account = ''] = arn.split(':')
  const { issuer, token } = findToken(directory, account, presented)
  const role = directory.findRole(arn)
  const trusted = role?.trust.webIdentity
  if (!role || trusted?.issuer !== issuer || !trusted.subjects.includes(token.subject)) {
    throw new AWSError(
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      403,
    )
  }
  const lifetime = parameters.DurationSeconds ?? DEFAULT_LIFETIME
  assertLifetime(lifetime, role)

  const web = { issuer, subject: token.subject }
  const identity = sessionIdentity(role, sessionName, { web })
  const issued = directory.issue(identity, { at: now, lifetime, hasMFA: false })
  const result = {
    Credentials: toCredentials(issued),
    SubjectFromWebIdentityToken: token.subject,
    AssumedRoleUser: { AssumedRoleId: identity.userId, Arn: identity.arn },
    PackedPolicySize: packedPolicySize,
    Provider: `arn:aws:iam::${account}:oidc-provider/${issuer.replace('https://', '')}`,
    Audience: token.audience,
  }
  return { result, issued }
}

function findToken(
  directory: Directory,
  account: string,
  value: string,
): { issuer: string; token: OIDCToken } {
  const found = directory.findToken(value)
  if (!found) {
    throw refusedToken(
      'The ID Token provided is not a valid JWT. ' +
        '(You may see this error if you sent an Access Token)',
    )
  }
  const { issuer, token } = found
  const audiences = directory.findAudiences(account, issuer)
  if (!audiences) {
    throw refusedToken(`No OpenIDConnect provider found in your account for ${issuer}`)
  }
  if (!audiences.includes(token.audience)) throw refusedToken('Incorrect token audience')
  return found
}

function refusedToken(message: string): AWSError {
  return new AWSError('InvalidIdentityToken', message)
}
