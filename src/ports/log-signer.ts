import type { LogSignature } from '../domain/log-statement.ts'

/** Whoever signs for the log, with a key that is not on the log's host, or at least not in it. */
export interface LogSigner {
  /**
   * The public key in PEM: what verifiers need. Rejects with `KEY_INVALID` for a key that cannot
   * sign statements, and with `SIGNING_FAILED` when whoever holds it does not answer.
   */
  publicKey(signal: AbortSignal): Promise<string>
  /** Signs UTF-8. Rejects likewise. */
  sign(message: string, signal: AbortSignal): Promise<LogSignature>
}

/** A public key, and what it says of signatures. */
export interface LogVerifier {
  /** As {@link LogSignature.keyId}. */
  readonly keyId: string
  /** Whether this key signed `message`, by the algorithm that the key is for. */
  verify(message: string, signature: LogSignature): boolean
}
