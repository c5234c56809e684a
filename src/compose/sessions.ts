import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { OpenedSessions, SessionFlags, SettingsReader } from '../deps.ts'
import { isIssuedBySentinel, parsePrincipal } from '../domain/principal.ts'
import { userPart } from '../domain/source-identity.ts'
import { isShared, parseStoreLocation } from '../domain/store-location.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { DecisionLog } from '../ports/decision-log.ts'
import type { Profile } from '../ports/profiles.ts'
import type { SessionStore } from '../ports/session-store.ts'
import type { SessionStores } from '../ports/session-stores.ts'
import { type AWS, openAWS } from './aws.ts'
import { openDynamoDB } from './dynamodb.ts'
import { openLog } from './log.ts'
import { checkPolicy } from './policy.ts'
import { sha256 } from './randomness.ts'
import { stateDirectory } from './settings.ts'
import { type CredentialsOf, openSigner, type Signer } from './signer.ts'
import { uid, type World } from './world.ts'

const IDENTIFY_TIMEOUT = 10 * SECOND

type Place = NonNullable<SessionStores['configured']>

/** The place that a flag or else a setting names. Throws `USAGE` for two flags. */
export function configuredPlace(settings: SettingsReader, flags: SessionFlags): Place | undefined {
  const { 'session-table': table, 'session-store': store } = flags
  if (table !== undefined && store !== undefined) {
    throw new SentinelError('USAGE', '--session-table and --session-store are both given', {
      hint: 'name one place: --session-table TABLE is --session-store dynamodb:TABLE',
    })
  }
  if (table !== undefined) return { location: locationOf(table), origin: '--session-table' }
  const found = settings.find('sessionStore', { name: 'session-store', text: store })
  return found && { location: found.value, origin: found.origin }
}

function locationOf(table: string): string {
  const location = table.startsWith('arn:') ? table : `dynamodb:${table}`
  if (parseStoreLocation(location)?.kind === 'dynamodb') return location
  throw new SentinelError('USAGE', `--session-table is not the name of a table: "${table}"`, {
    hint: 'write TABLE, REGION:TABLE or the ARN of a table',
  })
}

interface StoresSelection {
  readonly configured: Place | undefined
  /** Whose settings and region hold for the calls: see `openDynamoDB`. */
  readonly profile: Pick<Profile, 'name' | 'region' | 'roleArn'>
  readonly credentials: CredentialsOf
}

/** Opens stores of sessions. The database, and the SDK, are loaded when one is opened. */
export function sessionStores(
  world: World,
  aws: AWS,
  { configured, ...signer }: StoresSelection,
): SessionStores {
  const inFull = (location: string) => {
    const parsed = parseStoreLocation(location)
    switch (parsed?.kind) {
      case 'memory':
        return location
      case 'local':
        return `sqlite:${join(stateDirectory(world.env), 'sentinel.db')}`
      case 'sqlite':
        return `sqlite:${resolve(parsed.path)}`
      case 'dynamodb': {
        const { arn, region, table } = parsed
        return arn ?? `dynamodb:${region ?? aws.regionOf(signer.profile)}:${table}`
      }
      case undefined:
        throw new SentinelError('CONFIG_INVALID', `not a place for a store: "${location}"`)
    }
  }
  return {
    configured,
    resolve: inFull,
    open: (location) => openStore(world, aws, { ...signer, location: inFull(location) }),
  }
}

async function openStore(
  world: World,
  aws: AWS,
  { location, ...signer }: Omit<StoresSelection, 'configured'> & { readonly location: string },
): Promise<SessionStore> {
  const parsed = parseStoreLocation(location)
  if (parsed?.kind === 'dynamodb') {
    const { DynamoDBSessionStore } = await import('../stores/dynamodb/session-store.ts')
    const { client } = openDynamoDB(world, aws, { ...signer, region: parsed.region })
    const now = () => world.clock.aws()
    return new DynamoDBSessionStore({ client, table: parsed.arn ?? parsed.table, location, now })
  }
  if (parsed?.kind === 'sqlite') {
    const { openSqliteSessionStore } = await import('../stores/sqlite/session-store.ts')
    return openSqliteSessionStore(parsed.path, { uid })
  }
  const { MemorySessionStore } = await import('../stores/memory/session-store.ts')
  return new MemorySessionStore()
}

/** Opens the store of sessions for a command that only looks, or gives orders. */
export async function openSessions(world: World, flags: SessionFlags): Promise<OpenedSessions> {
  const aws = await openAWS(world, {})
  const location = await findPlace(world, flags)
  const signer = lazily(() => openSigner(world, aws))
  const parsed = parseStoreLocation(location)
  // No profile is needed for what is on this machine.
  const profile = parsed?.kind === 'dynamodb' ? (await signer()).profile : { name: 'default' }
  const credentials = async () => (await signer()).credentials()
  const stores = sessionStores(world, aws, { configured: undefined, profile, credentials })
  const directory = await stores.open(location)
  const log = lazily(() => openOrderLog(world))
  return {
    directory,
    operator: async () => findOperator(world, aws, { location: directory.location, signer }),
    record: async (record) => (await log()).append(record),
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]()
      if (!log.isDone()) return
      const opened = await log()
      opened.note({ type: 'stop' })
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** The flag's, else the policy's, else the setting's. */
async function findPlace(world: World, flags: SessionFlags): Promise<string> {
  const { settings, notices } = world
  const configured = configuredPlace(settings, flags)
  const isFlag = flags['session-table'] !== undefined || flags['session-store'] !== undefined
  if (configured && isFlag) return configured.location
  const hasPolicy =
    settings.find('policy') !== undefined ||
    flags.policy !== undefined ||
    flags['policy-parameter'] !== undefined
  if (hasPolicy) {
    try {
      const { policy, problems, reference } = await checkPolicy(world, flags, undefined)
      const [problem] = problems
      if (problem) throw new SentinelError('POLICY_INVALID', `${reference}: ${problem.message}`)
      if (policy?.stores.sessions) return policy.stores.sessions
    } catch (error) {
      if (!(error instanceof SentinelError) || !configured) throw error
      notices.warn(`the policy, which may name another store, is out of reach: ${error.message}`)
    }
  }
  if (configured) return configured.location
  throw new SentinelError('CONFIG_INVALID', 'no store of sessions is named anywhere', {
    hint: 'name one with --session-table TABLE or --session-store local, in the settings or the policy',
  })
}

async function findOperator(
  { env }: World,
  aws: AWS,
  { location, signer }: { readonly location: string; readonly signer: () => Promise<Signer> },
): ReturnType<OpenedSessions['operator']> {
  // A guard rail: who removes the variable meets the check below.
  if (env.SENTINEL_ACTIVE) throw ordersFromInside('this command runs inside `sentinel exec`')
  if (!isShared(location)) return { by: `os:${userInfo().username}` }
  const { profile, credentials } = await signer()
  const tokens = aws.tokens(profile.name, aws.regionOf(profile))
  const signal = AbortSignal.timeout(IDENTIFY_TIMEOUT)
  const principal = parsePrincipal(await tokens.identify(await credentials(), signal))
  if (isIssuedBySentinel(principal)) {
    throw ordersFromInside(`the credentials (${principal.arn}) were issued by Sentinel`)
  }
  return { by: userPart(principal, sha256), principal: principal.arn }
}

function ordersFromInside(why: string): SentinelError {
  return new SentinelError('ISSUED_BY_SENTINEL', `no order is taken from here: ${why}`, {
    hint: 'run it in another terminal, with your own credentials',
  })
}

async function openOrderLog(world: World): Promise<DecisionLog> {
  const log = await openLog(world, {})
  log.note({ type: 'start', version: world.host.version })
  return log
}

function lazily<Value>(make: () => Promise<Value>) {
  let made: Promise<Value> | undefined
  const get = () => {
    made ??= make()
    return made
  }
  return Object.assign(get, { isDone: () => made !== undefined })
}

/** What stands in a session's record of where its server runs. */
export function origin(): { readonly host: string; readonly pid: number } {
  return { host: hostname(), pid: process.pid }
}
