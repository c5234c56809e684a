import { createHash, randomBytes } from 'node:crypto'
import { Secret } from '../domain/secret.ts'
import { type SessionId, toSessionId } from '../domain/session.ts'
import { toRequestId } from '../domain/source-identity.ts'

/** 96 random bits as 20 characters of base32: a request id, or the name of a stream. */
export function newId(): string {
  return toRequestId(randomBytes(12))
}

/** 64 random bits. */
export function newSessionId(): SessionId {
  return toSessionId(randomBytes(8))
}

/** What a credential server demands of its clients. */
export function newToken(): Secret {
  return new Secret(randomBytes(32).toString('base64url'))
}

/** Digests UTF-8. */
export function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

/** SHA-256 in hex. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
