import type { Act } from '../domain/access-request.ts'
import type {
  BreakGlassEvent,
  BreakGlassHistory,
  BreakGlassId,
  BreakGlassReview,
  FiledEvent,
} from '../domain/break-glass.ts'
import type { Notification } from '../domain/notification.ts'
import type { Instant } from '../domain/time.ts'
import type { Outbox } from './outbox.ts'

export interface BreakGlassQuery {
  /** The invoker's person. */
  readonly person?: string
  readonly profile?: string
  /** Started then or later. */
  readonly since?: Instant
  /** `open`: live, or still to be reviewed as far as the store knows. */
  readonly which: 'open' | 'all'
}

/**
 * Where break-glass events are kept; as {@link RequestStore} in all that is said there.
 * `test/stores/break-glass-store.conformance.ts` is this contract.
 */
export interface BreakGlassStore extends Outbox, AsyncDisposable {
  readonly location: string

  /**
   * Begins `event` if `admit` lets it: `admit` is given the person's and the profile's history, and
   * throws what speaks against it. History and event are one transaction: of two that begin at the
   * same time, the second is shown the first. `admit` may be called several times; must be pure.
   * Rejects with what it throws, and with `BREAK_GLASS_EXISTS` when another event has the id; the
   * very same again is done, whatever `admit` would say.
   */
  begin(
    event: BreakGlassEvent,
    admit: (history: BreakGlassHistory) => void,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<void>

  /** Strongly consistent but for reviews, as `RequestStore.get`. */
  get(id: BreakGlassId, signal: AbortSignal): Promise<FiledEvent | undefined>

  /** The ids that begin with `prefix`, at most 10. */
  find(prefix: string, signal: AbortSignal): Promise<readonly BreakGlassId[]>

  /** Latches the end of an event before its time. `missing`: there is no such event. */
  close(
    id: BreakGlassId,
    act: Act,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | 'already' | 'missing'>

  /** Files a review under the event's id and the reviewer's UserId, as `RequestStore.review`. */
  review(
    review: BreakGlassReview,
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<'written' | BreakGlassReview>

  /**
   * Latches that something about the event was announced: `expired`, `overdue`. Resolves to whether
   * this was the first; not for an event that is not there.
   */
  announce(
    id: BreakGlassId,
    what: 'expired' | 'overdue',
    notifications: readonly Notification[],
    signal: AbortSignal,
  ): Promise<boolean>

  /** Takes a reviewed event off the open ones. Best effort, as `RequestStore.settle`. */
  settle(id: BreakGlassId, signal: AbortSignal): Promise<void>

  /** Newest first by `startedAt`. */
  list(
    query: BreakGlassQuery,
    signal: AbortSignal,
    onPage?: (seen: number) => void,
  ): AsyncIterable<FiledEvent>
}
