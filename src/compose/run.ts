import { Run } from '../app/run.ts'
import type { RunSelection } from '../deps.ts'
import type { ResolveOptions } from '../ports/profiles.ts'
import { anchorPlace, quietly } from './anchors.ts'
import { type AWS, openAWS } from './aws.ts'
import { accountGuard } from './callers.ts'
import { configuredGrantPlaces, grantSource, grantStores } from './grant-stores.ts'
import { openLog } from './log.ts'
import { policyLocation, policySourceOpener } from './policy.ts'
import { newId, newSessionId, sha256 } from './randomness.ts'
import { configuredPlace, origin, sessionStores } from './sessions.ts'
import { type CredentialsOf, keepCredentials } from './signer.ts'
import type { StoreSigner } from './store-opener.ts'
import type { World } from './world.ts'

/** Opens a run of an issuing command. */
export async function openRun(world: World, selection: RunSelection): Promise<Run> {
  const { settings, notices, clock, globals, host } = world
  const { flags, mode } = selection
  const location = policyLocation(settings, flags)
  const prompts = globals['no-interaction'] ? 'never' : selection.prompts
  const configured = configuredPlace(settings, flags)
  const grantPlaces = configuredGrantPlaces(world, flags)
  const aws = await openAWS(world, { 'no-session': flags['no-session'] })
  const profile = await aws.profiles.load(selection.profile)
  const signer = await openStoreSigner(world, aws, prompts)
  const { parsePolicy } = await import('../documents/policy.ts')
  const log = await openLog(world, flags)
  const durationKey = mode === 'server' ? 'serverDuration' : 'duration'
  const signerOf = (base: CredentialsOf): StoreSigner =>
    signer
      ? { ...signer, assertOwnAccount: accountGuard(aws, signer, { profile, credentials: base }) }
      : { profile, credentials: base }
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
      openSessionStores: (base) => {
        return sessionStores(world, aws, { configured, ...signerOf(base) })
      },
      openGrants: (base, policy) => {
        const stores = grantStores(world, aws, { configured: grantPlaces, ...signerOf(base) })
        return grantSource(world, stores, policy)
      },
      openAnchors: (base) => {
        const signing = signer ? quietly(signer) : { profile, credentials: base }
        return anchorPlace(world, aws, { flags, signerOf: () => signing })
      },
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
async function openStoreSigner(
  world: World,
  aws: AWS,
  prompts: RunSelection['prompts'],
): Promise<StoreSigner | undefined> {
  const flag = { name: 'aws-profile', text: world.globals['aws-profile'] }
  const name = world.settings.find('awsProfile', flag)?.value
  if (name === undefined) return undefined
  const resolve = (options: ResolveOptions) => aws.credentialsOf(name, options)
  const credentials = keepCredentials(world, prompts, resolve)
  return { profile: await aws.profiles.load(name), credentials }
}
