import type { StreamHead } from '../domain/log-head.ts'
import type { Instant } from '../domain/time.ts'

/** A stream's head, where whoever can write the log's files cannot reach it. */
export interface Anchor {
  readonly head: StreamHead
  readonly host: string
  /**
   * Which log of that host: the first 16 hex digits of the SHA-256 of its absolute path, so that a
   * stream that is gone from it altogether is missed in the right one.
   */
  readonly log: string
  readonly at: Instant
}

/**
 * Anchors, one a stream, which only ever moves on. Safe for concurrent use. Rejects with
 * `STORE_UNAVAILABLE`, `STORE_NOT_FOUND` or `STORE_INVALID`, as session stores do.
 */
export interface AnchorStore {
  /** In full: `dynamodb:eu-central-1:sentinel-anchors`. */
  readonly location: string

  /** Writes `anchor` unless one with the same or a larger `seq` is there: `stale`. */
  put(anchor: Anchor, signal: AbortSignal): Promise<'written' | 'stale'>

  /** Every anchor of a host, the latest stream first. May miss the last second's. */
  list(host: string, signal: AbortSignal): AsyncIterable<Anchor>
}
