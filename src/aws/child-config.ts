import type { Section } from './aws-config.ts'
import { isCredentialKey } from './profile-keys.ts'

interface ChildConfig {
  readonly name: string
  readonly profile: Section
  /** The section that the profile's `services` names. */
  readonly services?: { readonly name: string; readonly section: Section }
}

/**
 * Writes the config file a child gets for a profile: the same settings under `[default]` and under
 * the profile's own name, so that neither a bare SDK nor one told `AWS_PROFILE` loses its region or
 * FIPS, and nothing that holds or leads to credentials.
 */
export function writeChildConfig({ name, profile, services }: ChildConfig): string {
  const kept = Object.entries(profile).filter(([key]) => !isCredentialKey(key))
  const headers = name === 'default' ? ['default'] : ['default', `profile ${name}`]
  const sections = headers.map((header) => writeSection(header, kept))
  if (services !== undefined) {
    sections.push(writeSection(`services ${services.name}`, Object.entries(services.section)))
  }
  return sections.join('\n')
}

function writeSection(header: string, entries: readonly [string, string | undefined][]): string {
  const plain: string[] = []
  const nested = new Map<string, string[]>()
  for (const [key, value] of entries) {
    const dot = key.indexOf('.')
    if (dot === -1) plain.push(`${key} = ${value}`)
    else nested.getOrInsert(key.slice(0, dot), []).push(`  ${key.slice(dot + 1)} = ${value}`)
  }
  // Nested blocks last: a parser that goes by indentation alone ends them at the next section.
  const blocks = [...nested].flatMap(([key, lines]) => [`${key} =`, ...lines])
  return [`[${header}]`, ...plain, ...blocks, ''].join('\n')
}
