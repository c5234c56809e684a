import type { Instant } from '../domain/time.ts'

/** An event of CloudTrail, as far as Sentinel reads it. */
export interface TrailEvent {
  readonly id: string
  /** `AssumeRole`. */
  readonly name: string
  readonly at: Instant
  readonly region?: string
  /** The role that was to be assumed: `requestParameters.roleArn`. */
  readonly roleArn?: string
  readonly sessionName?: string
  /** What the call itself stamped: `requestParameters.sourceIdentity`. */
  readonly askedSourceIdentity?: string
  /** What the caller was stamped with before: `userIdentity.sessionContext.sourceIdentity`. */
  readonly callerSourceIdentity?: string
  /** ARN of the caller: `userIdentity.arn`, or the service that called. */
  readonly caller?: string
  /** `userIdentity.accessKeyId`. */
  readonly callerAccessKeyId?: string
  /** What was made: `responseElements.credentials.accessKeyId`. */
  readonly issuedAccessKeyId?: string
  readonly sourceIp?: string
  readonly userAgent?: string
  /** Set when the call failed. */
  readonly errorCode?: string
}

export interface TrailQuery {
  readonly since: Instant
  readonly until: Instant
  /** LookupEvents takes one attribute. */
  readonly by: { readonly eventName: string } | { readonly accessKeyId: string }
}

/** CloudTrail's LookupEvents: 90 days, 50 events a page, 2 pages a second. */
export interface Trail {
  /**
   * Newest first. Waits for its turn under the rate limit, and longer when CloudTrail throttles.
   * Rejects with `TRAIL_UNAVAILABLE` when it refuses or does not answer, with `INTERRUPTED` when
   * `signal` aborts. `onPage` hears how many events this query has found so far.
   */
  lookup(
    query: TrailQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<TrailEvent>
}
