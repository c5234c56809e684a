import type { Profile } from '../ports/profiles.ts'
import { type AWSConfig, invalid, type Section } from './aws-config.ts'
import { writeChildConfig } from './child-config.ts'
import { type Chain, durationOf } from './profile-chain.ts'
import { isCredentialKey } from './profile-keys.ts'

/** What every SDK can read in a header of the config file. */
const PORTABLE_NAME = /^[\w\-@+.%:/]+$/

/** What a region may look like before it becomes part of a host name. */
const REGION = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Reads a profile out of the files. Throws `PROFILE_INVALID`. */
export function toProfile(config: AWSConfig, chain: Chain): Profile {
  const { name, section } = chain.roles[0] ?? chain.source
  const isWebIdentity = chain.roles.length === 0 && chain.source.kind === 'web-identity'
  const durationSeconds = durationOf({ name, section })
  assertPortable(name, section)
  return {
    name,
    isWebIdentity,
    ...(section.role_arn !== undefined && { roleArn: section.role_arn }),
    ...(section.region !== undefined && { region: section.region }),
    ...(durationSeconds !== undefined && { durationSeconds }),
    childConfig: writeChildConfig({ name, profile: section, ...servicesOf(config, name, section) }),
  }
}

/** The child's config is read by SDKs that differ in what they make of odd names and bytes. */
function assertPortable(name: string, section: Section): void {
  if (!PORTABLE_NAME.test(name)) {
    const what = 'has a name that not every SDK can read'
    throw invalid(name, what, 'name the profile with letters, digits and -_@+.%:/ only')
  }
  if (section.region !== undefined && !REGION.test(section.region)) {
    throw invalid(name, 'has a region that is none', 'correct region')
  }
  for (const [key, value] of Object.entries(section)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (!isCredentialKey(key) && /[\u0000-\u0008\u000a-\u001f\u007f]/.test(`${key}${value}`)) {
      throw invalid(name, 'has a control character in a value', 'write the value anew')
    }
  }
}

function servicesOf({ services }: AWSConfig, name: string, { services: named }: Section) {
  if (named === undefined) return {}
  const section = services.get(named)
  if (section !== undefined) return { services: { name: named, section } }
  throw invalid(name, 'names a services section that does not exist', `add [services ${named}]`)
}
