import type { TableFlags, TablePlan } from '../deps.ts'
import type { Policy } from '../domain/policy/types.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import { locationOf, TABLES, type TableKind, type WantedTable } from '../domain/table.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { TableKeeper } from '../ports/table-keeper.ts'
import { configuredAnchors } from './anchors.ts'
import { type AWS, openAWS } from './aws.ts'
import { openDynamoDB } from './dynamodb.ts'
import { configuredGrantPlaces } from './grant-stores.ts'
import { lazily } from './lazily.ts'
import { checkPolicy, policyLocation, validateHint } from './policy.ts'
import { configuredPlace } from './sessions.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

/** Where one kind is kept; who says so is absent where nobody does. */
interface Place {
  readonly kind: TableKind
  readonly location?: string
  readonly origin?: string
}

const KINDS = Object.keys(TABLES) as TableKind[]

/**
 * Finds out which tables there are to be. AWS is asked only for a policy, and only if it may be.
 */
export async function planTables(world: World, flags: TableFlags): Promise<TablePlan> {
  const aws = await openAWS(world, {})
  const [definitions, { terraform, cloudFormation }, { iamPolicy }] = await Promise.all([
    import('../stores/dynamodb/tables.ts'),
    import('../stores/dynamodb/table-templates.ts'),
    import('../stores/dynamodb/iam-policy.ts'),
  ])
  const { SESSIONS_TABLE, REQUESTS_TABLE, BREAK_GLASS_TABLE, ANCHORS_TABLE } = definitions
  const all = [SESSIONS_TABLE, REQUESTS_TABLE, BREAK_GLASS_TABLE, ANCHORS_TABLE]
  const region = lazily(() => regionOf(world, aws))
  const tables: WantedTable[] = []
  const elsewhere: { kind: TableKind; location: string }[] = []
  const places = await findPlaces(world, flags)
  for (const place of places) {
    const definition = all.find(({ kind }) => kind === place.kind)
    if (!definition) continue
    const { location = `dynamodb:${definition.defaultName}` } = place
    const parsed = parseStoreLocation(location)
    if (parsed?.kind !== 'dynamodb') {
      elsewhere.push({ kind: place.kind, location })
      continue
    }
    tables.push({
      definition,
      name: parsed.table,
      region: parsed.region ?? (await region()),
      ...(parsed.arn !== undefined && { arn: parsed.arn }),
      ...(flags.kmsKey !== undefined && { kmsKey: flags.kmsKey }),
    })
  }
  if (tables.length === 0) throw noTable(places)
  assertDistinct(tables)
  return {
    tables,
    elsewhere,
    template: (format) => (format === 'terraform' ? terraform : cloudFormation)(tables),
    iamPolicy: (role) => iamPolicy(role, tables),
  }
}

/**
 * What flags say; without any of all kinds, what the policy says of each, else a setting. Anchors
 * are only for who wants them, and no matter of the policy.
 */
async function findPlaces(world: World, flags: TableFlags): Promise<readonly Place[]> {
  const grants = configuredGrantPlaces(world, flags)
  const configured = {
    sessions: configuredPlace(world.settings, flags),
    requests: grants.requests,
    break_glass: grants.breakGlass,
    anchors: configuredAnchors(world.settings, flags),
  }
  const named = KINDS.filter((kind) => configured[kind]?.origin.startsWith('--'))
  if (named.length > 0) return named.map((kind) => ({ kind, ...configured[kind] }))
  const { stores, reference } = await storesOfPolicy(world, flags)
  const inPolicy = {
    sessions: stores.sessions,
    requests: stores.requests,
    break_glass: stores.breakGlass,
    anchors: undefined,
  }
  const wanted = KINDS.filter((kind) => kind !== 'anchors' || configured.anchors !== undefined)
  return wanted.map((kind) => {
    const location = inPolicy[kind]
    return location === undefined
      ? { kind, ...configured[kind] }
      : { kind, location, origin: reference }
  })
}

/** The stores that the policy names, if there is one. */
async function storesOfPolicy(
  world: World,
  flags: TableFlags,
): Promise<{ readonly stores: Policy['stores']; readonly reference: string }> {
  const { settings } = world
  const isPolicyNamed = flags.policy !== undefined || flags['policy-parameter'] !== undefined
  if (!isPolicyNamed && settings.find('policy') === undefined) return { stores: {}, reference: '' }
  if (flags.calls === 'none' && policyLocation(settings, flags).kind === 'ssm') {
    throw new SentinelError('CONFIG_INVALID', 'the policy, which may name the tables, is in SSM', {
      hint: `name them with ${flagsOfAll()}: nothing is asked of AWS for this`,
    })
  }
  const { policy, problems, reference } = await checkPolicy(world, flags, undefined)
  const [problem] = problems
  if (problem) {
    throw new SentinelError('POLICY_INVALID', `${reference}: ${problem.message}`, {
      hint: validateHint(flags),
    })
  }
  return { stores: policy?.stores ?? {}, reference }
}

function noTable(places: readonly Place[]): SentinelError {
  const [{ kind = 'sessions', location = '', origin = '' } = {}] = places
  const code = origin.startsWith('--') ? 'USAGE' : 'CONFIG_INVALID'
  const { keeps } = TABLES[kind]
  return new SentinelError(code, `${origin} keeps ${keeps} in ${location}: no table`, {
    hint: `name a table with ${flagsOfAll()}`,
  })
}

/** Each kind has keys of its own: one table cannot be of two. */
function assertDistinct(tables: readonly WantedTable[]): void {
  for (const [place, table] of tables.entries()) {
    const location = locationOf(table)
    const other = tables.slice(0, place).find((earlier) => locationOf(earlier) === location)
    if (!other) continue
    const [one, two] = [other, table].map(({ definition }) => TABLES[definition.kind])
    throw new SentinelError(
      'CONFIG_INVALID',
      `${one?.keeps} and ${two?.keeps} are both to be kept in ${location}`,
      { hint: `name another table for one of them: ${one?.flag} or ${two?.flag}` },
    )
  }
}

function flagsOfAll(): string {
  const flags = KINDS.map((kind) => TABLES[kind].flag)
  return `${flags.slice(0, -1).join(', ')} or ${flags.at(-1)}`
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
