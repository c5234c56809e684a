import { SentinelError } from '../errors.ts'
import { nearOnes } from '../near-miss.ts'
import type { IniSection } from './ini-scan.ts'
import { isMiswritten } from './profile-keys.ts'

/** Keys and values of one section; a nested key is written `s3.addressing_style`. */
export type Section = Readonly<Record<string, string | undefined>>

/** A section as it stands in one of the two files. */
export interface WrittenSection extends IniSection {
  readonly file: 'config' | 'credentials'
  readonly path: string
}

/** The user's AWS config files: what the SDK made of them, and what is written there. */
export interface AWSConfig {
  readonly profiles: ReadonlyMap<string, Section>
  readonly services: ReadonlyMap<string, Section>
  readonly ssoSessions: ReadonlyMap<string, Section>
  readonly written: readonly WrittenSection[]
}

const SUGGESTIONS = 3

/** Profiles that the SDK reads, in the order of the files. */
export function profileNames({ written, profiles }: AWSConfig): string[] {
  const names = written.filter(isProfile).map(({ name }) => name)
  return [...new Set(names)].filter((name) => profiles.has(name))
}

/**
 * Gives the profile `name`. Throws `PROFILE_NOT_FOUND` with the nearest names, or `PROFILE_INVALID`
 * when it is written in a way that one SDK reads and another does not, or that none does.
 */
export function requireProfile(config: AWSConfig, name: string): Section {
  const section = config.profiles.get(name)
  if (section === undefined) throw dropped(config, name) ?? notFound(config, name)
  const written = config.written.filter((other) => isProfile(other) && other.name === name)
  if (written.length === 0) {
    throw invalid(name, 'is written as only some SDKs read it', `write it as [profile ${name}]`)
  }
  for (const file of ['config', 'credentials'] as const) {
    assertOnce(
      name,
      written.filter((other) => other.file === file),
    )
  }
  return section
}

/** `PROFILE_INVALID` about one profile. */
export function invalid(name: string, what: string, hint: string): SentinelError {
  return new SentinelError('PROFILE_INVALID', `profile ${JSON.stringify(name)} ${what}`, { hint })
}

function isProfile({ file, word, name }: WrittenSection): boolean {
  if (file === 'credentials') return word === undefined
  return word === 'profile' || (word === undefined && name === 'default')
}

function assertOnce(name: string, [first, second]: readonly WrittenSection[]): void {
  if (first === undefined) return
  if (second !== undefined) {
    throw invalid(
      name,
      `is written twice, at ${at(first)} and at line ${second.line}`,
      'merge the two sections: SDKs differ in what they make of them',
    )
  }
  const lines = new Map<string, number>()
  for (const key of first.keys) {
    const lower = key.name.toLowerCase()
    if (isMiswritten(key.name)) {
      const what = `has the key ${key.name} at ${at({ ...first, ...key })}, in the wrong case`
      throw invalid(name, what, `write ${lower}`)
    }
    const before = lines.get(lower)
    if (before !== undefined) {
      const what = `has ${lower} twice, at ${at({ ...first, line: before })} and line ${key.line}`
      throw invalid(name, what, 'keep one of them: SDKs differ in which they take')
    }
    lines.set(lower, key.line)
  }
}

/** Why a profile that a person sees in the files does not exist for the SDK. */
function dropped({ written }: AWSConfig, name: string): SentinelError | undefined {
  const seen = written.find(
    (section) => section.name === name && (section.word ?? 'profile') === 'profile',
  )
  if (seen === undefined) return undefined
  const header = seen.file === 'credentials' || name === 'default' ? name : `profile ${name}`
  const what = `stands at ${at(seen)} as [${seen.header}], which the AWS SDK does not read`
  const hint = /^[\w\-@+.%:/]+$/.test(name)
    ? `write the header as [${header}], and at least one key below it`
    : 'give the profile a name without spaces and quotes'
  return invalid(name, what, hint)
}

function notFound(config: AWSConfig, name: string): SentinelError {
  const near = nearOnes(name, profileNames(config))
    .slice(0, SUGGESTIONS)
    .map((other) => JSON.stringify(other))
  const paths = new Set(config.written.map(({ path }) => path))
  const where = paths.size === 0 ? 'there are no profiles yet' : `look in ${[...paths].join(', ')}`
  return new SentinelError('PROFILE_NOT_FOUND', `there is no profile ${JSON.stringify(name)}`, {
    hint: near.length > 0 ? `name one that exists, perhaps ${near.join(' or ')}` : where,
  })
}

function at({ path, line }: { readonly path: string; readonly line: number }): string {
  return `${path}:${line}`
}
