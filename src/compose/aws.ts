import { promptMFACode } from '../cli/prompt-mfa-code.ts'
import type { Credentials } from '../domain/credentials.ts'
import type { World } from './world.ts'

interface AWSSelection {
  readonly 'no-session'?: boolean | undefined
}

/** AWS as one command needs it. The SDK is loaded here, and nowhere sooner. */
export async function openAWS(world: World, selection: AWSSelection) {
  const { env, settings, clock, globals, cleanUp } = world
  const [{ AWSTransport }, { STSCaller }, { STSHops }, { STSTokenService }] = await Promise.all([
    import('../aws/client-options.ts'),
    import('../aws/sts-caller.ts'),
    import('../aws/sts-hops.ts'),
    import('../aws/sts.ts'),
  ])
  const [{ MFA }, { BaseCredentials }, { AWSProfiles }, { chooseRegion }] = await Promise.all([
    import('../aws/mfa.ts'),
    import('../aws/base-credentials.ts'),
    import('../aws/profiles.ts'),
    import('../aws/region.ts'),
  ])
  const transport = cleanUp.use(
    new AWSTransport(
      {
        version: world.host.version,
        endpoints: settings.find('endpoints')?.value,
        proxy: settings.find('proxy')?.value,
        configuredEndpoints: globals['allow-endpoint-override'] ? 'honour' : 'ignore',
      },
      clock,
    ),
  )
  const sts = new STSCaller({ transport, clock })
  const hops = new STSHops(sts)
  // `--region` is for our own calls: it wins over the profile's, the environment's does not.
  const asked = settings.find('region', { name: 'region', text: globals.region })?.value
  const fallback = env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined
  const region = asked ?? fallback
  const regionOf = (profile?: { readonly region?: string; readonly roleArn?: string }) =>
    chooseRegion({ profile: asked ?? profile?.region, fallback, roleArn: profile?.roleArn })
  const mfa = new MFA({
    clock,
    hops,
    env: process.env,
    sessionDuration: settings.get('mfaSessionDuration').value,
    ...(globals['no-interaction'] ? {} : { promptMFACode }),
  })
  const mfaSession = selection['no-session'] ? 'pass-through' : 'session'
  const baseCredentials = new BaseCredentials({ transport, hops, mfa, clock, region, mfaSession })
  const profiles = new AWSProfiles({ env: process.env, baseCredentials })

  return {
    transport,
    profiles,
    /** The region of calls on behalf of `profile`. */
    regionOf,
    tokens: (name: string, stsRegion: string) =>
      new STSTokenService(sts, { region: stsRegion, profile: name }),
    /** The credentials a profile stands for, for calls of our own: they are not stamped. */
    async credentialsOf(name: string, signal: AbortSignal): Promise<Credentials> {
      const profile = await profiles.load(name)
      const { base, role } = await profiles.resolve(name, { mayPrompt: true, signal })
      if (!role) return base
      const target = { region: regionOf(profile), profile: name }
      const hop = { roleArn: role.arn, roleSessionName: 'sentinel', externalId: role.externalId }
      return hops.assumeRole(base, { ...hop, mfa: role.mfa }, { target, signal })
    },
  }
}

export type AWS = Awaited<ReturnType<typeof openAWS>>
