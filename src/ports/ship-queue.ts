import type { ShippedLine } from './log-receiver.ts'

/** What is to be shipped next. */
export interface Unshipped {
  /** In the order of the log: at most 500, and 512 KiB. */
  readonly lines: readonly ShippedLine[]
  /** Whether it is worth asking again at once, or in a moment. */
  readonly mayMoreFollow: boolean
}

/**
 * What of a decision log its receiver has not taken yet, read from the log's files. One process at
 * a time has it.
 */
export interface ShipQueue extends AsyncDisposable {
  /**
   * The lines after those that were taken: the same again until they are. Without any, all is taken
   * for now. Rejects with `LOG_UNREADABLE` or `FILE_UNTRUSTED`.
   */
  next(): Promise<Unshipped>

  /**
   * Keeps, durably, that the receiver took the lines of `next`, but for `dropped` of them. Rejects
   * with `LOG_UNAVAILABLE`: then they are gone from the queue all the same, for this process.
   */
  taken(dropped: number): Promise<void>

  /** Keeps why the receiver did not take them. Never rejects: it changes nothing. */
  failed(failure: { readonly code: string; readonly message: string }): Promise<void>
}

/**
 * Opens the queue; `undefined` while another process has it. Rejects with `LOG_UNREADABLE`,
 * `FILE_UNTRUSTED` or `LOG_UNAVAILABLE`.
 */
export type OpenShipQueue = () => Promise<ShipQueue | undefined>
