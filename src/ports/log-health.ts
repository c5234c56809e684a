import type { Instant } from '../domain/time.ts'

/** How the files of a decision log are, for those who look after it. */
export interface LogHealth {
  readonly path: string
  /** Of the file that is written to; absent where the next run makes it. */
  readonly bytes?: number
  /** The files that were moved aside, and their size on the disk. */
  readonly rotated: number
  readonly rotatedBytes: number
  /** The file ends in the middle of a line. */
  readonly isTorn: boolean
}

/** How the shipping of a decision log is. */
export interface ShippingHealth {
  /** What may be shown of where to. */
  readonly receiver: string
  /** Lines that the receiver has, and that it let go. */
  readonly lines: number
  readonly dropped: number
  /** Bytes of the log that the receiver has not taken yet, and the time of the first of them. */
  readonly behind: number
  readonly oldest?: Instant | undefined
  /** The process that ships at the moment. */
  readonly shipper?: { readonly host: string; readonly pid: number } | undefined
  /** Timestamps. */
  readonly lastSuccess?: string | undefined
  readonly lastFailure?:
    | { readonly at: string; readonly code: string; readonly message: string }
    | undefined
  /** Where it went before a setting was changed: nothing was shipped to `receiver` yet. */
  readonly before?: string | undefined
}
