import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { keyAttributes, type TableDefinition } from '../../domain/table.ts'

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

/**
 * The table of access requests, their reviews and announcements. `requester` is a person; reviews
 * are found by it too, under their request. `gsi-pending` is sparse: of what waits for somebody.
 */
export const REQUESTS_TABLE = {
  kind: 'requests',
  defaultName: 'sentinel-requests',
  key: 'id',
  indexes: [
    { name: 'gsi-requester', partition: 'requester', sort: 'created_at' },
    { name: 'gsi-profile', partition: 'profile', sort: 'created_at' },
    { name: 'gsi-pending', partition: 'pending', sort: 'created_at' },
    { name: 'gsi-day', partition: 'day', sort: 'created_at' },
  ],
  expiry: 'ttl',
} as const satisfies TableDefinition

/**
 * The table of break-glass events, their reviews and announcements, and of the guards that let one
 * begin at a time. `gsi-open` is sparse: of events that are live or unreviewed, and of what waits.
 */
export const BREAK_GLASS_TABLE = {
  kind: 'break_glass',
  defaultName: 'sentinel-breakglass',
  key: 'id',
  indexes: [
    { name: 'gsi-person', partition: 'person', sort: 'created_at' },
    { name: 'gsi-profile', partition: 'profile', sort: 'created_at' },
    { name: 'gsi-open', partition: 'open', sort: 'created_at' },
    { name: 'gsi-day', partition: 'day', sort: 'created_at' },
  ],
  expiry: 'ttl',
} as const satisfies TableDefinition

/** The table of anchors, one for each stream of the decision log: found by the log's host. */
export const ANCHORS_TABLE = {
  kind: 'anchors',
  defaultName: 'sentinel-anchors',
  key: 'id',
  indexes: [{ name: 'gsi-host', partition: 'host', sort: 'created_at' }],
  expiry: 'ttl',
} as const satisfies TableDefinition

/** What CreateTable is asked for: indexes and all, as a table without one is never of use. */
export function creationOf(definition: TableDefinition, name: string) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keyAttributes(definition).map((attribute) => ({
      AttributeName: attribute,
      AttributeType: 'S',
    })),
    KeySchema: [{ AttributeName: definition.key, KeyType: 'HASH' }],
    GlobalSecondaryIndexes: definition.indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: [
        { AttributeName: index.partition, KeyType: 'HASH' },
        { AttributeName: index.sort, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    })),
  } satisfies CreateTableCommandInput
}
