import { type IndexDefinition, TABLES, type WantedTable } from '../domain/table.ts'
import { SentinelError } from '../errors.ts'
import type { FoundTable, KeyAttribute } from '../ports/table-keeper.ts'

interface Fault {
  readonly says: string
  readonly hint: string
}

/**
 * Throws `STORE_INVALID` with all that makes `found` useless, by name: another key, an index that
 * is missing or not what it should be. Nobody's table is altered: it may be another program's.
 */
export function assertFits(found: FoundTable, wanted: WantedTable): void {
  const faults = faultsOf(found, wanted)
  const [first] = faults
  if (first === undefined) return
  const list = faults.map(({ says }) => says).join('; ')
  const { name, region, definition } = wanted
  throw new SentinelError(
    'STORE_INVALID',
    `table ${name} in ${region} cannot keep ${TABLES[definition.kind].keeps}: ${list}`,
    { hint: first.hint },
  )
}

function faultsOf(found: FoundTable, wanted: WantedTable): readonly Fault[] {
  const { definition } = wanted
  const key = describeKey([definition.key])
  if (toText(found.key) !== key) {
    // Whatever else is wrong with it: it is not a table of ours.
    return [
      {
        says: `its key is ${toText(found.key)}, not ${key}`,
        hint: `name another table with ${TABLES[definition.kind].flag}`,
      },
    ]
  }
  const faults = definition.indexes.map((index) => indexFault(found, index, wanted))
  return faults.filter((fault) => fault !== undefined)
}

function indexFault(
  table: FoundTable,
  index: IndexDefinition,
  wanted: WantedTable,
): Fault | undefined {
  const { name } = index
  const found = table.indexes.find((one) => one.name === name)
  if (found === undefined) {
    return {
      says: `it has no index ${name}`,
      hint: `add it with: ${additionOf(index, table, wanted)}; then run this again`,
    }
  }
  const hint = `delete ${name} and run this again for how to add it, or name another table`
  const key = describeKey([index.partition, index.sort])
  if (toText(found.key) !== key) {
    return { says: `index ${name} is by ${toText(found.key)}, not by ${key}`, hint }
  }
  if (found.projection !== 'KEYS_ONLY') {
    return { says: `index ${name} holds ${found.projection}, not KEYS_ONLY`, hint }
  }
  return undefined
}

/** The command that adds an index. AWS adds one at a time. */
function additionOf(
  index: IndexDefinition,
  found: FoundTable,
  { name, region, arn }: WantedTable,
): string {
  const create = {
    IndexName: index.name,
    KeySchema: [
      { AttributeName: index.partition, KeyType: 'HASH' },
      { AttributeName: index.sort, KeyType: 'RANGE' },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' },
  }
  // Those of all keys there will be: AWS takes no attribute that is in none.
  const types = new Map([found, ...found.indexes].flatMap(({ key }) => key.map(toEntry)))
  for (const attribute of [index.partition, index.sort]) types.set(attribute, 'S')
  return [
    `aws dynamodb update-table --table-name ${arn ?? name} --region ${region}`,
    '--attribute-definitions',
    ...[...types].map(([attribute, type]) => `AttributeName=${attribute},AttributeType=${type}`),
    `--global-secondary-index-updates '${JSON.stringify([{ Create: create }])}'`,
  ].join(' ')
}

function toEntry({ name, type }: KeyAttribute): [string, string] {
  return [name, type]
}

function describeKey(attributes: readonly string[]): string {
  return toText(attributes.map((name) => ({ name, type: 'S' })))
}

/** `user (S), started_at (S)`. */
function toText(key: readonly KeyAttribute[]): string {
  return key.map(({ name, type }) => `${name} (${type})`).join(', ')
}
