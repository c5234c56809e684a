import { lstat } from 'node:fs/promises'
import type { StoreKind } from '../app/doctor-checks.ts'
import { choosePlace } from '../app/store-place.ts'
import { isAccessRequestId } from '../domain/access-request.ts'
import { isBreakGlassId } from '../domain/break-glass.ts'
import type { Policy } from '../domain/policy/types.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'
import type { AWS } from './aws.ts'
import { configuredGrantPlaces, grantStores, KINDS } from './grant-stores.ts'
import { newId, newSessionId } from './randomness.ts'
import { configuredPlace, sessionStores } from './sessions.ts'
import type { StoreSigner } from './store-opener.ts'
import type { World } from './world.ts'

interface StoreLook {
  readonly kind: StoreKind
  /** What the policy names, if that is known. */
  readonly named: Policy['stores'] | undefined
  readonly signer: () => Promise<StoreSigner>
  readonly calls: 'allowed' | 'none'
  readonly signal: AbortSignal
}

/**
 * Reads a row of a store that cannot be there, which it takes the store for to say so. Nothing is
 * made: a file that is not there yet is not `isMade`. `undefined` when no store is named.
 */
export async function lookAtStore(
  world: World,
  aws: AWS,
  { kind, named: inPolicy, signer, calls, signal }: StoreLook,
): Promise<{ readonly location: string; readonly isMade: boolean } | 'offline' | undefined> {
  const { kept, named, configured } = placesOf(world, kind, inPolicy)
  const given = [named, configured?.location].filter((location) => location !== undefined)
  const isRemote = given.some((location) => parseStoreLocation(location)?.kind === 'dynamodb')
  if (isRemote && calls === 'none') return 'offline'

  const signing = isRemote ? await signer() : NOBODY
  const sessions = sessionStores(world, aws, { configured: undefined, ...signing })
  const grants = grantStores(world, aws, { configured: {}, ...signing })
  const location = choosePlace(kept, named, { configured, resolve: sessions.resolve })
  if (location === undefined) return undefined
  if (!(await isMade(location))) return { location, isMade: false }
  const id = newId()
  if (kind === 'sessions') {
    await using store = await sessions.open(location)
    await store.get(newSessionId(), signal)
  } else if (kind === 'requests') {
    await using store = await grants.openRequests(location)
    if (isAccessRequestId(id)) await store.get(id, signal)
  } else {
    await using store = await grants.openBreakGlass(location)
    if (isBreakGlassId(id)) await store.get(id, signal)
  }
  return { location, isMade: true }
}

function placesOf(world: World, kind: StoreKind, named: Policy['stores'] | undefined) {
  if (kind === 'sessions') {
    const configured = configuredPlace(world.settings, {})
    return { kept: 'sessions', named: named?.sessions, configured }
  }
  const key = kind === 'requests' ? 'requests' : 'breakGlass'
  const configured = configuredGrantPlaces(world, {})[key]
  return { kept: KINDS[key].kept, named: named?.[key], configured }
}

/** What is on this machine needs no profile, and nobody's keys. */
const NOBODY: StoreSigner = {
  profile: { name: 'default' },
  credentials: () => Promise.reject(new SentinelError('BASE_CREDENTIALS_MISSING', 'nobody signs')),
}

/** Opening a database that is not there would make it. */
async function isMade(location: string): Promise<boolean> {
  const parsed = parseStoreLocation(location)
  if (parsed?.kind !== 'sqlite') return true
  try {
    await lstat(parsed.path)
    return true
  } catch {
    return false
  }
}
