import type { Instant } from '../domain/time.ts'

/** An event of CloudTrail, as far as Sentinel reads it. */
export interface TrailEvent {
  readonly id: string
  /** `AssumeRole`. */
  readonly name: string
  readonly at: Instant
  /** Whose endpoint was called; what calls the global one is an event of `us-east-1`. */
  readonly region: string
  /**
   * The role that was to be assumed: `requestParameters.roleArn`, or else the role among
   * `resources`.
   */
  readonly roleArn?: string
  readonly sessionName?: string
  /** What the call itself stamped: `requestParameters.sourceIdentity`. */
  readonly askedSourceIdentity?: string
  /**
   * What the session made is stamped with, by the call or by its caller:
   * `responseElements.sourceIdentity`.
   */
  readonly issuedSourceIdentity?: string
  /** What the caller was stamped with before: `userIdentity.sessionContext.sourceIdentity`. */
  readonly callerSourceIdentity?: string
  /**
   * `userIdentity.arn`, or the service that called (`lambda.amazonaws.com`); of another account's
   * principal, and of one that a provider vouches for, the principal's id.
   */
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
  readonly region: string
  /** In whole seconds, as CloudTrail keeps time: what falls into them is found. */
  readonly since: Instant
  readonly until: Instant
  /** LookupEvents takes one attribute. */
  readonly by: { readonly eventName: string } | { readonly accessKeyId: string }
}

/** What whoever waits for a lookup hears of it. */
export interface TrailObserver {
  /** A page of so many events came. */
  onPage?(events: number): void
  /** An event is there that cannot be understood, and so is not among those yielded. */
  onUnreadable?(id: string | undefined): void
}

/** CloudTrail's LookupEvents: 90 days, 50 events a page, 2 pages a second. */
export interface Trail {
  /**
   * Newest first. Waits for its turn under the rate limit, which all lookups of a region share, and
   * longer when CloudTrail throttles. Rejects with `TRAIL_UNAVAILABLE` when it refuses or does not
   * answer, with `INTERRUPTED` when `signal` aborts.
   */
  lookup(
    query: TrailQuery,
    signal: AbortSignal,
    observer?: TrailObserver,
  ): AsyncIterable<TrailEvent>
}
