import type { Policy } from '../domain/policy/types.ts'
import { SentinelError } from '../errors.ts'
import type { SessionStores } from '../ports/session-stores.ts'

/**
 * Where sessions are tracked, in full: where the policy says, else where a flag or a setting says,
 * else nowhere. Throws `CONFIG_INVALID` when these name another place than the policy: whoever is
 * tracked does not choose where.
 */
export function chooseSessionPlace(
  { stores }: Pick<Policy, 'stores'>,
  { configured, resolve }: Pick<SessionStores, 'configured' | 'resolve'>,
): string | undefined {
  const own = configured && resolve(configured.location)
  if (stores.sessions === undefined) return own
  const place = resolve(stores.sessions)
  if (configured === undefined || own === place) return place
  throw new SentinelError(
    'CONFIG_INVALID',
    `the policy keeps sessions in ${place}, and ${configured.origin} says ${own}`,
    { hint: `leave ${configured.origin} out: the policy names the store` },
  )
}
