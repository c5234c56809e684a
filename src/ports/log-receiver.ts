/** A line of the decision log on its way to somebody else. */
export interface ShippedLine {
  /** Without its newline: ASCII JSON under 8 KiB, unless it is torn. */
  readonly text: string
  /** Milliseconds since the epoch, as the record says; for a torn line, of the one before. */
  readonly time: number
}

/** Lines that a receiver let go, and would let go again. */
export interface Dropped {
  readonly count: number
  /** `older than 14 days`. */
  readonly why: string
}

/** Where the log is shipped to. */
export interface LogReceiver {
  /**
   * Resolves when all of `lines` are taken, but for those that are told of; at most 500 of them,
   * and 512 KiB. May be called again with the same ones. Rejects with `SHIPPING_FAILED` when
   * another try may help, with `SHIPPING_REFUSED` when somebody has to change something first.
   */
  send(lines: readonly ShippedLine[], signal: AbortSignal): Promise<Dropped | undefined>
}
