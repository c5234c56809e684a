import type { Deps } from '../deps.ts'
import { SentinelError } from '../errors.ts'

/** The profile a command is about: argument, `--profile`, or the setting. Throws `USAGE`. */
export function chooseProfile(
  argument: string | undefined,
  flag: string | undefined,
  { settings }: Pick<Deps, 'settings'>,
): string {
  if (argument !== undefined && flag !== undefined && argument !== flag) {
    throw new SentinelError('USAGE', `two profiles are given: ${argument} and ${flag}`, {
      hint: 'name one',
    })
  }
  const chosen = argument ?? flag ?? settings.find('profile')?.value
  if (chosen !== undefined) return chosen
  throw new SentinelError('USAGE', 'no profile is given', {
    hint: 'name one of your AWS config, or set `profile` in the settings file',
  })
}
