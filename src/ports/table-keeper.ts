import type { WantedTable } from '../domain/table.ts'

/** An attribute of a key, with the type that AWS writes as one letter: `S`. */
export interface KeyAttribute {
  readonly name: string
  readonly type: string
}

export interface FoundIndex {
  readonly name: string
  /** Partition, then sort. */
  readonly key: readonly KeyAttribute[]
  /** AWS's word for what it holds: `KEYS_ONLY`. */
  readonly projection: string
  readonly isReady: boolean
}

/** A table as it is. */
export interface FoundTable {
  readonly arn: string
  /** `changing` ends by itself; nothing but a person ends `unusable`. */
  readonly state: 'ready' | 'changing' | 'unusable'
  /** AWS's word for it: `CREATING`. */
  readonly status: string
  /** Partition, then sort. */
  readonly key: readonly KeyAttribute[]
  /** Those that are there to stay. */
  readonly indexes: readonly FoundIndex[]
  /** Absent: it is encrypted with a key of AWS's own. */
  readonly kmsKey?: string
}

/** What became of a feature that was to be on. `unknown`: what answers has no such feature. */
export type FeatureOutcome = 'turned on' | 'was on' | 'unknown'

/**
 * Looks at tables, and makes them. Every method rejects with `STORE_UNAVAILABLE` when AWS does not
 * answer or refuses (the hint names the actions to allow), and with what resolving credentials
 * rejects with. Nothing is asked before the first of them is called.
 */
export interface TableKeeper {
  /** Whether what answers may lack features: it is not AWS itself. */
  readonly gaps: 'allowed' | 'refused'

  /** May say of a table that was just made that there is none. */
  find(table: WantedTable): Promise<FoundTable | undefined>

  /** Asks for the table with its indexes, on demand, and does not wait for it. */
  create(table: WantedTable): Promise<'created' | 'exists'>

  /**
   * Has AWS clean rows up by the table's `expiry`. Rejects with `STORE_INVALID` when it does so by
   * another attribute.
   */
  turnOnExpiry(table: WantedTable): Promise<FeatureOutcome>

  /** Turns on point-in-time recovery. `too early`: the table is too young, ask again. */
  turnOnRecovery(table: WantedTable): Promise<FeatureOutcome | 'too early'>
}
