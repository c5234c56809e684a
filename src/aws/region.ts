/** Where each partition keeps STS for callers that name no region. */
const PARTITION_REGIONS: ReadonlyMap<string, string> = new Map([
  ['aws', 'us-east-1'],
  ['aws-cn', 'cn-north-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-iso', 'us-iso-east-1'],
  ['aws-iso-b', 'us-isob-east-1'],
  ['aws-iso-e', 'eu-isoe-west-1'],
  ['aws-iso-f', 'us-isof-south-1'],
  ['aws-eusc', 'eusc-de-east-1'],
])

interface RegionChoice {
  /** The profile's own. */
  readonly profile?: string | undefined
  /** `--region`, or the environment's. */
  readonly fallback?: string | undefined
  /** Tells the partition when nobody named a region. */
  readonly roleArn?: string | undefined
}

/**
 * Chooses the region whose STS endpoint is called: the profile's, else `fallback`, else the main
 * region of the role's partition. Never the global endpoint: it is a name for us-east-1 that only
 * hides where the call goes.
 */
export function chooseRegion({ profile, fallback, roleArn }: RegionChoice): string {
  const partition = roleArn?.split(':')[1] ?? 'aws'
  return profile ?? fallback ?? PARTITION_REGIONS.get(partition) ?? 'us-east-1'
}
