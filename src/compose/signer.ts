import type { Credentials } from '../domain/credentials.ts'
import { MINUTE } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Profile, ResolveOptions } from '../ports/profiles.ts'
import type { AWS } from './aws.ts'
import type { World } from './world.ts'

const RESOLVE_TIMEOUT = 10 * MINUTE
/** Credentials that end sooner sign nothing any more. */
const LEAST_LIFE = MINUTE

/**
 * Gives the credentials that sign calls of our own, unless `signal` aborts first. With `never`
 * nobody is asked for anything, though they might be.
 */
export type CredentialsOf = (signal?: AbortSignal, prompts?: 'never') => Promise<Credentials>

/**
 * What `resolve` gives, kept until it is about to end. A person is asked for a code at most once,
 * at the start: later calls happen behind the back of whoever uses the terminal.
 */
export function keepCredentials(
  { clock }: Pick<World, 'clock'>,
  prompts: 'allowed' | 'never',
  resolve: (options: ResolveOptions) => Promise<Credentials>,
): CredentialsOf {
  let mayPrompt = prompts === 'allowed'
  let kept: Credentials | undefined
  return async (signal, prompts) => {
    if (kept && (kept.expiration ?? Infinity) - clock.aws() > LEAST_LIFE) return kept
    const late = AbortSignal.timeout(RESOLVE_TIMEOUT)
    const isAsking = mayPrompt && prompts !== 'never'
    if (isAsking) mayPrompt = false
    const either = signal ? AbortSignal.any([signal, late]) : late
    kept = await resolve({ mayPrompt: isAsking, signal: either })
    return kept
  }
}

export interface Signer {
  /** Its region, FIPS and CA bundle hold for the calls. */
  readonly profile: Profile
  readonly credentials: CredentialsOf
}

/**
 * Who signs the calls of a command that serves no profile: `--aws-profile`, or else the base
 * credentials of the profile that is configured, or of `default`. Never the role that profile is
 * for: that is what the policy decides about.
 */
export async function openSigner(
  world: World,
  aws: AWS,
  /** The profile that the command is about, if it is about one. */
  about?: string,
): Promise<Signer> {
  const { globals, settings } = world
  const prompts = globals['no-interaction'] ? 'never' : 'allowed'
  const flag = { name: 'aws-profile', text: globals['aws-profile'] }
  const named = settings.find('awsProfile', flag)?.value
  const profile = await loadProfile(aws, named ?? about ?? settings.find('profile')?.value)
  const { name } = profile
  const credentials = keepCredentials(world, prompts, async (options) => {
    if (named !== undefined) return aws.credentialsOf(name, options)
    return (await aws.profiles.resolve(name, options)).base
  })
  return { profile, credentials }
}

async function loadProfile(aws: AWS, name: string | undefined): Promise<Profile> {
  if (name !== undefined) return aws.profiles.load(name)
  try {
    return await aws.profiles.load('default')
  } catch (error) {
    if (!hasCode(error, 'PROFILE_NOT_FOUND')) throw error
    const { code, message, cause } = error
    const hint = 'say with --aws-profile PROFILE whose credentials to use'
    throw new SentinelError(code, message, { hint, cause })
  }
}
