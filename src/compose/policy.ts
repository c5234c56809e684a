import { quoted } from '../cli/session-words.ts'
import type { CheckedPolicy, PolicyFlags, RunSelection, SettingsReader } from '../deps.ts'
import { MINUTE, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { PolicySource } from '../ports/policy-source.ts'
import { type AWS, openAWS } from './aws.ts'
import { sha256 } from './randomness.ts'
import { type CredentialsOf, keepCredentials } from './signer.ts'
import { uid, type World } from './world.ts'

const POLICY_FETCH_TIMEOUT = 10 * SECOND
const RESOLVE_TIMEOUT = 10 * MINUTE

export type Location = {
  readonly kind: 'file' | 'ssm'
  readonly name: string
  readonly region?: string
}

/** Where the policy is. Throws `USAGE` for two, `CONFIG_INVALID` for none. */
export function policyLocation(settings: SettingsReader, flags: PolicyFlags): Location {
  const { policy, 'policy-parameter': parameter } = flags
  if (policy !== undefined && parameter !== undefined) {
    throw new SentinelError('USAGE', '--policy and --policy-parameter are both given', {
      hint: 'name one policy',
    })
  }
  if (policy !== undefined) return { kind: 'file', name: policy }
  if (parameter !== undefined) return { kind: 'ssm', name: parameter }
  const found = settings.find('policy')?.value
  if (found?.startsWith('file:')) return { kind: 'file', name: found.slice('file:'.length) }
  const [, region, name] = /^ssm:(?:([a-z0-9-]+):(?!\/\/))?(.+)$/.exec(found ?? '') ?? []
  if (name) return { kind: 'ssm', name, ...(region ? { region } : {}) }
  throw new SentinelError(
    'CONFIG_INVALID',
    'no policy is configured, and without one nothing is issued',
    {
      hint: 'name one with --policy FILE or --policy-parameter NAME, or set `policy` in the settings',
    },
  )
}

type Prompts = RunSelection['prompts']

interface PolicySelection {
  readonly location: Location
  /** The profile that is served. */
  readonly profile: { readonly name: string; readonly region?: string; readonly roleArn?: string }
  readonly prompts: Prompts
}

/** Opens the source of a policy; `base` signs for one in SSM unless `--aws-profile` does. */
export async function policySourceOpener(
  world: World,
  aws: AWS,
  { location, profile, prompts }: PolicySelection,
): Promise<(base: CredentialsOf) => PolicySource> {
  const { globals, settings } = world
  if (location.kind === 'file') {
    const { openPolicyFile } = await import('../documents/policy-file.ts')
    return () => openPolicyFile(location.name, { uid })
  }
  const flag = { name: 'aws-profile', text: globals['aws-profile'] }
  const signer = settings.find('awsProfile', flag)?.value
  const region =
    location.region ??
    aws.regionOf(signer === undefined ? profile : await aws.profiles.load(signer))
  const { SSMPolicySource } = await import('../aws/ssm-policy.ts')
  const { transport } = await aws.sdk()
  return (base) =>
    new SSMPolicySource({
      transport,
      region,
      parameter: location.name,
      profile: signer ?? profile.name,
      credentials:
        signer === undefined
          ? base
          : keepCredentials(world, prompts, (options) => aws.credentialsOf(signer, options)),
    })
}

/** Reads and checks a policy, without deciding anything by it. */
export async function checkPolicy(
  world: World,
  flags: PolicyFlags,
  named: string | undefined,
): Promise<CheckedPolicy> {
  const location = policyLocation(world.settings, flags)
  const { checkPolicy: check } = await import('../documents/policy.ts')
  const source = await openSource(world, location, named)
  const { text, version } = await source.fetch(AbortSignal.timeout(POLICY_FETCH_TIMEOUT))
  return {
    ...check(text, source.reference),
    sha256: Buffer.from(sha256(text)).toString('hex'),
    ...(version === undefined ? {} : { version }),
  }
}

/** Leads whoever gave `flags` to all that is wrong with the same policy. */
export function validateHint(flags: PolicyFlags): string {
  const named = (['policy', 'policy-parameter'] as const).flatMap((name) => {
    const value = flags[name]
    return value === undefined ? [] : [` --${name} ${quoted(value)}`]
  })
  return `see all that is wrong with: sentinel policy validate${named.join('')}`
}

/** The source of a policy that is only to be read: a file needs no AWS at all. */
async function openSource(world: World, location: Location, named: string | undefined) {
  if (location.kind === 'file') {
    const { openPolicyFile } = await import('../documents/policy-file.ts')
    return openPolicyFile(location.name, { uid })
  }
  const aws = await openAWS(world, {})
  const name = named ?? world.globals['aws-profile'] ?? world.settings.find('profile')?.value
  const profile = await aws.profiles.load(name ?? 'default')
  const prompts = promptsOf(world)
  const open = await policySourceOpener(world, aws, { location, profile, prompts })
  const signal = AbortSignal.timeout(RESOLVE_TIMEOUT)
  return open(async () => {
    return (await aws.profiles.resolve(profile.name, { mayPrompt: prompts === 'allowed', signal }))
      .base
  })
}

/** Whether a person may be asked: not when they said so. */
function promptsOf({ globals }: World): Prompts {
  return globals['no-interaction'] ? 'never' : 'allowed'
}
