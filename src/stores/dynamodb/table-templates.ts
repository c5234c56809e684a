import { keyAttributes, type WantedTable } from '../../domain/table.ts'
import { creationOf } from './tables.ts'

const MADE_BY = 'Made by: sentinel init tables --format'

/** The tables as resources of Terraform's AWS provider. It is the provider that has the region. */
export function terraform(tables: readonly WantedTable[]): string {
  const regions = new Set(tables.map(({ region }) => region))
  const heading = `# ${MADE_BY} terraform\n# For a provider of region ${[...regions].join(', ')}.\n`
  return [heading, ...tables.map(resource)].join('\n')
}

function resource({ definition, name, kmsKey }: WantedTable): string {
  const lines = [
    `resource "aws_dynamodb_table" "sentinel_${definition.kind}" {`,
    ...settings({ name, billing_mode: 'PAY_PER_REQUEST', hash_key: definition.key }),
    ...keyAttributes(definition).flatMap((attribute) =>
      block('attribute', { name: attribute, type: 'S' }),
    ),
    ...definition.indexes.flatMap((index) =>
      block('global_secondary_index', {
        name: index.name,
        hash_key: index.partition,
        range_key: index.sort,
        projection_type: 'KEYS_ONLY',
      }),
    ),
    ...block('ttl', { attribute_name: definition.expiry, enabled: true }),
    ...block('point_in_time_recovery', { enabled: true }),
    ...(kmsKey === undefined
      ? []
      : block('server_side_encryption', {
          enabled: true,
          ...(!isDefault(kmsKey) && { kms_key_arn: kmsKey }),
        })),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

type Values = Readonly<Record<string, string | boolean>>

function block(name: string, values: Values): string[] {
  return ['', `  ${name} {`, ...settings(values).map((line) => `  ${line}`), '  }']
}

/** As `terraform fmt` has them. Names of tables and ARNs have nothing in them to be escaped. */
function settings(values: Values): string[] {
  const width = Math.max(...Object.keys(values).map(({ length }) => length))
  return Object.entries(values).map(
    ([name, value]) => `  ${name.padEnd(width)} = ${JSON.stringify(value)}`,
  )
}

/** The tables as a template of CloudFormation: what CreateTable takes, and the rest beside it. */
export function cloudFormation(tables: readonly WantedTable[]): string {
  const regions = new Set(tables.map(({ region }) => region))
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `${MADE_BY} cloudformation. For region ${[...regions].join(', ')}.`,
    Resources: Object.fromEntries(tables.map((table) => [logicalId(table), toResource(table)])),
  }
  return `${JSON.stringify(template, null, 2)}\n`
}

/** `SentinelBreakGlass`. */
function logicalId({ definition: { kind } }: WantedTable): string {
  const words = kind.split('_').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
  return `Sentinel${words.join('')}`
}

function toResource({ definition, name, kmsKey }: WantedTable) {
  const sse = kmsKey !== undefined && {
    SSESpecification: {
      SSEEnabled: true,
      SSEType: 'KMS',
      ...(!isDefault(kmsKey) && { KMSMasterKeyId: kmsKey }),
    },
  }
  return {
    Type: 'AWS::DynamoDB::Table',
    // A stack that is deleted by mistake does not take the history along.
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      ...creationOf(definition, name),
      TimeToLiveSpecification: { AttributeName: definition.expiry, Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      ...sse,
    },
  }
}

/** The key that AWS keeps for DynamoDB in each account must not be named: it is the default. */
function isDefault(kmsKey: string): boolean {
  return kmsKey === 'alias/aws/dynamodb'
}
