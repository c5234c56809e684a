/** An index of a table. It holds keys only: what a list shows is fetched from the table itself. */
export interface IndexDefinition {
  readonly name: string
  /** An attribute. */
  readonly partition: string
  /** An attribute. */
  readonly sort: string
}

/** What a table must be like. All attributes of keys are strings. */
export interface TableDefinition {
  /** What it keeps. */
  readonly kind: 'sessions'
  /** What it is called where nobody says otherwise. */
  readonly defaultName: string
  /** The attribute that is its partition key; there is no sort key. */
  readonly key: string
  readonly indexes: readonly IndexDefinition[]
  /** The attribute that says, in seconds since the epoch, when a row may be cleaned up. */
  readonly expiry: string
}
