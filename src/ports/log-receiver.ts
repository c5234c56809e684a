/** A line of the decision log on its way to somebody else. */
export interface ShippedLine {
  /** Without its newline: ASCII JSON, under 8 KiB. */
  readonly text: string
  /** Milliseconds since the epoch, as the record says; for a torn line, of the one before. */
  readonly time: number
}

/** Where the log is shipped to. */
export interface LogReceiver {
  /** `cloudwatch:GROUP/STREAM`, or the host of a URL: never a secret. */
  readonly name: string

  /**
   * Resolves when all of `lines` are taken; at most 500 of them, and 512 KiB. May be called again
   * with the same ones. Rejects with `SHIPPING_FAILED` when another try may help, with
   * `SHIPPING_REFUSED` when somebody has to change something first.
   */
  send(lines: readonly ShippedLine[], signal: AbortSignal): Promise<void>
}
