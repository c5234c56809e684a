/** How a statement is signed. */
export type SigningAlgorithm = 'Ed25519' | 'ECDSA_SHA_256' | 'ECDSA_SHA_384' | 'RSASSA_PSS_SHA_256'

export interface LogSignature {
  readonly algorithm: SigningAlgorithm
  /** SHA-256, in hex, of the public key's SubjectPublicKeyInfo (DER). */
  readonly keyId: string
  /** Base64. */
  readonly signature: string
}

/** Whoever signs for the log, with a key that is not on the log's host, or at least not in it. */
export interface LogSigner {
  /** The public key in PEM: what verifiers need. */
  publicKey(signal: AbortSignal): Promise<string>
  /** Signs UTF-8. Rejects with `SIGNING_FAILED`. */
  sign(message: string, signal: AbortSignal): Promise<LogSignature>
}
