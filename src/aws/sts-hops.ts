import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import type { Credentials } from '../domain/credentials.ts'
import { requireAnswer, type SessionKeys, sessionOf } from './sts-answer.ts'
import type { STSCaller, STSTarget } from './sts-caller.ts'

/** Who signs a hop, where it goes, and who no longer wants it when. */
export interface HopContext {
  readonly target: STSTarget
  readonly signal: AbortSignal
}

/** One AssumeRole on the way to the base credentials, as the profile in between writes it. */
export interface RoleHop {
  readonly roleArn: string
  readonly roleSessionName: string
  readonly externalId?: string | undefined
  /** Seconds. */
  readonly duration?: number | undefined
  readonly mfa?: { readonly serialNumber: string; readonly tokenCode: string } | undefined
}

interface WebIdentityHop {
  readonly roleArn: string
  readonly roleSessionName: string
  readonly token: string
}

/** What a web identity token was exchanged for, and whose token it was. */
export interface WebIdentitySession {
  readonly credentials: SessionKeys
  readonly provider: string
  readonly subject: string
}

/**
 * The STS calls that make base credentials out of what the user has. Plain ones: the stamp belongs
 * to the last AssumeRole alone, or STS would carry the first one's SourceIdentity along the chain.
 */
export class STSHops {
  readonly #sts: STSCaller

  constructor(sts: STSCaller) {
    this.#sts = sts
  }

  /** Rejects as a {@link TokenService} does. */
  async assumeRole(
    base: Credentials,
    { roleArn, roleSessionName, externalId, duration, mfa }: RoleHop,
    { target, signal }: HopContext,
  ): Promise<SessionKeys> {
    const call = {
      action: 'AssumeRole',
      roleArn,
      ...(duration !== undefined && { duration }),
      isMFA: mfa !== undefined,
      secrets: mfa === undefined ? [] : [mfa.tokenCode],
    }
    const input = {
      RoleArn: roleArn,
      RoleSessionName: roleSessionName,
      DurationSeconds: duration,
      ...(externalId !== undefined && { ExternalId: externalId }),
      ...(mfa !== undefined && { SerialNumber: mfa.serialNumber, TokenCode: mfa.tokenCode }),
    }
    const answer = await this.#sts.call({ target, signer: base, signal }, call, (client, options) =>
      client.send(new AssumeRoleCommand(input), options),
    )
    return sessionOf(this.#sts, answer.Credentials, call)
  }

  /** Rejects as a {@link TokenService} does; an ended token is `BASE_CREDENTIALS_EXPIRED`. */
  async assumeRoleWithWebIdentity(
    { roleArn, roleSessionName, token }: WebIdentityHop,
    { target, signal }: HopContext,
  ): Promise<WebIdentitySession> {
    const call = { action: 'AssumeRoleWithWebIdentity', roleArn, secrets: [token] }
    const input = {
      RoleArn: roleArn,
      RoleSessionName: roleSessionName,
      WebIdentityToken: token,
    }
    const answer = await this.#sts.call({ target, signal }, call, (client, options) =>
      client.send(new AssumeRoleWithWebIdentityCommand(input), options),
    )
    return {
      credentials: sessionOf(this.#sts, answer.Credentials, call),
      provider: requireAnswer(answer.Provider, call),
      subject: requireAnswer(answer.SubjectFromWebIdentityToken, call),
    }
  }

  /** Opens an MFA session of an IAM user: good for every call that follows, as the code is not. */
  async openMFASession(
    base: Credentials,
    mfa: { readonly serialNumber: string; readonly tokenCode: string; readonly duration: number },
    { target, signal }: HopContext,
  ): Promise<SessionKeys> {
    const { serialNumber, tokenCode, duration } = mfa
    const call = { action: 'GetSessionToken', duration, isMFA: true, secrets: [tokenCode] }
    const input = {
      SerialNumber: serialNumber,
      TokenCode: tokenCode,
      DurationSeconds: duration,
    }
    const answer = await this.#sts.call({ target, signer: base, signal }, call, (client, options) =>
      client.send(new GetSessionTokenCommand(input), options),
    )
    return sessionOf(this.#sts, answer.Credentials, call)
  }
}
