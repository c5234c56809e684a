import { assumeRole, type STSState, toCredentials } from './assume-role.ts'
import { AWSError } from './aws-error.ts'
import { type Operations, type Outcome, open, type SignedCall, signed } from './operation.ts'
import type { Value } from './shapes.ts'
import {
  ASSUME_ROLE,
  ASSUME_ROLE_WITH_WEB_IDENTITY,
  GET_CALLER_IDENTITY,
  GET_SESSION_TOKEN,
} from './sts-shapes.ts'
import { assumeRoleWithWebIdentity } from './web-identity.ts'

/** Seconds: what GetSessionToken gives a user who asks for nothing else, and root at most. */
const USER_LIFETIME = 43_200
const ROOT_LIFETIME = 3600

/** The operations of STS. */
export function stsOperations(state: STSState): Operations {
  return {
    GetCallerIdentity: signed(GET_CALLER_IDENTITY, ({ caller: { identity } }) => ({
      result: { Arn: identity.arn, UserId: identity.userId, Account: identity.account },
    })),
    AssumeRole: signed(ASSUME_ROLE, (call, parameters) => assumeRole(state, call, parameters)),
    GetSessionToken: signed(GET_SESSION_TOKEN, (call, parameters) =>
      getSessionToken(state, call, parameters),
    ),
    AssumeRoleWithWebIdentity: open(ASSUME_ROLE_WITH_WEB_IDENTITY, (call, parameters) =>
      assumeRoleWithWebIdentity(state, call, parameters),
    ),
  }
}

function getSessionToken(
  { directory, devices }: STSState,
  { caller, now }: SignedCall,
  parameters: Value<typeof GET_SESSION_TOKEN>,
): Outcome {
  if (caller.sessionToken !== undefined) {
    throw new AWSError('AccessDenied', 'Cannot call GetSessionToken with session credentials', 403)
  }
  const isRoot = caller.identity.kind === 'root'
  const hasMFA = devices.check(caller, parameters, now)
  const asked = parameters.DurationSeconds ?? USER_LIFETIME
  // Root gets an hour whatever it asks for: AWS says so, and does not refuse.
  const lifetime = isRoot ? Math.min(asked, ROOT_LIFETIME) : asked
  const issued = directory.issue(caller.identity, { at: now, lifetime, hasMFA })
  return { result: { Credentials: toCredentials(issued) }, issued }
}
