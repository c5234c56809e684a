import { choosePlace } from '../app/store-place.ts'
import type { GrantFlags, OpenedGrants, ValidPolicy } from '../deps.ts'
import { partyOf } from '../domain/party.ts'
import type { Policy } from '../domain/policy/types.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import type { GrantStores } from '../ports/grant-stores.ts'
import type { RequestStore } from '../ports/request-store.ts'
import { openAWS } from './aws.ts'
import { assertOutside, identify, identifyCaller } from './callers.ts'
import { configuredGrantPlaces, grantStores, KINDS, type Kind } from './grant-stores.ts'
import { lazily } from './lazily.ts'
import { createDelivery, openNotifier } from './notify.ts'
import { openOrderLog } from './order-log.ts'
import { checkPolicy, validateHint } from './policy.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

interface GrantCommand {
  readonly flags: GrantFlags
  /** What it is about, if it is: whose base credentials then sign. */
  readonly profile?: string | undefined
}

export function openRequests(
  world: World,
  command: GrantCommand,
): Promise<OpenedGrants<RequestStore>> {
  return open(world, command, 'requests', (stores, place) => stores.openRequests(place))
}

export function openBreakGlass(
  world: World,
  command: GrantCommand,
): Promise<OpenedGrants<BreakGlassStore>> {
  return open(world, command, 'breakGlass', (stores, place) => stores.openBreakGlass(place))
}

async function open<Store extends RequestStore | BreakGlassStore>(
  world: World,
  { flags, profile }: GrantCommand,
  kind: Kind,
  openStore: (stores: GrantStores, place: string) => Promise<Store>,
): Promise<OpenedGrants<Store>> {
  const aws = await openAWS(world, {})
  const policy = await validPolicy(world, flags, profile)
  const signer = lazily(() => openSigner(world, aws, profile))
  const configured = configuredGrantPlaces(world, flags)
  const isCloud = [policy.policy.stores[kind], configured[kind]?.location].some(
    (location) => location !== undefined && parseStoreLocation(location)?.kind === 'dynamodb',
  )
  // No profile is needed for what is on this machine.
  const signing = isCloud ? (await signer()).profile : { name: 'default' }
  const credentials = async () => (await signer()).credentials()
  const stores = grantStores(world, aws, { configured, profile: signing, credentials })
  const store = await openStore(stores, placeOf(policy.policy, stores, kind))
  const log = openOrderLog(world, aws, signer)
  return {
    store,
    policy,
    async operator() {
      assertOutside(world)
      return identifyCaller(aws, await signer())
    },
    async requester(name) {
      assertOutside(world)
      const { principal, user, target } = await identify(world, name)
      return { principal, party: partyOf(principal, user), target }
    },
    record: log.record,
    deliver: createDelivery(world, {
      store,
      policy,
      notifier: openNotifier(world, aws, signer),
      record: log.record,
    }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    },
  }
}

/** Reads a policy that is to decide. Rejects with `POLICY_INVALID` for one that is not valid. */
export async function validPolicy(
  world: World,
  flags: GrantFlags,
  profile: string | undefined,
): Promise<ValidPolicy> {
  const { policy, problems, ...rest } = await checkPolicy(world, flags, profile)
  const [problem] = problems
  if (policy && !problem) return { policy, ...rest }
  const why = problem ? `: ${problem.message}` : ''
  throw new SentinelError('POLICY_INVALID', `${rest.reference} is not valid${why}`, {
    hint: validateHint(flags),
  })
}

function placeOf({ stores: named }: Policy, stores: GrantStores, kind: Kind): string {
  const { kept, flag } = KINDS[kind]
  const { configured, resolve } = stores
  const place = choosePlace(kept, named[kind], { configured: configured[kind], resolve })
  if (place !== undefined) return place
  throw new SentinelError('CONFIG_INVALID', `no store of ${kept} is named anywhere`, {
    hint: `name one in the policy under stores, in the settings, or with --${flag} TABLE`,
  })
}
