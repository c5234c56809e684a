/** An index of a table. It holds keys only: what a list shows is fetched from the table itself. */
export interface IndexDefinition {
  readonly name: string
  /** An attribute. */
  readonly partition: string
  /** An attribute. */
  readonly sort: string
}

/** Every kind of table there is: what it keeps, in words, and the flag that names it. */
export const TABLES = {
  sessions: { keeps: 'sessions', flag: '--session-table' },
  requests: { keeps: 'access requests', flag: '--request-table' },
  break_glass: { keeps: 'break-glass events', flag: '--breakglass-table' },
  anchors: { keeps: 'anchors of the decision log', flag: '--anchor-table' },
} as const
export type TableKind = keyof typeof TABLES

/** Whose rights on the tables IAM is to hold. */
export const TABLE_ROLES = ['requester', 'approver', 'administrator'] as const
export type TableRole = (typeof TABLE_ROLES)[number]

/** What a table must be like. All attributes of keys are strings. */
export interface TableDefinition {
  /** What it keeps: as the policy's `stores` names it, or else `log_anchor` does. */
  readonly kind: TableKind
  /** What it is called where nobody says otherwise. */
  readonly defaultName: string
  /** The attribute that is its partition key; there is no sort key. */
  readonly key: string
  readonly indexes: readonly IndexDefinition[]
  /** The attribute that says, in seconds since the epoch, when a row may be cleaned up. */
  readonly expiry: string
}

/** A table that is to be, or to be made. */
export interface WantedTable {
  readonly definition: TableDefinition
  readonly name: string
  readonly region: string
  /** Where the table was named so: says whose account it must be in. */
  readonly arn?: string
  /** What it is encrypted with: `alias/aws/dynamodb` or an ARN. Absent: a key of AWS's own. */
  readonly kmsKey?: string
}

/** The attributes of all keys of a table, each once. */
export function keyAttributes({ key, indexes }: TableDefinition): readonly string[] {
  return [...new Set([key, ...indexes.flatMap(({ partition, sort }) => [partition, sort])])]
}

/** Where a table is, as settings and policies write it. */
export function locationOf({ name, region, arn }: WantedTable): string {
  return arn ?? `dynamodb:${region}:${name}`
}
