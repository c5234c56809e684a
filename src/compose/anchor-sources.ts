import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { tableAnchors } from '../app/read-anchors.ts'
import { sessionHeads } from '../app/read-session-heads.ts'
import type { AnchorSource, AnchorSources } from '../app/verify-log.ts'
import type { AnchorReading, ArchiveSelection } from '../audit-deps.ts'
import { parseStoreLocation } from '../domain/store-location.ts'
import type { SessionStore } from '../ports/session-store.ts'
import { configuredAnchors, logId, openAnchors } from './anchors.ts'
import { type AWS, openAWS } from './aws.ts'
import { lazily } from './lazily.ts'
import { sessionStores } from './sessions.ts'
import { openSigner, type Signer } from './signer.ts'
import type { World } from './world.ts'

/** Where lines of a log are known besides its files. Nothing is opened, or asked, before it is. */
export async function openAnchorSources(
  world: World,
  { files = [], ...flags }: ArchiveSelection,
  { onAnchor, onSession, onGone }: AnchorReading,
): Promise<readonly (AnchorSource | AnchorSources)[]> {
  const aws = await openAWS(world, {})
  const signer = lazily(() => openSigner(world, aws))
  const open = (location: string) => openSessionsAt(world, aws, location, signer)
  const heads = sessionHeads({ open, onProgress: onSession, onGone })
  const place = configuredAnchors(world.settings)
  if (!place) return [heads]
  const isLive = files.length === 0
  const anchors = tableAnchors({
    location: place.location,
    open: async () => openAnchors(world, aws, place.location, await signer()),
    ...(isLive && { live: { host: hostname(), log: logId(world.settings, flags) } }),
    onProgress: onAnchor,
  })
  return [anchors, heads]
}

/** A store of sessions to look into; no file is made where there is none. */
async function openSessionsAt(
  world: World,
  aws: AWS,
  location: string,
  signer: () => Promise<Signer>,
): Promise<SessionStore | undefined> {
  const parsed = parseStoreLocation(location)
  if (parsed?.kind === 'sqlite' && !existsSync(parsed.path)) return undefined
  // No profile is needed for what is on this machine.
  const profile = parsed?.kind === 'dynamodb' ? (await signer()).profile : { name: 'default' }
  const credentials = async () => (await signer()).credentials()
  return sessionStores(world, aws, { configured: undefined, profile, credentials }).open(location)
}
