import {
  ContinuousBackupsUnavailableException,
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndexDescription,
  type KeySchemaElement,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import type { WantedTable } from '../../domain/table.ts'
import { SentinelError } from '../../errors.ts'
import type {
  FeatureOutcome,
  FoundIndex,
  FoundTable,
  KeyAttribute,
  TableKeeper,
} from '../../ports/table-keeper.ts'
import { creationError, isUnknownCall } from './table-errors.ts'
import { creationOf } from './tables.ts'

interface DynamoDBTableKeeperOptions {
  /** The client of a region. */
  readonly clientIn: (region: string) => Promise<DynamoDBClient>
  readonly gaps: TableKeeper['gaps']
}

/** The tables of an account. */
export class DynamoDBTableKeeper implements TableKeeper {
  readonly gaps: TableKeeper['gaps']
  readonly #clientIn: DynamoDBTableKeeperOptions['clientIn']

  constructor({ clientIn, gaps }: DynamoDBTableKeeperOptions) {
    this.#clientIn = clientIn
    this.gaps = gaps
  }

  async find(table: WantedTable): Promise<FoundTable | undefined> {
    const command = new DescribeTableCommand({ TableName: addressOf(table) })
    const { Table } = await this.#ask(table, 'DescribeTable', (client) =>
      client.send(command).catch(insteadOf(ResourceNotFoundException, { Table: undefined })),
    )
    return Table && toFoundTable(Table)
  }

  async create(table: WantedTable): Promise<'created' | 'exists'> {
    const { definition, kmsKey } = table
    const command = new CreateTableCommand({
      ...creationOf(definition, addressOf(table)),
      ...(kmsKey !== undefined && {
        SSESpecification: { Enabled: true, SSEType: 'KMS', ...keyOtherThanDefault(kmsKey) },
      }),
    })
    return this.#ask(table, 'CreateTable', (client) =>
      client
        .send(command)
        .then(() => 'created' as const)
        .catch(insteadOf(ResourceInUseException, 'exists' as const)),
    )
  }

  turnOnExpiry(table: WantedTable): Promise<FeatureOutcome> {
    const TableName = addressOf(table)
    const AttributeName = table.definition.expiry
    return orUnknown(async () => {
      // Told twice, DynamoDB refuses.
      const { TimeToLiveDescription: now } = await this.#ask(
        table,
        'DescribeTimeToLive',
        (client) => client.send(new DescribeTimeToLiveCommand({ TableName })),
      )
      const status = now?.TimeToLiveStatus
      if (status === 'ENABLED' || status === 'ENABLING') {
        if (now?.AttributeName === AttributeName) return 'was on'
        throw otherExpiry(table, now?.AttributeName ?? 'another attribute')
      }
      const TimeToLiveSpecification = { Enabled: true, AttributeName }
      const command = new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })
      await this.#ask(table, 'UpdateTimeToLive', (client) => client.send(command))
      return 'turned on'
    })
  }

  turnOnRecovery(table: WantedTable): Promise<FeatureOutcome | 'too early'> {
    const TableName = addressOf(table)
    return orUnknown(async () => {
      const { ContinuousBackupsDescription: now } = await this.#ask(
        table,
        'DescribeContinuousBackups',
        (client) => client.send(new DescribeContinuousBackupsCommand({ TableName })),
      )
      const status = now?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus
      if (status === 'ENABLED') return 'was on'
      const command = new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      })
      return this.#ask(table, 'UpdateContinuousBackups', (client) =>
        client
          .send(command)
          .then(() => 'turned on' as const)
          .catch(insteadOf(ContinuousBackupsUnavailableException, 'too early' as const)),
      )
    })
  }

  async #ask<Answer>(
    table: WantedTable,
    action: string,
    ask: (client: DynamoDBClient) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await ask(await this.#clientIn(table.region))
    } catch (error) {
      throw creationError(error, action, table)
    }
  }
}

/** Gives `value` for an error of one class; any other stays what it is. */
function insteadOf<Value>(kind: abstract new (...args: never) => Error, value: Value) {
  return (error: unknown): Value => {
    if (error instanceof kind) return value
    throw error
  }
}

async function orUnknown<Outcome>(ask: () => Promise<Outcome>): Promise<Outcome | 'unknown'> {
  try {
    return await ask()
  } catch (error) {
    if (isUnknownCall(error)) return 'unknown'
    throw error
  }
}

/** AWS takes an ARN for a name, and refuses that of another account where it cannot act on it. */
function addressOf({ arn, name }: WantedTable): string {
  return arn ?? name
}

/** The key that AWS keeps for DynamoDB in each account must not be named: it is KMS's default. */
function keyOtherThanDefault(kmsKey: string) {
  return kmsKey === 'alias/aws/dynamodb' ? {} : { KMSMasterKeyId: kmsKey }
}

function otherExpiry({ name, definition }: WantedTable, attribute: string): SentinelError {
  return new SentinelError(
    'STORE_INVALID',
    `table ${name} cleans its rows up by ${attribute}, not by ${definition.expiry}`,
    { hint: 'turn its TTL off, and an hour later run this again; or name another table' },
  )
}

function toFoundTable(table: TableDescription): FoundTable {
  const status = table.TableStatus ?? 'unknown'
  const typed = (schema: readonly KeySchemaElement[] = []) =>
    schema.map(({ AttributeName: name = '' }): KeyAttribute => {
      const types = table.AttributeDefinitions ?? []
      return { name, type: types.find((type) => type.AttributeName === name)?.AttributeType ?? '?' }
    })
  const kmsKey = table.SSEDescription?.KMSMasterKeyArn
  return {
    arn: table.TableArn ?? '',
    state: stateOf(status),
    status,
    key: typed(table.KeySchema),
    indexes: (table.GlobalSecondaryIndexes ?? [])
      .filter(({ IndexStatus }) => IndexStatus !== 'DELETING')
      .map((index) => toFoundIndex(index, typed(index.KeySchema))),
    ...(kmsKey !== undefined && { kmsKey }),
  }
}

function toFoundIndex(
  { IndexName: name = '', IndexStatus, Projection }: GlobalSecondaryIndexDescription,
  key: readonly KeyAttribute[],
): FoundIndex {
  // DynamoDB Local leaves the status of an index out until the table is there.
  return {
    name,
    key,
    projection: Projection?.ProjectionType ?? '?',
    isReady: IndexStatus === 'ACTIVE',
  }
}

function stateOf(status: string): FoundTable['state'] {
  if (status === 'ACTIVE') return 'ready'
  return status === 'CREATING' || status === 'UPDATING' ? 'changing' : 'unusable'
}
