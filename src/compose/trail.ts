import type { OpenedTrail, TrailSelection } from '../audit-deps.ts'
import { SECOND } from '../domain/time.ts'
import { hasCode } from '../errors.ts'
import { type AWS, openAWS } from './aws.ts'
import { openSigner } from './signer.ts'
import type { World } from './world.ts'

const IDENTIFY_TIMEOUT = 10 * SECOND

/** Where STS's global endpoint is, in the partition that has one. */
const GLOBAL = { partition: 'aws', region: 'us-east-1' } as const

/** Opens the event history of the account of whoever signs calls that serve no profile. */
export async function openTrail(world: World, selection: TrailSelection): Promise<OpenedTrail> {
  const aws = await openAWS(world, {})
  const { profile, credentials } = await openSigner(world, aws)
  const home = aws.regionOf(profile)
  const tokens = aws.tokens(profile.name, home)
  const signal = AbortSignal.any([selection.signal, AbortSignal.timeout(IDENTIFY_TIMEOUT)])
  const { account, arn } = await tokens.identify(await credentials(), signal)
  const [{ CloudTrail }, { transport }] = await Promise.all([
    import('../aws/cloudtrail.ts'),
    aws.sdk(),
  ])
  const regions = selection.regions ?? [
    home,
    ...(await regionsOf(aws, selection.profiles)),
    ...(arn.split(':')[1] === GLOBAL.partition ? [GLOBAL.region] : []),
  ]
  return {
    trail: new CloudTrail({
      transport,
      clock: world.clock,
      profile: profile.name,
      credentials,
      random: Math.random,
    }),
    account,
    regions: [...new Set(regions)],
  }
}

/** Where sessions of `profiles` are asked for from here; of those that are no more, nowhere. */
async function regionsOf(aws: AWS, profiles: readonly string[]): Promise<string[]> {
  const regions = profiles.map(async (name) => {
    try {
      return aws.regionOf(await aws.profiles.load(name))
    } catch (error) {
      if (hasCode(error, 'PROFILE_NOT_FOUND', 'PROFILE_INVALID', 'CONFIG_INVALID')) return undefined
      throw error
    }
  })
  return (await Promise.all(regions)).filter((region) => region !== undefined)
}
