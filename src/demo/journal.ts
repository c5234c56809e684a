import type { Instant } from '../domain/time.ts'
import type { AccessKey } from './directory.ts'
import type { Identity } from './iam.ts'

export type Service = 'sts' | 'ssm'

/** Whose key signed a call. */
export interface JournalCaller {
  readonly accessKeyId: string
  readonly identity: Identity
  readonly issuedAt: Instant
  readonly hasMFA: boolean
  readonly isSession: boolean
}

/** One call, as the stand-in saw it. Holds no secret: no key, token, code or parameter value. */
export interface JournalEntry {
  /** In the stand-in's time. */
  readonly at: Instant
  readonly requestId: string
  readonly service: Service
  /** Empty when the call was not signed. */
  readonly region: string
  /** Empty when the request named none. */
  readonly operation: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly userAgent: string
  /** Absent when the signature was missing or not good. */
  readonly caller?: JournalCaller
  /** `faulted`: a scripted fault took the place of the answer. */
  readonly outcome: 'answered' | 'refused' | 'faulted'
  readonly errorCode?: string
  readonly errorMessage?: string
  /** That of the session which was issued or, failing that, of the caller's. */
  readonly sourceIdentity?: string
  readonly issued?: {
    readonly accessKeyId: string
    readonly expiration: Instant
    readonly identity: Identity
  }
}

export function toJournalCaller(key: AccessKey): JournalCaller {
  const { accessKeyId, identity, issuedAt, hasMFA, sessionToken } = key
  return { accessKeyId, identity, issuedAt, hasMFA, isSession: sessionToken !== undefined }
}

/** The source identity that a session of `identity` has. */
export function sourceIdentityOf(identity: Identity | undefined): string | undefined {
  return identity?.kind === 'role' ? identity.sourceIdentity : undefined
}
