import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import type { TableDefinition } from '../../ports/table-keeper.ts'

/**
 * The table of sessions and locks. `gsi-live` is sparse: a session leaves it when it is over.
 * `live` and `day` are spread over a few values each, so that no partition takes all the writes.
 */
export const SESSIONS_TABLE = {
  kind: 'sessions',
  defaultName: 'sentinel-sessions',
  key: 'id',
  indexes: [
    { name: 'gsi-user', partition: 'user', sort: 'started_at' },
    { name: 'gsi-profile', partition: 'profile', sort: 'started_at' },
    { name: 'gsi-server-instance', partition: 'server_instance_id', sort: 'started_at' },
    { name: 'gsi-live', partition: 'live', sort: 'started_at' },
    { name: 'gsi-day', partition: 'day', sort: 'started_at' },
  ],
  expiry: 'ttl',
} as const satisfies TableDefinition

/** What CreateTable is asked for: indexes and all, as a table without one is never of use. */
export function creationOf(table: TableDefinition, name: string) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keyAttributes(table).map((attribute) => ({
      AttributeName: attribute,
      AttributeType: 'S',
    })),
    KeySchema: [{ AttributeName: table.key, KeyType: 'HASH' }],
    GlobalSecondaryIndexes: table.indexes.map(({ name, partition, sort }) => ({
      IndexName: name,
      KeySchema: [
        { AttributeName: partition, KeyType: 'HASH' },
        { AttributeName: sort, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    })),
  } satisfies CreateTableCommandInput
}

/** The attributes of all keys, each once. */
function keyAttributes({ key, indexes }: TableDefinition): readonly string[] {
  return [...new Set([key, ...indexes.flatMap(({ partition, sort }) => [partition, sort])])]
}
