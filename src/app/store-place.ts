import { SentinelError } from '../errors.ts'

/** A place that a flag or a setting names, with the name of that. */
interface ConfiguredPlace {
  readonly location: string
  readonly origin: string
}

interface Places {
  readonly configured: ConfiguredPlace | undefined
  /** A location in full, so that two ways of writing one place are one. */
  readonly resolve: (location: string) => string
}

/**
 * Where a store is, in full: where the policy says, else where a flag or a setting says, else
 * nowhere. `kept` is what is in it, for messages. Throws `CONFIG_INVALID` when these name another
 * place than the policy: whoever is kept account of does not choose where.
 */
export function choosePlace(
  kept: string,
  named: string | undefined,
  { configured, resolve }: Places,
): string | undefined {
  const own = configured && resolve(configured.location)
  if (named === undefined) return own
  const place = resolve(named)
  if (configured === undefined || own === place) return place
  throw new SentinelError(
    'CONFIG_INVALID',
    `the policy keeps ${kept} in ${place}, and ${configured.origin} says ${own}`,
    { hint: `leave ${configured.origin} out: the policy names the store` },
  )
}
