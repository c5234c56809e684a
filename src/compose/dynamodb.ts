import type { AWS } from './aws.ts'
import type { CredentialsOf } from './signer.ts'
import type { World } from './world.ts'

interface DynamoDBSelection {
  /** Where the tables are; by default where calls on behalf of `profile` go. */
  readonly region?: string | undefined
  /** The profile whose settings (region, FIPS, CA bundle) hold for the calls. */
  readonly profile: { readonly name: string; readonly region?: string; readonly roleArn?: string }
  /** Asked again when what it gave is about to end. */
  readonly credentials: CredentialsOf
}

/**
 * DynamoDB in one region. The SDK is loaded, and the client made, when it is first asked for; it
 * is closed with the world.
 */
export function openDynamoDB(world: World, aws: AWS, selection: DynamoDBSelection) {
  const { profile } = selection
  const region = selection.region ?? aws.regionOf(profile)

  const open = async () => {
    const [{ openClient }, { toIdentity }, { transport }] = await Promise.all([
      import('../stores/dynamodb/open-client.ts'),
      import('../aws/sts-caller.ts'),
      aws.sdk(),
    ])
    const options = await transport.clientOptions('dynamodb', { region, profile: profile.name })
    const client = openClient({
      ...options,
      credentials: async () => {
        const credentials = await selection.credentials()
        const { expiration } = credentials
        return {
          ...toIdentity(credentials),
          // Without it the SDK would never ask again.
          ...(expiration !== undefined && { expiration: new Date(expiration) }),
        }
      },
    })
    world.cleanUp.defer(() => client.destroy())
    return client
  }

  let opened: ReturnType<typeof open> | undefined
  return {
    region,
    client() {
      opened ??= open().catch((error: unknown) => {
        // What failed to open is opened anew next time: a CA bundle may be there then.
        opened = undefined
        throw error
      })
      return opened
    },
  }
}
