import { hash } from 'node:crypto'
import { type Instant, toTimestamp } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { ShipQueue, Unshipped } from '../ports/ship-queue.ts'
import { type ProcessLock, tryLock } from './process-lock.ts'
import { ShipCursor } from './ship-cursor.ts'
import { listParts } from './ship-files.ts'
import { readShipState, type ShipState, statePath, writeShipState } from './ship-state.ts'

interface ShipQueueOptions {
  /** Of the log: the file that is written to. */
  readonly path: string
  /** Where to, in full; `receiver` is what may be shown of it. */
  readonly target: string
  readonly receiver: string
  readonly uid: number | undefined
  readonly host: string
  readonly pid: number
  /** The local clock. */
  readonly now: () => Instant
  /** Hears, in a sentence, why lines are shipped that were shipped before. */
  readonly onReturn: (text: string) => void
}

/** Opens the queue of the log at a path, as `OpenShipQueue` says. */
export async function openShipQueue(options: ShipQueueOptions): Promise<ShipQueue | undefined> {
  const { path, uid } = options
  if ((await listParts(path)).length === 0) throw noLog(path)
  using locks = new DisposableStack()
  const lock = tryLock(lockPath(path), { uid })
  if (!lock) return undefined
  locks.use(lock)
  const state = await beginWith(options)
  await writeShipState(path, state, uid)
  locks.move()
  return new FileShipQueue(options, lock, state)
}

function noLog(path: string): SentinelError {
  return new SentinelError('LOG_NOT_FOUND', `there is no decision log ${path}`, {
    hint: 'name it with --log-file, or see with `sentinel config show` where it is looked for',
  })
}

/**
 * What keeps a second process from shipping the log at `path`. If it is deleted, both ship the same
 * lines, and whichever position is left was shipped up to.
 */
export function lockPath(path: string): string {
  return `${path}.ship.lock`
}

/** How a target is told from another without being kept. */
export function targetHash(target: string): string {
  return hash('sha256', target)
}

/** What the last process left, unless it cannot be gone on from. */
async function beginWith(options: ShipQueueOptions): Promise<ShipState> {
  const { path, receiver, uid, host, pid, onReturn } = options
  const target = targetHash(options.target)
  const anew = { target, receiver, lines: 0, dropped: 0, shipper: { host, pid } }
  const state = await readShipState(path, uid)
  if (state === undefined) return anew
  if (state === 'unknown') {
    onReturn(`${statePath(path)} cannot be understood: the log is shipped from its beginning`)
    return anew
  }
  if (state.target === target) return { ...state, receiver, shipper: { host, pid } }
  onReturn(`the log went to ${state.receiver} before: all of it is shipped to ${receiver} now`)
  return anew
}

class FileShipQueue implements ShipQueue {
  readonly #options: ShipQueueOptions
  readonly #lock: ProcessLock
  readonly #cursor: ShipCursor
  #state: ShipState
  #unshipped: Unshipped | undefined
  /** Whether more was taken than the disk knows. */
  #isUnsaved = false

  constructor(options: ShipQueueOptions, lock: ProcessLock, state: ShipState) {
    const { path, uid, now, onReturn } = options
    this.#options = options
    this.#lock = lock
    this.#state = state
    this.#cursor = new ShipCursor({ path, uid, now, onReturn }, state.position)
  }

  async next(): Promise<Unshipped> {
    if (this.#isUnsaved) await this.#save()
    const unshipped = this.#unshipped ?? (await this.#cursor.read())
    if (unshipped.lines.length > 0) this.#unshipped = unshipped
    return unshipped
  }

  async taken(dropped: number): Promise<void> {
    const lines = this.#unshipped?.lines.length ?? 0
    this.#unshipped = undefined
    const { lastFailure, ...state } = this.#state
    this.#state = {
      ...state,
      position: this.#cursor.position,
      lines: state.lines + lines - dropped,
      dropped: state.dropped + dropped,
      lastSuccess: this.#timestamp(),
    }
    this.#isUnsaved = true
    await this.#save()
  }

  async failed({ code, message }: { readonly code: string; readonly message: string }) {
    this.#state = { ...this.#state, lastFailure: { at: this.#timestamp(), code, message } }
    try {
      await this.#save()
    } catch (error) {
      if (!(error instanceof SentinelError)) throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cursor[Symbol.asyncDispose]()
    this.#lock[Symbol.dispose]()
  }

  async #save(): Promise<void> {
    const { path, uid } = this.#options
    await writeShipState(path, this.#state, uid)
    this.#isUnsaved = false
  }

  #timestamp(): string {
    return toTimestamp(this.#options.now())
  }
}
