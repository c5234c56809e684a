import { hostname, userInfo } from 'node:os'
import type { OpenedSessions, SessionFlags, SettingsReader } from '../deps.ts'
import { isShared, parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'
import type { SessionStore } from '../ports/session-store.ts'
import type { SessionStores } from '../ports/session-stores.ts'
import { type AWS, openAWS } from './aws.ts'
import { assertOutside, identifyCaller } from './callers.ts'
import { lazily } from './lazily.ts'
import { openOrderLog } from './order-log.ts'
import { checkPolicy, validateHint } from './policy.ts'
import { openSigner, type Signer } from './signer.ts'
import { type StoreSigner, storeOpener } from './store-opener.ts'
import { locationOfTable } from './table-flag.ts'
import { uid, type World } from './world.ts'

type Place = NonNullable<SessionStores['configured']>

/** The place that a flag or else a setting names. Throws `USAGE` for two flags. */
export function configuredPlace(settings: SettingsReader, flags: SessionFlags): Place | undefined {
  const { 'session-table': table, 'session-store': store } = flags
  if (table !== undefined && store !== undefined) {
    throw new SentinelError('USAGE', '--session-table and --session-store are both given', {
      hint: 'name one place: --session-table TABLE is --session-store dynamodb:TABLE',
    })
  }
  if (table !== undefined) {
    return { location: locationOfTable('session-table', table), origin: '--session-table' }
  }
  const found = settings.find('sessionStore', { name: 'session-store', text: store })
  return found && { location: found.value, origin: found.origin }
}

interface StoresSelection extends StoreSigner {
  readonly configured: Place | undefined
}

/** Opens stores of sessions. The database, and the SDK, are loaded when one is opened. */
export function sessionStores(
  world: World,
  aws: AWS,
  { configured, ...signer }: StoresSelection,
): SessionStores {
  const opener = storeOpener(world, aws, signer)
  return {
    configured,
    resolve: opener.resolve,
    claim: opener.claim,
    open: (location) =>
      opener.open<SessionStore>(location, {
        async memory() {
          const { MemorySessionStore } = await import('../stores/memory/session-store.ts')
          return new MemorySessionStore()
        },
        async sqlite(path) {
          const { openSqliteSessionStore } = await import('../stores/sqlite/session-store.ts')
          return openSqliteSessionStore(path, { uid })
        },
        async dynamodb(access) {
          const { DynamoDBSessionStore } = await import('../stores/dynamodb/session-store.ts')
          return new DynamoDBSessionStore(access)
        },
      }),
  }
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
  const log = openOrderLog(world, aws, signer)
  return {
    directory,
    operator: async () => findOperator(world, aws, { location: directory.location, signer }),
    record: log.record,
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
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
      if (problem) {
        throw new SentinelError('POLICY_INVALID', `${reference}: ${problem.message}`, {
          hint: validateHint(flags),
        })
      }
      if (policy?.stores.sessions) return policy.stores.sessions
    } catch (error) {
      if (!(error instanceof SentinelError) || !configured) throw error
      notices.warn(
        `the policy, which may name another store, is out of reach: ${error.message}`,
        error.hint,
      )
    }
  }
  if (configured) return configured.location
  throw new SentinelError('CONFIG_INVALID', 'no store of sessions is named anywhere', {
    hint: 'name one with --session-table TABLE or --session-store local, in the settings or the policy',
  })
}

async function findOperator(
  world: World,
  aws: AWS,
  { location, signer }: { readonly location: string; readonly signer: () => Promise<Signer> },
): ReturnType<OpenedSessions['operator']> {
  assertOutside(world)
  if (!isShared(location)) return { by: `os:${userInfo().username}` }
  const { party } = await identifyCaller(aws, await signer())
  return { by: party.user, principal: party.principal }
}

/** What stands in a session's record of where its server runs. */
export function origin(): { readonly host: string; readonly pid: number } {
  return { host: hostname(), pid: process.pid }
}
