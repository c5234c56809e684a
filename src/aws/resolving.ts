import { SentinelError } from '../errors.ts'

const VARIABLE = 'SENTINEL_RESOLVING'

/** Profiles that the Sentinels above this process are resolving right now. */
export function inheritedProfiles(env: NodeJS.ProcessEnv): readonly string[] {
  const value = env[VARIABLE] ?? ''
  return value === '' ? [] : value.split(',').map(decode)
}

/**
 * Runs `work` with `profile` added to the variable, so that a Sentinel started by it can tell that
 * it was asked for what it is needed for.
 */
export async function whileResolving<Result>(
  env: NodeJS.ProcessEnv,
  profile: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = env[VARIABLE]
  env[VARIABLE] = [...inheritedProfiles(env), profile].map(encode).join(',')
  try {
    return await work()
  } finally {
    if (before === undefined) delete env[VARIABLE]
    else env[VARIABLE] = before
  }
}

/**
 * The message of `PROFILE_RECURSION`, by which the outer Sentinel knows the inner one's refusal.
 */
export function recursionMessage(profile: string): string {
  return `profile ${JSON.stringify(profile)} needs Sentinel's credentials for itself`
}

/** Refuses to resolve `profile` for a process that already is resolving it. */
export function recursion(profile: string): SentinelError {
  return new SentinelError('PROFILE_RECURSION', recursionMessage(profile), {
    hint:
      `keep the role in a profile of its own: [profile ${profile}-role] with role_arn and ` +
      `source_profile, and credential_process = sentinel credentials --profile ${profile}-role ` +
      `in [profile ${profile}]`,
  })
}

// A comma joins the names, so none may hold one; a half of a surrogate pair cannot be encoded.
function encode(profile: string): string {
  return encodeURIComponent(profile.toWellFormed())
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
