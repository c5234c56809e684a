import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { shipBeside } from '../app/ship-beside.ts'
import { type ShipLogDeps, shipLog } from '../app/ship-log.ts'
import type { ShipFlags, ShippedLog } from '../audit-deps.ts'
import { Secret } from '../domain/secret.ts'
import { parseShipTarget, type ShipTarget, shownTarget } from '../domain/ship-target.ts'
import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { LogReceiver } from '../ports/log-receiver.ts'
import { openAWS } from './aws.ts'
import { lazily } from './lazily.ts'
import { openSigner } from './signer.ts'
import { uid, type World } from './world.ts'

/** A batch is half a megabyte: longer than anything else takes that is posted. */
const POST_TIMEOUT = 20 * SECOND

const SETTLING_PAUSE = SECOND / 2

/** The log that a flag or a setting names, and where a setting ships it to. */
export interface Shipment {
  readonly path: string
  readonly target: ShipTarget
  /** The target in full, which may hold a secret. */
  readonly text: string
  /** What may be shown of it: `cloudwatch:GROUP/STREAM`, or a URL's host. */
  readonly receiver: string
}

/** What is to be shipped; `undefined` where no setting asks for it. */
export function findShipment({ settings }: World, flags: ShipFlags): Shipment | undefined {
  const text = settings.find('logShip')?.value
  const target = text === undefined ? undefined : parseShipTarget(text)
  if (text === undefined || !target) return undefined
  const path = settings.get('logFile', { name: 'log-file', text: flags['log-file'] }).value
  return { path: resolve(path), target, text, receiver: shownTarget(target) }
}

/**
 * Ships the log beside a run of `profile`, until disposed of; does nothing unless a setting asks
 * for it.
 */
export function shipLogBeside(world: World, flags: ShipFlags, profile: string): AsyncDisposable {
  const shipment = findShipment(world, flags)
  if (!shipment) return new AsyncDisposableStack()
  const deps = createDeps(world, shipment, profile)
  return shipBeside({ ...deps, notices: world.notices, random: Math.random })
}

/** Ships what is in the log now. Rejects with `CONFIG_INVALID` unless a setting says where to. */
export async function shipWholeLog(
  world: World,
  flags: ShipFlags,
  options: { readonly signal: AbortSignal; readonly onProgress: (lines: number) => void },
): Promise<ShippedLog> {
  const shipment = findShipment(world, flags)
  if (!shipment) {
    throw new SentinelError('CONFIG_INVALID', 'no setting says where the log is shipped to', {
      hint: 'set log_ship to cloudwatch:GROUP/STREAM or https://HOST/PATH',
    })
  }
  const pause = () => setTimeout(SETTLING_PAUSE)
  const shipped = await shipLog(createDeps(world, shipment), { ...options, pause })
  return { ...shipment, ...(shipped ?? { lines: 0, dropped: 0 }), isElsewhere: !shipped }
}

function createDeps(world: World, shipment: Shipment, profile?: string): ShipLogDeps {
  const { path, text, receiver } = shipment
  const { notices } = world
  const openReceiver = lazily(() => createReceiver(world, shipment, profile))
  return {
    async openQueue() {
      const { openShipQueue } = await import('../audit/ship-queue.ts')
      return openShipQueue({
        path,
        target: text,
        receiver,
        uid,
        host: hostname(),
        pid: process.pid,
        now: Date.now,
        onReturn: (why) => notices.warn(why),
      })
    },
    openReceiver,
  }
}

async function createReceiver(
  world: World,
  { target }: Shipment,
  about: string | undefined,
): Promise<LogReceiver> {
  const { host, settings, env } = world
  if (target.kind === 'url') {
    const [{ createPost }, { createLogPost }] = await Promise.all([
      import('../notify/post.ts'),
      import('../notify/log-post.ts'),
    ])
    const proxy = settings.find('proxy')?.value
    const post = createPost({ version: host.version, proxy, timeoutMs: POST_TIMEOUT })
    const token = env.SENTINEL_LOG_SHIP_TOKEN || undefined
    return createLogPost({ post, target, token: token ? new Secret(token) : undefined })
  }
  // Nobody is asked for anything by what goes on behind their back.
  const quiet = { ...world, globals: { ...world.globals, 'no-interaction': true } }
  const aws = await openAWS(quiet, {})
  const [{ CloudWatchReceiver }, { transport }, { profile, credentials }] = await Promise.all([
    import('../aws/cloudwatch-logs.ts'),
    aws.sdk(),
    openSigner(quiet, aws, about),
  ])
  const region = aws.regionOf(profile)
  return new CloudWatchReceiver({ target, transport, region, profile: profile.name, credentials })
}
