import type { SessionCredentials } from '../domain/credentials.ts'
import type { Secret } from '../domain/secret.ts'

/** What stands behind a credential server: answers each authorized request. */
interface Supply {
  /** `peer` tells whether the other end of the connection is known to be the same user. */
  serve(peer: 'same' | 'unknown'): Promise<SessionCredentials>
}

/** A credential server that is open. */
interface CredentialEndpoint extends AsyncDisposable {
  /** What a child finds in `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly url: string
  readonly token: Secret
}

/** Opens a credential server on loopback; rejects with `PORT_UNAVAILABLE`. Port 0: a free one. */
export type OpenCredentialEndpoint = (supply: Supply, port: number) => Promise<CredentialEndpoint>
