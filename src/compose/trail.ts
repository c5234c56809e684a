import type { OpenedTrail, TrailSelection } from '../audit-deps.ts'
import { SECOND } from '../domain/time.ts'
import { hasCode } from '../errors.ts'
import { type AWS, openAWS } from './aws.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

const IDENTIFY_TIMEOUT = 10 * SECOND

/** Opens the event history of the account of whoever signs calls that serve no profile. */
export async function openTrail(
  world: World,
  { regions, profiles, signal }: TrailSelection,
): Promise<OpenedTrail> {
  const aws = await openAWS(world, {})
  const { profile, credentials } = await openSigner(world, aws)
  const home = aws.regionOf(profile)
  const tokens = aws.tokens(profile.name, home)
  const { abandonOn, interrupted } = await import('../aws/deadline.ts')
  const base = await abandonOn(signal, credentials()).catch((error: unknown) => {
    throw signal.aborted ? interrupted('looking for credentials') : error
  })
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(IDENTIFY_TIMEOUT)])
  const { account, arn } = await tokens.identify(base, bounded)
  const [{ CloudTrail }, { trailRegions }, { transport }] = await Promise.all([
    import('../aws/cloudtrail.ts'),
    import('../aws/trail-regions.ts'),
    aws.sdk(),
  ])
  const callers = {
    home,
    partition: arn.split(':')[1] ?? '',
    profiles: await regionsOf(aws, profiles),
    isPrivate: world.settings.find('endpoints')?.value.cloudtrail !== undefined,
  }
  return {
    trail: new CloudTrail({
      transport,
      clock: world.clock,
      profile: profile.name,
      credentials,
      random: Math.random,
    }),
    account,
    regions: regions === undefined ? trailRegions(callers) : [...new Set(regions)],
  }
}

/** Where sessions of `profiles` are asked for from here; of those that are no more, nowhere. */
async function regionsOf(aws: AWS, profiles: readonly string[]): Promise<string[]> {
  const regions = profiles.map(async (name) => {
    try {
      return aws.regionOf(await aws.profiles.load(name))
    } catch (error) {
      if (hasCode(error, 'PROFILE_NOT_FOUND', 'PROFILE_INVALID')) return undefined
      throw error
    }
  })
  return (await Promise.all(regions)).filter((region) => region !== undefined)
}
