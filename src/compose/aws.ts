import { promptMFACode } from '../cli/prompt-mfa-code.ts'
import type { Credentials } from '../domain/credentials.ts'
import type { ResolveOptions } from '../ports/profiles.ts'
import type { TokenService } from '../ports/token-service.ts'
import type { World } from './world.ts'

interface AWSSelection {
  readonly 'no-session'?: boolean | undefined
}

/**
 * AWS as one command needs it. The config files are read here; the SDK's clients are loaded when
 * something is first asked of AWS, which a policy that is not valid never comes to.
 */
export async function openAWS(world: World, selection: AWSSelection) {
  const { env, settings, globals } = world
  const [{ AWSProfiles }, { chooseRegion }] = await Promise.all([
    import('../aws/profiles.ts'),
    import('../aws/region.ts'),
  ])
  // `--region` is for our own calls: it wins over the profile's, the environment's does not.
  const asked = settings.find('region', { name: 'region', text: globals.region })?.value
  const fallback = env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined
  const regionOf = (profile?: { readonly region?: string; readonly roleArn?: string }) =>
    chooseRegion({ profile: asked ?? profile?.region, fallback, roleArn: profile?.roleArn })

  let clients: ReturnType<typeof loadClients> | undefined
  const sdk = () => {
    clients ??= loadClients(world, { region: asked ?? fallback, ...selection })
    return clients
  }
  const profiles = new AWSProfiles({
    env: process.env,
    baseCredentials: {
      resolve: async (...question) => (await sdk()).baseCredentials.resolve(...question),
    },
  })

  return {
    sdk,
    profiles,
    /** The region of calls on behalf of `profile`. */
    regionOf,
    /** STS for calls on behalf of the profile `name`, in `region`. */
    tokens(name: string, region: string): TokenService {
      const service = async () => (await sdk()).tokens({ region, profile: name })
      return {
        identify: async (...call) => (await service()).identify(...call),
        assumeRole: async (...call) => (await service()).assumeRole(...call),
        getSessionToken: async (...call) => (await service()).getSessionToken(...call),
      }
    },
    /** The credentials a profile stands for, for calls of our own: they are not stamped. */
    async credentialsOf(name: string, options: ResolveOptions): Promise<Credentials> {
      const { signal } = options
      const profile = await profiles.load(name)
      const { base, role } = await profiles.resolve(name, options)
      if (!role) return base
      const target = { region: regionOf(profile), profile: name }
      const hop = { roleArn: role.arn, roleSessionName: 'sentinel', externalId: role.externalId }
      const { hops } = await sdk()
      return hops.assumeRole(base, { ...hop, mfa: role.mfa }, { target, signal })
    },
  }
}

export type AWS = Awaited<ReturnType<typeof openAWS>>

async function loadClients(
  { settings, clock, globals, cleanUp, host }: World,
  selection: AWSSelection & { readonly region: string | undefined },
) {
  const [{ AWSTransport }, { STSCaller }, { STSHops }, { STSTokenService }] = await Promise.all([
    import('../aws/client-options.ts'),
    import('../aws/sts-caller.ts'),
    import('../aws/sts-hops.ts'),
    import('../aws/sts.ts'),
  ])
  const [{ MFA }, { BaseCredentials }] = await Promise.all([
    import('../aws/mfa.ts'),
    import('../aws/base-credentials.ts'),
  ])
  const transport = cleanUp.use(
    new AWSTransport(
      {
        version: host.version,
        endpoints: settings.find('endpoints')?.value,
        proxy: settings.find('proxy')?.value,
        configuredEndpoints: globals['allow-endpoint-override'] ? 'honour' : 'ignore',
      },
      clock,
    ),
  )
  const sts = new STSCaller({ transport, clock })
  const hops = new STSHops(sts)
  const mfa = new MFA({
    clock,
    hops,
    env: process.env,
    sessionDuration: settings.get('mfaSessionDuration').value,
    ...(globals['no-interaction'] ? {} : { promptMFACode }),
  })
  const { region } = selection
  const mfaSession = selection['no-session'] ? 'pass-through' : 'session'
  return {
    transport,
    hops,
    baseCredentials: new BaseCredentials({ transport, hops, mfa, clock, region, mfaSession }),
    tokens: (target: { readonly region: string; readonly profile: string }) =>
      new STSTokenService(sts, target),
  }
}
