import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { AnchorPlace } from '../app/anchor-keeper.ts'
import type { RunFlags, SettingsReader, TableFlags } from '../deps.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import { SentinelError } from '../errors.ts'
import type { AnchorStore } from '../ports/anchor-store.ts'
import type { AWS } from './aws.ts'
import { openDynamoDB } from './dynamodb.ts'
import { lazily } from './lazily.ts'
import { digest } from './randomness.ts'
import type { StoreSigner } from './store-opener.ts'
import { locationOfTable } from './table-flag.ts'
import type { World } from './world.ts'

const LOG_ID_LENGTH = 16

/** Where anchors are kept, by flag or setting. Throws `USAGE`. */
export function configuredAnchors(
  settings: SettingsReader,
  flags: Pick<TableFlags, 'anchor-table'> = {},
): { readonly location: string; readonly origin: string } | undefined {
  const table = flags['anchor-table']
  if (table !== undefined) {
    return { location: locationOfTable('anchor-table', table), origin: '--anchor-table' }
  }
  const found = settings.find('logAnchor')
  return found && { location: found.value, origin: found.origin }
}

/** How anchors name the log of this command. */
export function logId(settings: SettingsReader, flags: Pick<RunFlags, 'log-file'>): string {
  const { value } = settings.get('logFile', { name: 'log-file', text: flags['log-file'] })
  return digest(resolve(value)).slice(0, LOG_ID_LENGTH)
}

/**
 * What anchors the log of this command; `undefined` where `log_anchor` names no table. Nothing is
 * loaded, nor `signerOf` asked, before the first anchor.
 */
export function anchorPlace(
  world: World,
  aws: AWS,
  {
    flags,
    signerOf,
  }: {
    readonly flags: Pick<RunFlags, 'log-file'>
    readonly signerOf: () => StoreSigner | Promise<StoreSigner>
  },
): AnchorPlace | undefined {
  const place = configuredAnchors(world.settings)
  if (!place) return undefined
  const open = lazily(async () => openAnchors(world, aws, place.location, await signerOf()))
  return { host: hostname(), log: logId(world.settings, flags), open }
}

/** The same signer, by whom nobody is asked for anything: anchors come behind their backs. */
export function quietly({ profile, credentials }: StoreSigner): StoreSigner {
  return { profile, credentials: (signal) => credentials(signal, 'never') }
}

/** Opens the anchors at `location`. What is in the cloud is not asked yet. */
export async function openAnchors(
  world: World,
  aws: AWS,
  location: string,
  signer: StoreSigner,
): Promise<AnchorStore> {
  const parsed = parseStoreLocation(location)
  if (parsed?.kind !== 'dynamodb') {
    throw new SentinelError('CONFIG_INVALID', `not a table for anchors: "${location}"`)
  }
  const { arn, table } = parsed
  const { client, region } = openDynamoDB(world, aws, { ...signer, region: parsed.region })
  const { DynamoDBAnchorStore } = await import('../stores/dynamodb/anchor-store.ts')
  const inFull = arn ?? `dynamodb:${region}:${table}`
  return new DynamoDBAnchorStore({ client, table: arn ?? table, location: inFull })
}
