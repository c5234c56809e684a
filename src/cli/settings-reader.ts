import type { SettingsReader } from '../deps.ts'
import { SentinelError } from '../errors.ts'
import type { DefaultSettings, SettingKey, Settings } from '../ports/settings.ts'

interface SettingsSources {
  /** What holds where nothing is set. */
  readonly defaults: DefaultSettings
  /** The settings file, if there is one. */
  readonly file?: { readonly path: string; readonly settings: Settings }
  readonly env: Readonly<Record<string, string | undefined>>
  /** The variable of each setting that may be in the environment. */
  readonly variables: ReadonlyMap<SettingKey, string>
  /** Throws `CONFIG_INVALID`, naming `origin`, when `text` is not what `key` takes. */
  readonly parse: <Key extends SettingKey>(
    key: Key,
    text: string,
    origin: string,
  ) => NonNullable<Settings[Key]>
}

/** Looks a setting up where it may be: flag, environment, file, or else its default. */
export function createSettingsReader(sources: SettingsSources): SettingsReader {
  const { file, env, variables, defaults, parse } = sources

  const find: SettingsReader['find'] = (key, flag) => {
    if (flag?.text !== undefined) {
      const { text } = flag
      const origin = `--${flag.name}`
      return { value: asUsage(() => parse(key, text, origin)), origin }
    }
    const variable = variables.get(key)
    const text = variable && env[variable]
    if (variable && text) return { value: parse(key, text, variable), origin: variable }
    const written = file?.settings[key]
    if (file && written !== undefined) return { value: written, origin: file.path }
    const value = (defaults as Settings)[key]
    return value === undefined ? undefined : { value, origin: 'default' }
  }

  return {
    find,
    get(key, flag) {
      const found = find(key, flag)
      if (!found) throw new TypeError(`the setting ${key} has no default`)
      return found
    },
  }
}

/** What is wrong with a flag is wrong with the command line. */
function asUsage<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    throw new SentinelError('USAGE', error.message, { hint: error.hint })
  }
}
