import type { SessionCredentials } from '../domain/credentials.ts'
import type { Secret } from '../domain/secret.ts'
import type { Instant } from '../domain/time.ts'

/** What stands behind a credential server: answers each authorized request. */
interface Supply {
  /** `peer` tells whether the other end of the connection is known to be the same user. */
  serve(peer: 'same' | 'unknown'): Promise<SessionCredentials>
}

/** The session of a credential server, as its route sees it. Both return at once. */
export interface TrackedSession {
  /**
   * Throws `SESSION_REVOKED`, `SESSION_LOCKED` or `STORE_UNAVAILABLE` when nothing may be served,
   * by the last verdict: the store is asked in the background, busy or idle.
   */
  assertLive(): void

  /** Counts a credential that was handed out and lives until `expiration`. Never throws. */
  touch(expiration: Instant): void
}

interface EndpointOptions {
  /** 0: a free one. */
  readonly port: number
  /** Absent: the server is not tracked, and its route has no such layer. */
  readonly session?: TrackedSession | undefined
}

/** A credential server that is open. */
interface CredentialEndpoint extends AsyncDisposable {
  /** What a child finds in `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly url: string
  readonly token: Secret
}

/** Opens a credential server on loopback; rejects with `PORT_UNAVAILABLE`. */
export type OpenCredentialEndpoint = (
  supply: Supply,
  options: EndpointOptions,
) => Promise<CredentialEndpoint>
