import { type BaseIdentity, BaseIdentityKeeper } from '../app/base-identity.ts'
import { Run, type RunDeps } from '../app/run.ts'
import type { RunSelection } from '../deps.ts'
import type { Profile } from '../ports/profiles.ts'
import type { SessionStores } from '../ports/session-stores.ts'
import { type AWS, openAWS } from './aws.ts'
import { openLog } from './log.ts'
import { policyLocation, policySourceOpener } from './policy.ts'
import { newId, newSessionId, sha256 } from './randomness.ts'
import { configuredPlace, origin, sessionStores } from './sessions.ts'
import { keepCredentials } from './signer.ts'
import type { World } from './world.ts'

/** Opens a run of an issuing command. */
export async function openRun(world: World, selection: RunSelection): Promise<Run> {
  const { settings, notices, clock, globals, host } = world
  const { flags, mode } = selection
  const location = policyLocation(settings, flags)
  const prompts = globals['no-interaction'] ? 'never' : selection.prompts
  const configured = configuredPlace(settings, flags)
  const aws = await openAWS(world, { 'no-session': flags['no-session'] })
  const profile = await aws.profiles.load(selection.profile)
  const { parsePolicy } = await import('../documents/policy.ts')
  const log = await openLog(world, flags)
  const durationKey = mode === 'server' ? 'serverDuration' : 'duration'
  return new Run(
    {
      profiles: aws.profiles,
      tokens: aws.tokens(profile.name, aws.regionOf(profile)),
      log,
      clock,
      notices,
      openPolicySource: await policySourceOpener(world, aws, { location, profile, prompts }),
      parsePolicy,
      sha256,
      openSessionStores: await sessionStoresOpener(world, aws, { profile, prompts, configured }),
      newRequestId: newId,
      newSessionId,
      random: Math.random,
    },
    {
      profile: profile.name,
      mode,
      asked: {
        flag: selection.duration,
        setting: settings.get(durationKey).value,
      },
      mayPrompt: prompts === 'allowed',
      acceptsPolicyReset: flags['accept-policy-reset'] ?? false,
      hasSessionTags: settings.get('sessionTags').value,
      endpointOverride: globals['allow-endpoint-override'] ?? false,
      version: host.version,
      origin: origin(),
      sessionRules: {
        grace: settings.find('sessionGrace')?.value,
        outage: settings.find('sessionOutage')?.value,
        outageMax: settings.find('sessionOutageMax')?.value,
      },
    },
    profile,
  )
}

/** Stores are reached as a policy in AWS is: by `--aws-profile`, or else by the profile's base. */
async function sessionStoresOpener(
  world: World,
  aws: AWS,
  { profile, prompts, configured }: StoresOpening,
): Promise<NonNullable<RunDeps['openSessionStores']>> {
  const flag = { name: 'aws-profile', text: world.globals['aws-profile'] }
  const signer = world.settings.find('awsProfile', flag)?.value
  if (signer === undefined) {
    return (credentials) => sessionStores(world, aws, { configured, profile, credentials })
  }
  const signing = await aws.profiles.load(signer)
  const credentials = keepCredentials(world, prompts, (options) =>
    aws.credentialsOf(signer, options),
  )
  return () => sessionStores(world, aws, { configured, profile: signing, credentials })
}

interface StoresOpening {
  readonly profile: Profile
  readonly prompts: RunSelection['prompts']
  readonly configured: SessionStores['configured']
}

/** Resolves a profile's base credentials and asks STS whose they are. */
export async function identify(world: World, name: string): Promise<BaseIdentity> {
  const aws = await openAWS(world, {})
  const profile = await aws.profiles.load(name)
  const tokens = aws.tokens(profile.name, aws.regionOf(profile))
  const deps = { profiles: aws.profiles, tokens, clock: world.clock, sha256 }
  return new BaseIdentityKeeper(deps, profile).renew(!world.globals['no-interaction'])
}
