import type { Instant } from '../domain/time.ts'
import type { ShippingHealth } from '../ports/log-health.ts'
import { tryLock } from './process-lock.ts'
import { ShipCursor } from './ship-cursor.ts'
import { listParts } from './ship-files.ts'
import { LineBatch } from './ship-lines.ts'
import { lockPath, targetHash } from './ship-queue.ts'
import { readShipState } from './ship-state.ts'

interface ShipHealthOptions {
  readonly path: string
  /** As for `openShipQueue`. */
  readonly target: string
  readonly receiver: string
  readonly uid: number | undefined
  readonly now: () => Instant
}

/** Looks how far the log at a path is shipped, and who is at it. Rejects as `openShipQueue`. */
export async function inspectShipping(options: ShipHealthOptions): Promise<ShippingHealth> {
  const { path, receiver, target, uid } = options
  const state = await readShipState(path, uid)
  const known = typeof state === 'object' ? state : undefined
  const own = known?.target === targetHash(target) ? known : undefined
  const { lines = 0, dropped = 0, lastSuccess, lastFailure, position } = own ?? {}

  await using cursor = new ShipCursor({ ...options, onReturn: () => {} }, position)
  const first = (await cursor.read(new LineBatch(1))).lines[0]
  const behind = first ? (await cursor.left()) + Buffer.byteLength(first.text) + 1 : 0
  const shipper = (await isHeld(options)) ? known?.shipper : undefined
  const before = known && !own ? known.receiver : undefined
  const oldest = first?.time
  return { receiver, lines, dropped, behind, oldest, shipper, lastSuccess, lastFailure, before }
}

/** By taking the lock for a moment: a process that wanted it just then asks again. */
async function isHeld({ path, uid }: ShipHealthOptions): Promise<boolean> {
  if ((await listParts(path)).length === 0) return false
  using lock = tryLock(lockPath(path), { uid })
  return lock === undefined
}
