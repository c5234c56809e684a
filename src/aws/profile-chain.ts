import { SentinelError } from '../errors.ts'
import { type AWSConfig, invalid, requireProfile, type Section } from './aws-config.ts'

/** How the first credentials of a chain are had. */
export type SourceKind =
  | 'keys'
  | 'environment'
  | 'container'
  | 'instance'
  | 'web-identity'
  | 'process'
  | 'sso'
  | 'login'
  | 'none'

/** A profile by its name, with its keys. */
export interface Link {
  readonly name: string
  readonly section: Section
}

/** How a profile's credentials come about. */
export interface Chain {
  /** Profiles whose roles are assumed, the outermost (the one asked for) first. */
  readonly roles: readonly Link[]
  /** The profile that has credentials of its own, and of which kind. */
  readonly source: Link & { readonly kind: SourceKind }
}

const CREDENTIAL_SOURCES: ReadonlyMap<string, SourceKind> = new Map([
  ['Environment', 'environment'],
  ['EcsContainer', 'container'],
  ['Ec2InstanceMetadata', 'instance'],
])

const ROLE_DURATIONS = { least: 900, most: 43_200 }

const ROLE_ARN = /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/

/** Reads `duration_seconds`. Throws `PROFILE_INVALID` unless STS could accept it. */
export function durationOf({ name, section }: Link): number | undefined {
  const text = section.duration_seconds
  if (text === undefined) return undefined
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (seconds >= ROLE_DURATIONS.least && seconds <= ROLE_DURATIONS.most) return seconds
  throw invalid(name, 'has a duration_seconds out of range', 'write a number from 900 to 43200')
}

/**
 * Follows a profile to its source in the order in which the SDK does. The SDK tells its failures
 * apart by their text alone; here each is a `PROFILE_INVALID` that names profile and key. Where
 * AWS's SDKs would take different ways, none is taken.
 */
export function followChain(config: AWSConfig, name: string): Chain {
  const roles: Link[] = []
  const sources = new Set<string>()
  let link: Link = { name, section: requireProfile(config, name) }
  for (;;) {
    const kind = kindOf(link.section, roles.length > 0 ? 'source' : 'outermost')
    if (kind !== undefined) {
      if (kind === 'sso') assertSSO(config, link)
      if (kind === 'web-identity') assertRole(link)
      return { roles, source: { ...link, kind } }
    }
    assertRole(link)
    roles.push(link)
    const { source_profile, credential_source } = link.section
    if (credential_source !== undefined) {
      return { roles, source: { ...link, kind: requireCredentialSource(link) } }
    }
    link = nextLink(config, link, requireSource(link, source_profile, sources))
  }
}

/** The kind of credentials a profile has itself; `undefined` when its role is to be assumed. */
function kindOf(section: Section, position: 'outermost' | 'source'): SourceKind | undefined {
  const hasKeys = section.aws_access_key_id !== undefined && section.aws_secret_access_key
  // A profile may name itself as its source: then its keys count, and its role no more.
  if (hasKeys && position === 'source') return 'keys'
  if (section.role_arn !== undefined) return isWebIdentity(section) ? 'web-identity' : undefined
  if (hasKeys) return 'keys'
  if (position === 'source' && section.credential_source !== undefined) {
    return CREDENTIAL_SOURCES.get(section.credential_source) ?? 'none'
  }
  if (section.credential_process !== undefined) return 'process'
  if (Object.keys(section).some((key) => SSO_KEYS.has(key))) return 'sso'
  return section.login_session === undefined ? 'none' : 'login'
}

const SSO_KEYS: ReadonlySet<string> = new Set([
  'sso_account_id',
  'sso_region',
  'sso_role_name',
  'sso_session',
  'sso_start_url',
])

function isWebIdentity(section: Section): boolean {
  const { web_identity_token_file, source_profile, credential_source } = section
  return web_identity_token_file !== undefined && !source_profile && !credential_source
}

function assertRole(link: Link): void {
  const { name, section } = link
  durationOf(link)
  if (!ROLE_ARN.test(section.role_arn ?? '')) {
    throw invalid(name, 'has a role_arn that is no ARN of a role', 'correct role_arn')
  }
  const ways = ['source_profile', 'credential_source', 'web_identity_token_file'].filter(
    (key) => section[key] !== undefined,
  )
  if (ways.length === 1) return
  if (ways.length > 1) {
    const what = `has ${ways.join(' and ')}: SDKs differ in which they take`
    throw invalid(name, what, 'keep one of them')
  }
  throw invalid(
    name,
    'has a role_arn and nothing to assume it with',
    'add source_profile with the profile whose credentials may assume the role',
  )
}

function requireCredentialSource({ name, section }: Link): SourceKind {
  const kind = CREDENTIAL_SOURCES.get(section.credential_source ?? '')
  if (kind !== undefined) return kind
  throw invalid(
    name,
    'has a credential_source that does not exist',
    `write one of ${[...CREDENTIAL_SOURCES.keys()].join(', ')}`,
  )
}

function requireSource(link: Link, next: string | undefined, sources: Set<string>): string {
  if (next === undefined || sources.has(next)) {
    const ring = [...sources].map((name) => JSON.stringify(name)).join(', ')
    throw invalid(link.name, `is part of a ring of source_profile: ${ring}`, 'break the ring')
  }
  sources.add(next)
  return next
}

function nextLink(config: AWSConfig, { name }: Link, next: string): Link {
  try {
    return { name: next, section: requireProfile(config, next) }
  } catch (error) {
    if (!(error instanceof SentinelError) || error.code !== 'PROFILE_NOT_FOUND') throw error
    const what = `has a source_profile that does not exist: ${JSON.stringify(next)}`
    throw invalid(name, what, error.hint ?? 'correct source_profile')
  }
}

function assertSSO({ ssoSessions }: AWSConfig, { name, section }: Link): void {
  const named = section.sso_session
  const session = named === undefined ? section : ssoSessions.get(named)
  if (session === undefined) {
    throw invalid(name, `has an sso_session that does not exist`, `add [sso-session ${named}]`)
  }
  const complete = { ...section, ...session }
  const missing = ['sso_start_url', 'sso_region', 'sso_account_id', 'sso_role_name'].find(
    (key) => !complete[key],
  )
  if (missing !== undefined) throw invalid(name, `lacks ${missing}`, 'run aws configure sso')
}
