import { choosePlace } from '../app/store-place.ts'
import type { GrantFlags, OpenedOutboxes } from '../deps.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'
import { openAWS } from './aws.ts'
import { configuredGrantPlaces, grantStores, KINDS, type Kind } from './grant-stores.ts'
import { validPolicy } from './grants.ts'
import { lazily } from './lazily.ts'
import { openNotifier } from './notify.ts'
import { openOrderLog } from './order-log.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

/** Opens every store of grants that is named, for what empties their outboxes. */
export async function openOutboxes(world: World, flags: GrantFlags): Promise<OpenedOutboxes> {
  const aws = await openAWS(world, {})
  const policy = await validPolicy(world, flags, undefined)
  const signer = lazily(() => openSigner(world, aws))
  const configured = configuredGrantPlaces(world, flags)
  const named = policy.policy.stores
  const locations = [named.requests, named.breakGlass].concat(
    Object.values(configured).map((place) => place?.location),
  )
  const isCloud = locations.some(
    (location) => location !== undefined && parseStoreLocation(location)?.kind === 'dynamodb',
  )
  // No profile is needed for what is on this machine.
  const profile = isCloud ? (await signer()).profile : { name: 'default' }
  const credentials = async () => (await signer()).credentials()
  const stores = grantStores(world, aws, { configured, profile, credentials })
  const placeOf = (kind: Kind) =>
    choosePlace(KINDS[kind].kept, named[kind], {
      configured: configured[kind],
      resolve: stores.resolve,
    })

  const places = { requests: placeOf('requests'), breakGlass: placeOf('breakGlass') }
  if (places.requests === undefined && places.breakGlass === undefined) throw noStore()
  await using opened = new AsyncDisposableStack()
  const log = opened.use(openOrderLog(world, aws, signer))
  const requests =
    places.requests === undefined
      ? undefined
      : opened.use(await stores.openRequests(places.requests))
  const breakGlass =
    places.breakGlass === undefined
      ? undefined
      : opened.use(await stores.openBreakGlass(places.breakGlass))
  const kept = opened.move()
  return {
    ...(requests && { requests }),
    ...(breakGlass && { breakGlass }),
    policy,
    notifier: openNotifier(world, aws, signer),
    record: log.record,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function noStore(): SentinelError {
  return new SentinelError(
    'CONFIG_INVALID',
    'no store of requests or of break-glass events is named',
    {
      hint: 'name them in the policy under stores, or with --request-table and --breakglass-table',
    },
  )
}
