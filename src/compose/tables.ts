import type { TableFlags, TablePlan } from '../deps.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import type { WantedTable } from '../domain/table.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { TableKeeper } from '../ports/table-keeper.ts'
import { type AWS, openAWS } from './aws.ts'
import { openDynamoDB } from './dynamodb.ts'
import { checkPolicy, policyLocation } from './policy.ts'
import { configuredPlace } from './sessions.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

/** Finds out which tables there are to be. AWS is asked for a policy only, and if it may be. */
export async function planTables(world: World, flags: TableFlags): Promise<TablePlan> {
  const aws = await openAWS(world, {})
  const [{ SESSIONS_TABLE }, { terraform, cloudFormation }] = await Promise.all([
    import('../stores/dynamodb/tables.ts'),
    import('../stores/dynamodb/table-templates.ts'),
  ])
  const place = await findPlace(world, flags)
  const location = place?.location ?? `dynamodb:${SESSIONS_TABLE.defaultName}`
  const parsed = parseStoreLocation(location)
  if (parsed?.kind !== 'dynamodb') {
    const code = place?.origin.startsWith('--') ? 'USAGE' : 'CONFIG_INVALID'
    throw new SentinelError(code, `${place?.origin} keeps sessions in ${location}: no table`, {
      hint: 'name a table with --session-table TABLE',
    })
  }
  const table: WantedTable = {
    definition: SESSIONS_TABLE,
    name: parsed.table,
    region: parsed.region ?? (await regionOf(world, aws)),
    ...(parsed.arn !== undefined && { arn: parsed.arn }),
    ...(flags.kmsKey !== undefined && { kmsKey: flags.kmsKey }),
  }
  return {
    tables: [table],
    template: (format) => (format === 'terraform' ? terraform : cloudFormation)([table]),
  }
}

/** What a flag says, else the policy, else a setting; with who says so. */
async function findPlace(world: World, flags: TableFlags) {
  const { settings } = world
  const configured = configuredPlace(settings, flags)
  if (configured?.origin.startsWith('--')) return configured
  const isPolicyNamed = flags.policy !== undefined || flags['policy-parameter'] !== undefined
  if (!isPolicyNamed && settings.find('policy') === undefined) return configured
  if (flags.calls === 'none' && policyLocation(settings, flags).kind === 'ssm') {
    throw new SentinelError('CONFIG_INVALID', 'the policy, which may name the table, is in SSM', {
      hint: 'name the table with --session-table: nothing is asked of AWS for this',
    })
  }
  const { policy, problems, reference } = await checkPolicy(world, flags, undefined)
  const [problem] = problems
  if (problem) {
    throw new SentinelError('POLICY_INVALID', `${reference}: ${problem.message}`, {
      hint: 'see all that is wrong with: sentinel policy validate',
    })
  }
  const location = policy?.stores.sessions
  return location === undefined ? configured : { location, origin: reference }
}

/** The region of whoever will sign the calls. A plan can do without a profile. */
async function regionOf(world: World, aws: AWS): Promise<string> {
  try {
    return aws.regionOf((await openSigner(world, aws)).profile)
  } catch (error) {
    if (hasCode(error, 'PROFILE_NOT_FOUND')) return aws.regionOf()
    throw error
  }
}

/** Opens the keeper of tables, with the credentials of a command that serves no profile. */
export async function openTables(world: World): Promise<TableKeeper> {
  const aws = await openAWS(world, {})
  const { DynamoDBTableKeeper } = await import('../stores/dynamodb/table-keeper.ts')
  const signer = await openSigner(world, aws)
  const regions = new Map<string, ReturnType<typeof openDynamoDB>>()
  return new DynamoDBTableKeeper({
    clientIn: (region) =>
      regions
        .getOrInsertComputed(region, () => openDynamoDB(world, aws, { region, ...signer }))
        .client(),
    gaps: world.globals['allow-endpoint-override'] ? 'allowed' : 'refused',
  })
}
