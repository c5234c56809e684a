/** Where STS's global endpoint is, in the one partition that has it. */
const GLOBAL = { partition: 'aws', region: 'us-east-1' } as const

interface Callers {
  /** Of whoever looks. */
  readonly home: string
  readonly partition: string
  /** Where sessions of profiles are asked for. */
  readonly profiles: readonly string[]
  /** CloudTrail is reached through a private endpoint, which is of one region: the home. */
  readonly isPrivate: boolean
}

/**
 * The regions whose events show who assumed a role, each once: a call is an event of the region
 * whose endpoint it went to. Who wants to hide may choose any other: these are a guess at where
 * honest people call.
 */
export function trailRegions({ home, partition, profiles, isPrivate }: Callers): readonly string[] {
  if (isPrivate) return [home]
  const global = partition === GLOBAL.partition ? [GLOBAL.region] : []
  return [...new Set([home, ...profiles, ...global])]
}
