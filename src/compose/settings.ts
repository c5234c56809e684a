import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { GlobalOptions } from '../cli/global-options.ts'
import { createSettingsReader } from '../cli/settings-reader.ts'
import type { SettingsReader } from '../deps.ts'
import { HOUR, MINUTE, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { type Environment, uid } from './world.ts'

/** Opens the settings: `--config`, `SENTINEL_CONFIG`, or the user's own file. */
export async function readSettings(
  { SETTINGS, parseSetting, parseSettings }: typeof import('../documents/settings.ts'),
  globals: GlobalOptions,
  env: Environment,
): Promise<SettingsReader> {
  const named = namedSettings(globals, env)
  const path = settingsPath(globals, env)
  const { readTrustedFile } = await import('../documents/trusted-file.ts')
  const text = await readTrustedFile(resolve(path), { uid, maxBytes: 64 * 1024 })
  if (text === undefined && named !== undefined) {
    throw new SentinelError('CONFIG_INVALID', `there is no settings file ${named}`, {
      hint: 'write it, or leave --config out',
    })
  }
  return createSettingsReader({
    env,
    defaults: {
      output: 'text',
      server: false,
      lazy: false,
      duration: HOUR / SECOND,
      serverDuration: (15 * MINUTE) / SECOND,
      mfaSessionDuration: (12 * HOUR) / SECOND,
      logFile: join(stateDirectory(env), 'decisions.jsonl'),
      logStderr: false,
      logMaxSize: 64 * 2 ** 20,
      logMaxAge: (30 * 24 * HOUR) / SECOND,
      sessionTags: false,
      keepAwsConfig: false,
    },
    parse: parseSetting,
    variables: new Map(
      SETTINGS.flatMap(({ key, variable }) => (variable ? [[key, variable] as const] : [])),
    ),
    ...(text === undefined ? {} : { file: { path, settings: parseSettings(text, path) } }),
  })
}

/** Where settings are read from, if they are there. */
export function settingsPath(globals: GlobalOptions, env: Environment): string {
  const directory = env.XDG_CONFIG_HOME || join(home(env), '.config')
  return namedSettings(globals, env) ?? join(directory, 'sentinel/config.yaml')
}

function namedSettings(globals: GlobalOptions, env: Environment): string | undefined {
  return globals.config ?? env.SENTINEL_CONFIG
}

/** Where what Sentinel keeps of its own is: the decision log, the embedded database. */
export function stateDirectory(env: Environment): string {
  return join(env.XDG_STATE_HOME || join(home(env), '.local', 'state'), 'sentinel')
}

/** The user's home directory. */
function home(env: Environment): string {
  return env.HOME || homedir()
}
