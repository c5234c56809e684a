import { join, resolve } from 'node:path'
import { parseStoreLocation } from '../domain/store-location.ts'
import type { Instant } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Profile } from '../ports/profiles.ts'
import type { AWS } from './aws.ts'
import { openDynamoDB } from './dynamodb.ts'
import { stateDirectory } from './settings.ts'
import type { CredentialsOf } from './signer.ts'
import type { World } from './world.ts'

/** Who asks a store in the cloud. */
export interface StoreSigner {
  /** Whose settings and region hold for the calls: see `openDynamoDB`. */
  readonly profile: Pick<Profile, 'name' | 'region' | 'roleArn'>
  readonly credentials: CredentialsOf
  /**
   * Where others than the caller sign: rejects unless they are of the caller's account. Then a
   * table of theirs is not to pass for one that the policy names without an account.
   */
  readonly assertOwnAccount?: () => Promise<void>
}

type DynamoDBAccess = Pick<ReturnType<typeof openDynamoDB>, 'client'> & {
  readonly table: string
  readonly location: string
  readonly now: () => Instant
}

/** How each kind of a store is opened; its code, and its database's, is loaded then. */
interface Kinds<Store> {
  memory(): Promise<Store>
  sqlite(path: string): Promise<Store>
  dynamodb(access: DynamoDBAccess): Promise<Store>
}

/** Opens stores by where they are. */
export function storeOpener(world: World, aws: AWS, signer: StoreSigner) {
  const inFull = (location: string): string => {
    const parsed = parseStoreLocation(location)
    switch (parsed?.kind) {
      case 'memory':
        return location
      case 'local':
        return `sqlite:${join(stateDirectory(world.env), 'sentinel.db')}`
      case 'sqlite':
        return `sqlite:${resolve(parsed.path)}`
      case 'dynamodb': {
        const { arn, region, table } = parsed
        return arn ?? `dynamodb:${region ?? aws.regionOf(signer.profile)}:${table}`
      }
      case undefined:
        throw new SentinelError('CONFIG_INVALID', `not a place for a store: "${location}"`)
    }
  }
  return {
    /** A location in full. */
    resolve: inFull,
    async claim(location: string): Promise<void> {
      const parsed = parseStoreLocation(inFull(location))
      if (parsed?.kind === 'dynamodb' && parsed.arn === undefined) await signer.assertOwnAccount?.()
    },
    async open<Store>(given: string, kinds: Kinds<Store>): Promise<Store> {
      const location = inFull(given)
      const parsed = parseStoreLocation(location)
      if (parsed?.kind === 'sqlite') return kinds.sqlite(parsed.path)
      if (parsed?.kind !== 'dynamodb') return kinds.memory()
      const { client } = openDynamoDB(world, aws, { ...signer, region: parsed.region })
      const now = () => world.clock.aws()
      return kinds.dynamodb({ client, table: parsed.arn ?? parsed.table, location, now })
    },
  }
}
