import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import type { Credentials, SessionCredentials } from '../domain/credentials.ts'
import type { CallerIdentity } from '../domain/principal.ts'
import type { AssumedRole, AssumeRoleRequest, TokenService } from '../ports/token-service.ts'
import { requireAnswer, sessionOf } from './sts-answer.ts'
import type { STSCaller, STSTarget } from './sts-caller.ts'

/** The real STS, at one region's endpoint. */
export class STSTokenService implements TokenService {
  readonly #sts: STSCaller
  readonly #target: STSTarget

  constructor(sts: STSCaller, target: STSTarget) {
    this.#sts = sts
    this.#target = target
  }

  async identify(base: Credentials, signal: AbortSignal): Promise<CallerIdentity> {
    const call = { action: 'GetCallerIdentity' }
    const answer = await this.#sts.call(
      { target: this.#target, signer: base, signal },
      call,
      (client, options) => client.send(new GetCallerIdentityCommand({}), options),
    )
    return {
      arn: requireAnswer(answer.Arn, call),
      userId: requireAnswer(answer.UserId, call),
      account: requireAnswer(answer.Account, call),
    }
  }

  async assumeRole(
    base: Credentials,
    request: AssumeRoleRequest,
    signal: AbortSignal,
  ): Promise<AssumedRole> {
    const { roleArn, duration, mfa } = request
    const call = {
      action: 'AssumeRole',
      roleArn,
      duration,
      isMFA: mfa !== undefined,
      secrets: mfa === undefined ? [] : [mfa.tokenCode],
    }
    const answer = await this.#sts.call(
      { target: this.#target, signer: base, signal },
      call,
      (client, options) => client.send(new AssumeRoleCommand(toInput(request)), options),
    )
    const assumedRoleArn = requireAnswer(answer.AssumedRoleUser?.Arn, call)
    const accountId = requireAnswer(assumedRoleArn.split(':')[4], call)
    const session = sessionOf(this.#sts, answer.Credentials, call)
    return { credentials: { ...session, accountId }, assumedRoleArn }
  }

  async getSessionToken(
    base: Credentials,
    duration: number,
    signal: AbortSignal,
  ): Promise<SessionCredentials> {
    const call = { action: 'GetSessionToken', duration }
    const answer = await this.#sts.call(
      { target: this.#target, signer: base, signal },
      call,
      (client, options) =>
        client.send(new GetSessionTokenCommand({ DurationSeconds: duration }), options),
    )
    const session = sessionOf(this.#sts, answer.Credentials, call)
    // GetSessionToken does not say whose account it is; the new session can ask.
    const { account } = await this.identify(session, signal)
    return { ...session, accountId: account }
  }
}

function toInput({ roleArn, mfa, tags, ...request }: AssumeRoleRequest) {
  return {
    RoleArn: roleArn,
    RoleSessionName: request.roleSessionName,
    SourceIdentity: request.sourceIdentity,
    DurationSeconds: request.duration,
    ...(request.externalId !== undefined && { ExternalId: request.externalId }),
    ...(mfa !== undefined && { SerialNumber: mfa.serialNumber, TokenCode: mfa.tokenCode }),
    ...(tags !== undefined && {
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  }
}
