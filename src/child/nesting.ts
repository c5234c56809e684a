import { SentinelError } from '../errors.ts'

/**
 * Throws `USAGE` inside a child of Sentinel, unless nesting was asked for: its own base credentials
 * would be those the outer gateway issued. A guard rail only, since a child can unset the variable.
 */
export function assertNotNested(
  env: Readonly<Record<string, string | undefined>>,
  { nested }: { readonly nested: boolean },
): void {
  const { SENTINEL_ACTIVE: id, SENTINEL_ACTIVE_PROFILE: profile } = env
  if (nested || id === undefined || id === '') return
  const served = profile === undefined ? '' : ` for profile ${profile}`
  throw new SentinelError('USAGE', `already inside sentinel ${id}${served}`, {
    hint: 'leave that shell first, or add --nested',
  })
}
