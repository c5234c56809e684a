import type { Credentials, SessionCredentials } from '../domain/credentials.ts'
import type { CallerIdentity } from '../domain/principal.ts'

export interface AssumeRoleRequest {
  readonly roleArn: string
  readonly roleSessionName: string
  readonly sourceIdentity: string
  /** Seconds. */
  readonly duration: number
  readonly externalId?: string
  readonly mfa?: { readonly serialNumber: string; readonly tokenCode: string }
  readonly tags?: Readonly<Record<string, string>>
}

export interface AssumedRole {
  readonly credentials: SessionCredentials
  /** `arn:aws:sts::444455556666:assumed-role/Prod/alice-…`, as STS answered it. */
  readonly assumedRoleArn: string
}

/**
 * STS, as issuing needs it. Every method rejects with `STS_UNAVAILABLE` when STS did not answer (or
 * throttled, or failed), `STS_REFUSED` when it answered no, `BASE_CREDENTIALS_EXPIRED` when the
 * signing credentials have ended, and `INTERRUPTED` when `signal` aborts.
 */
export interface TokenService {
  identify(base: Credentials, signal: AbortSignal): Promise<CallerIdentity>

  /**
   * Rejects besides with `STS_REFUSED` carrying `durationTooLong: true` in its `cause` when the
   * role's maximum is shorter than the duration asked.
   */
  assumeRole(
    base: Credentials,
    request: AssumeRoleRequest,
    signal: AbortSignal,
  ): Promise<AssumedRole>

  /** For an IAM user's own keys only. `duration` in seconds. */
  getSessionToken(
    base: Credentials,
    duration: number,
    signal: AbortSignal,
  ): Promise<SessionCredentials>
}
