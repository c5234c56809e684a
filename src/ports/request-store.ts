import type {
  AccessRequest,
  AccessRequestId,
  Act,
  FiledRequest,
  Review,
} from '../domain/access-request.ts'
import type { Notification } from '../domain/notification.ts'
import type { Instant } from '../domain/time.ts'
import type { Outbox } from './outbox.ts'

/** Which requests to list; all that is given must hold. */
export interface RequestQuery {
  /** The requester's person. */
  readonly person?: string
  readonly profile?: string
  /** Made then or later. */
  readonly since?: Instant
  /** `undecided`: those that nobody has settled, however old they are. */
  readonly which: 'undecided' | 'all'
}

/**
 * Where access requests and their reviews are kept. As with sessions: safe for many processes,
 * every write conditional on what is there, nothing read, changed and put back, and what was
 * written once (a request, a review, a cancellation, a revocation) is never changed. Notifications
 * are written in the same transaction as what they announce, or not at all.
 *
 * Every method rejects with `STORE_UNAVAILABLE`, `STORE_NOT_FOUND` or `STORE_INVALID` as session
 * stores do, and with nothing else but the codes named. A record that cannot be understood is never
 * left out silently. `test/stores/request-store.conformance.ts` is this contract.
 */
export interface RequestStore extends Outbox, AsyncDisposable {
  /** Complete: `dynamodb:eu-central-1:sentinel-requests`. */
  readonly location: string

  /** Rejects with `REQUEST_EXISTS` when another request has the id; the very same again is done. */
  create(
    request: AccessRequest,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void>

  /**
   * Strongly consistent but for reviews, which may be missing for a second after they were made.
   */
  get(id: AccessRequestId, signal: AbortSignal): Promise<FiledRequest | undefined>

  /** The ids that begin with `prefix`, at most 10. */
  find(prefix: string, signal: AbortSignal): Promise<readonly AccessRequestId[]>

  /**
   * Files a review under the request's id and the reviewer's UserId. Resolves to `written`; or to
   * the one that this UserId made before, which stays as it is.
   */
  review(
    review: Review,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | Review>

  /** Latches a cancellation. `missing`: there is no such request. */
  cancel(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'>

  /** Latches the end of what was approved. */
  revoke(
    id: AccessRequestId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'>

  /**
   * Takes a request that was decided, or is over, off the undecided ones; with `notifications` when
   * this is the first that noticed. Resolves to whether it was the first. Best effort: who may not
   * write the request changes nothing about what holds.
   */
  settle(
    id: AccessRequestId,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean>

  /** Newest first by `createdAt`; see `SessionDirectory.list`. */
  list(
    query: RequestQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<FiledRequest>
}
