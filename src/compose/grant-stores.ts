import { StoreGrants } from '../app/store-grants.ts'
import type { GrantFlags } from '../deps.ts'
import type { Policy } from '../domain/policy/types.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { GrantStores } from '../ports/grant-stores.ts'
import type { RequestStore } from '../ports/request-store.ts'
import type { AWS } from './aws.ts'
import { digest } from './randomness.ts'
import { type StoreSigner, storeOpener } from './store-opener.ts'
import { locationOfTable } from './table-flag.ts'
import { uid, type World } from './world.ts'

/** The two kinds of stores of grants: what is in them, and who may name them. */
export const KINDS = {
  requests: { kept: 'requests', flag: 'request-table', setting: 'requestStore' },
  breakGlass: {
    kept: 'break-glass events',
    flag: 'breakglass-table',
    setting: 'breakGlassStore',
  },
} as const

export type Kind = keyof typeof KINDS

/** The place that a flag, or else a setting names. Throws `USAGE`. */
function configuredGrantPlace(
  { settings }: Pick<World, 'settings'>,
  flags: GrantFlags,
  kind: Kind,
): GrantStores['configured'][Kind] {
  const { flag, setting } = KINDS[kind]
  const table = flags[flag]
  if (table === undefined) {
    const found = settings.find(setting)
    return found && { location: found.value, origin: found.origin }
  }
  return { location: locationOfTable(flag, table), origin: `--${flag}` }
}

/** Opens stores of grants by where they are. */
export function grantStores(
  world: World,
  aws: AWS,
  { configured, ...signer }: StoreSigner & Pick<GrantStores, 'configured'>,
): GrantStores {
  const opener = storeOpener(world, aws, signer)
  return {
    configured,
    resolve: opener.resolve,
    claim: opener.claim,
    openRequests: (location) =>
      opener.open<RequestStore>(location, {
        async memory() {
          const { MemoryRequestStore } = await import('../stores/memory/request-store.ts')
          return new MemoryRequestStore()
        },
        async sqlite(path) {
          const { openSqliteRequestStore } = await import('../stores/sqlite/request-store.ts')
          return openSqliteRequestStore(path, { uid })
        },
        async dynamodb(access) {
          const { DynamoDBRequestStore } = await import('../stores/dynamodb/request-store.ts')
          return new DynamoDBRequestStore(access)
        },
      }),
    openBreakGlass: (location) =>
      opener.open<BreakGlassStore>(location, {
        async memory() {
          const { MemoryBreakGlassStore } = await import('../stores/memory/break-glass-store.ts')
          return new MemoryBreakGlassStore()
        },
        async sqlite(path) {
          const { openSqliteBreakGlassStore } = await import(
            '../stores/sqlite/break-glass-store.ts'
          )
          return openSqliteBreakGlassStore(path, { uid })
        },
        async dynamodb(access) {
          const { DynamoDBBreakGlassStore } = await import(
            '../stores/dynamodb/break-glass-store.ts'
          )
          return new DynamoDBBreakGlassStore(access)
        },
      }),
  }
}

/** Where a run looks for grants. */
export function grantSource(
  world: World,
  stores: GrantStores,
  policy: () => Policy | undefined,
): GrantSource {
  return new StoreGrants({ stores, policy, digest, clock: world.clock })
}

/** The places that flags or settings name. */
export function configuredGrantPlaces(world: World, flags: GrantFlags): GrantStores['configured'] {
  return {
    requests: configuredGrantPlace(world, flags, 'requests'),
    breakGlass: configuredGrantPlace(world, flags, 'breakGlass'),
  }
}
