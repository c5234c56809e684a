import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { loadSsoSessionData, parseKnownFiles } from '@smithy/core/config'
import { SentinelError } from '../errors.ts'
import type { AWSConfig, Section, WrittenSection } from './aws-config.ts'
import { scanIni } from './ini-scan.ts'

const MAX_BYTES = 1024 * 1024

/** Where the user's config and credentials files are, as the SDK finds them. */
export interface ConfigPaths {
  readonly config: string
  readonly credentials: string
}

/** Finds the files by `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and the home in `env`. */
export function configPaths(env: NodeJS.ProcessEnv): ConfigPaths {
  const home = homeOf(env)
  const expand = (path: string) => (path.startsWith('~/') ? join(home, path.slice(2)) : path)
  return {
    config: expand(env.AWS_CONFIG_FILE || join(home, '.aws', 'config')),
    credentials: expand(env.AWS_SHARED_CREDENTIALS_FILE || join(home, '.aws', 'credentials')),
  }
}

/**
 * Reads both files anew, by the SDK's own parser. Throws `CONFIG_INVALID` for what that parser
 * swallows or chokes on: a file that cannot be read, a name that JavaScript keeps for itself.
 */
export async function readAWSConfig(paths: ConfigPaths): Promise<AWSConfig> {
  const written = [
    ...(await scan('config', paths.config)),
    ...(await scan('credentials', paths.credentials)),
  ]
  const init = { configFilepath: paths.config, filepath: paths.credentials, ignoreCache: true }
  const merged = Object.entries(await parseKnownFiles(init))
  // Takes no `ignoreCache`: it reads what the line above has just put into the SDK's cache, and so
  // do the providers afterwards.
  const sessions = await loadSsoSessionData({ configFilepath: paths.config })
  const isOther = (name: string) => name.startsWith('services.') || name.startsWith('sso-session.')
  return {
    profiles: new Map(merged.filter(([name]) => !isOther(name))),
    services: sectionsNamed('services.', merged),
    ssoSessions: new Map(Object.entries(sessions)),
    written,
  }
}

async function scan(file: WrittenSection['file'], path: string): Promise<WrittenSection[]> {
  const sections = scanIni(await readText(path))
  return sections.map((section) => {
    // The SDK's parser would write such a section's keys onto the objects of the language, or
    // give up on the whole file.
    if (section.name in Object.prototype || section.header in Object.prototype) {
      throw new SentinelError(
        'CONFIG_INVALID',
        `section [${section.header}] at ${path}:${section.line} cannot be read safely`,
        { hint: 'give the section another name' },
      )
    }
    return { ...section, file, path }
  })
}

/** The text of a file; a missing one is empty, as for every SDK. */
async function readText(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) throw unreadable(path, 'is a directory')
    // A pipe could be read once only, and the SDK reads again. `/dev/null` is a device.
    if (!stats.isFile() && !stats.isCharacterDevice()) throw unreadable(path, 'is no file')
    if (stats.size > MAX_BYTES) throw unreadable(path, 'is larger than 1 MiB')
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof SentinelError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    throw unreadable(path, `cannot be read (${code})`, error)
  }
}

function unreadable(path: string, why: string, cause?: unknown): SentinelError {
  return new SentinelError('CONFIG_INVALID', `the AWS config file ${path} ${why}`, {
    hint: 'correct AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE, or the rights of the file',
    cause,
  })
}

function sectionsNamed(prefix: string, sections: [string, Section][]): Map<string, Section> {
  return new Map(
    sections
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, section]) => [name.slice(prefix.length), section]),
  )
}

/** As the SDK looks for it. */
function homeOf({ HOME, USERPROFILE, HOMEPATH, HOMEDRIVE = 'C:\\' }: NodeJS.ProcessEnv): string {
  return HOME || USERPROFILE || (HOMEPATH ? `${HOMEDRIVE}${HOMEPATH}` : homedir())
}
