import { FEATURES, type InitializedTable, initTable } from '../../app/init-tables.ts'
import type { Deps, TablePlan } from '../../deps.ts'
import {
  locationOf,
  TABLE_ROLES,
  TABLES,
  type TableRole,
  type WantedTable,
} from '../../domain/table.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { columns } from '../output.ts'

export default defineCommand({
  usage: 'init tables',
  summary: 'Create the DynamoDB tables that Sentinel works on, or what is missing of them',
  examples: [
    'init tables --plan',
    'init tables --region eu-central-1 --aws-profile admin',
    'init tables --request-table sentinel-requests --format terraform',
    'init tables --iam approver',
  ],
  options: {
    'session-table': {
      type: 'string',
      value: 'TABLE',
      summary: 'The table of sessions, by name or ARN; with such a flag, only what is named',
    },
    'session-store': {
      type: 'string',
      value: 'LOCATION',
      summary: 'The table of sessions, as dynamodb:[REGION:]TABLE',
    },
    'request-table': { type: 'string', value: 'TABLE', summary: 'The table of requests' },
    'breakglass-table': {
      type: 'string',
      value: 'TABLE',
      summary: 'The table of break-glass events (default: all three, as policy or settings say)',
    },
    'anchor-table': {
      type: 'string',
      value: 'TABLE',
      summary: "The table of the decision log's anchors (default: as log_anchor says, or none)",
    },
    ...POLICY_OPTIONS,
    'kms-key': {
      type: 'string',
      value: 'KEY',
      summary: 'Encrypt with this key: an ARN, or alias/aws/dynamodb (default: a key of AWS)',
    },
    plan: { type: 'boolean', summary: 'Print what would be created; call nothing' },
    format: {
      type: 'string',
      value: 'terraform|cloudformation',
      summary: 'Print the same as a template; call nothing',
    },
    iam: {
      type: 'string',
      value: 'ROLE',
      summary: 'Print the IAM policy for a requester, approver or administrator; call nothing',
    },
    yes: { type: 'boolean', summary: 'Do not ask first' },
  },

  async run({ options }, deps) {
    const { plan: isPlan, yes, 'kms-key': kmsKey, ...flags } = options
    const format = flags.format === undefined ? undefined : readFormat(flags.format)
    const role = flags.iam === undefined ? undefined : readRole(flags.iam)
    if (format && role) throw twoDocuments()
    const calls = isPlan || format || role ? 'none' : 'allowed'
    const key = kmsKey === undefined ? {} : { kmsKey: readKey(kmsKey) }
    const plan = await deps.planTables({ ...flags, ...key, calls })
    for (const { kind, location } of plan.elsewhere) {
      deps.notices.info(`${TABLES[kind].keeps} are kept in ${location}, which is no table`)
    }
    if (format) deps.out.printRaw(plan.template(format))
    else if (role) printIAM(deps, plan, role)
    else if (isPlan) printPlan(deps, plan)
    else await create(deps, plan, yes ? 'yes' : 'ask')
    return undefined
  },
})

const BILLING = ['  billing', 'on demand']

async function create(deps: Deps, { tables }: TablePlan, consent: 'yes' | 'ask'): Promise<void> {
  const places = tables.map(locationOf).join(', ')
  const question = `Create ${places}, or what is missing of ${tables.length === 1 ? 'it' : 'them'}?`
  if (consent === 'ask' && !(await deps.confirm(question, '--yes'))) {
    throw new SentinelError('INTERRUPTED', 'nothing was created: the answer was no', {
      hint: 'see what would be created with --plan',
    })
  }
  const keeper = await deps.openTables()
  const { clock, out, notices } = deps
  const made: InitializedTable[] = []
  for (const table of tables) {
    const initialized = await initTable({ keeper, clock, progress: out.progress }, table)
    warnOfGaps(deps, initialized)
    made.push(initialized)
  }
  out.print(made.map(toText).join('\n\n'), { tables: made.map(toData) })
  for (const { table, outcome } of made) {
    if (outcome === 'existed') continue
    notices.info(toBeNamed(table))
  }
}

/** Where the table has to be named, so that it is used. */
function toBeNamed(table: WantedTable): string {
  const { kind } = table.definition
  const location = locationOf(table)
  if (kind === 'anchors') return `name it in the settings: \`log_anchor: ${location}\``
  return `name it in the policy, under stores: \`${kind}: ${location}\``
}

function printPlan({ out }: Pick<Deps, 'out'>, { tables }: TablePlan): void {
  const text = tables.map((table) => {
    const { expiry } = table.definition
    return `${locationOf(table)}: would be created, unless it exists\n${columns([
      ...describe(table),
      BILLING,
      ['  row expiry', `TTL on ${expiry}`],
      ['  recovery', 'point-in-time'],
      ['  encryption', table.kmsKey ?? 'a key of AWS'],
    ])}`
  })
  const data = tables.map((table) => ({ ...shapeOf(table), outcome: 'planned' }))
  out.print(text.join('\n\n'), { tables: data })
}

function printIAM({ out, notices }: Deps, plan: TablePlan, role: TableRole): void {
  out.printRaw(plan.iamPolicy(role))
  if (plan.tables.some(({ arn }) => arn === undefined)) {
    notices.info('write the number of the account of the tables where the policy says ACCOUNT')
  }
}

function toText({ table, outcome, expiry, recovery, encryption }: InitializedTable): string {
  const rows = [
    ...describe(table),
    // How a table that was there is paid for is its owner's business.
    ...(outcome === 'created' ? [BILLING] : []),
    ['  row expiry', `TTL on ${table.definition.expiry}: ${inWords(expiry)}`],
    ['  recovery', `point-in-time: ${inWords(recovery)}`],
    ['  encryption', inWords(encryption)],
  ]
  const done = outcome === 'created' ? 'created' : 'existed already'
  return `${locationOf(table)}: ${done}\n${columns(rows)}`
}

function inWords(outcome: string): string {
  return outcome === 'unknown' ? 'none, what answers does not know it' : outcome
}

function describe({ definition }: WantedTable): string[][] {
  const { key, indexes } = definition
  return [
    ['  key', key],
    ...indexes.map(({ name, partition, sort }, index) => [
      index === 0 ? '  indexes' : '',
      `${name}: ${partition}, ${sort} (keys only)`,
    ]),
  ]
}

function toData({ table, arn, outcome, expiry, recovery, encryption }: InitializedTable) {
  return {
    ...shapeOf(table),
    arn,
    outcome,
    ttl: expiry,
    point_in_time_recovery: recovery,
    encryption,
  }
}

function shapeOf(table: WantedTable) {
  const { definition, name, region } = table
  const { kind, key, indexes, expiry } = definition
  return {
    keeps: kind,
    location: locationOf(table),
    name,
    region,
    key,
    indexes: indexes.map((index) => ({ ...index, projection: 'KEYS_ONLY' })),
    ttl_attribute: expiry,
    kms_key: table.kmsKey ?? null,
  }
}

function warnOfGaps({ notices }: Pick<Deps, 'notices'>, initialized: InitializedTable): void {
  const { table, ...outcomes } = initialized
  for (const feature of ['expiry', 'recovery', 'encryption'] as const) {
    if (outcomes[feature] !== 'unknown') continue
    notices.warn(`${table.name} has no ${FEATURES[feature]}: what answers does not know it`)
  }
}

function readFormat(text: string): 'terraform' | 'cloudformation' {
  if (text === 'terraform' || text === 'cloudformation') return text
  throw new SentinelError('USAGE', `no format of templates: "${text}"`, {
    hint: 'write --format terraform or --format cloudformation',
  })
}

function readRole(text: string): TableRole {
  const role = TABLE_ROLES.find((known) => known === text)
  if (role) return role
  throw new SentinelError('USAGE', `no role that there is a policy of IAM for: "${text}"`, {
    hint: `write --iam ${TABLE_ROLES.slice(0, -1).join(', --iam ')} or --iam ${TABLE_ROLES.at(-1)}`,
  })
}

function twoDocuments(): SentinelError {
  return new SentinelError('USAGE', '--format and --iam are both given', {
    hint: 'print one after the other',
  })
}

/** KMS takes a bare id too, but a template or another region's table would not. */
function readKey(text: string): string {
  const isKey =
    text === 'alias/aws/dynamodb' ||
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]+$/.test(text)
  if (isKey) return text
  throw new SentinelError(
    'USAGE',
    `--kms-key is neither an ARN nor alias/aws/dynamodb: "${text}"`,
    {
      hint: 'name the key by its ARN',
    },
  )
}
