import type { Secret } from './secret.ts'
import type { Instant } from './time.ts'

/** A set of AWS credentials. Without `sessionToken` they are an IAM user's long-lived keys. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret
  /** Absent: they do not say when they end. */
  readonly expiration?: Instant
}

/** Credentials that AWS made for a limited time, with the account they belong to. */
export interface SessionCredentials extends Credentials {
  readonly sessionToken: Secret
  readonly expiration: Instant
  readonly accountId: string
}
