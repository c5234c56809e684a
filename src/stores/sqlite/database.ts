import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SentinelError } from '../../errors.ts'
import { Connection, type Durability, type Statements } from './connection.ts'
import { isBusy, toFault } from './faults.ts'
import { identify } from './private-file.ts'

export interface DatabaseOptions {
  /** Who must own the file. `undefined` where there are no owners: on Windows. */
  readonly uid: number | undefined
  /** How long to wait for other processes, in milliseconds: 5 s by default. */
  readonly patienceMs?: number
}

/** What is done in one transaction: it cannot wait for anything. */
type Work<Result> = (statements: Statements) => Result

/**
 * A database file that many processes share, and the tables of more than one store. Transactions
 * are made without a wait in between, so that none is ever held for long, and one that finds the
 * file locked is tried again while the event loop goes on. Rejects with `STORE_UNAVAILABLE`,
 * `STORE_INVALID` and `FILE_UNTRUSTED`.
 */
export class Database implements AsyncDisposable {
  readonly path: string
  readonly #migrations: readonly string[]
  readonly #uid: number | undefined
  readonly #patienceMs: number
  #connection: Connection | undefined
  #isClosed = false

  constructor(
    path: string,
    migrations: readonly string[],
    { uid, patienceMs = 5000 }: DatabaseOptions,
  ) {
    this.path = path
    this.#migrations = migrations
    this.#uid = uid
    this.#patienceMs = patienceMs
  }

  /** Sees one state of the database, whatever is written meanwhile. */
  read<Result>(signal: AbortSignal, work: Work<Result>): Promise<Result> {
    return this.#onceFree(signal, (connection) => connection.read(work))
  }

  /** Writes all that `work` does, or nothing when it throws; others write before or after it. */
  write<Result>(durability: Durability, signal: AbortSignal, work: Work<Result>): Promise<Result> {
    return this.#onceFree(signal, (connection) => connection.write(durability, work))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#disconnect()
  }

  async #onceFree<Result>(
    signal: AbortSignal,
    attempt: (connection: Connection) => Result,
  ): Promise<Result> {
    let patience: AbortSignal | undefined
    for (;;) {
      if (signal.aborted) throw this.#unavailable('did not answer in time', signal.reason)
      try {
        return attempt(this.#connect())
      } catch (error) {
        if (!isBusy(error)) throw this.#fault(error)
        patience ??= AbortSignal.timeout(this.#patienceMs)
        if (patience.aborted) throw this.#unavailable('is locked by another process', error)
      }
      // A transaction takes about a millisecond, and the sync of a slow disk some tens. Ends early
      // when a signal aborts: the next look at it says which.
      const either = AbortSignal.any([signal, patience])
      await delay(randomInt(1, 25), undefined, { signal: either }).catch(() => {})
    }
  }

  /** The connection to what stands at the path now: a file that was deleted is asked no longer. */
  #connect(): Connection {
    if (this.#isClosed) throw this.#unavailable('was closed')
    if (this.#connection && this.#connection.identity !== identify(this.path)) this.#disconnect()
    this.#connection ??= new Connection(this.path, this.#uid, this.#migrations)
    return this.#connection
  }

  #disconnect(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  /** What went wrong may stay with the connection: the next transaction gets another. */
  #fault(error: unknown): unknown {
    const fault = toFault(error, this.path)
    if (fault !== error) this.#disconnect()
    return fault
  }

  #unavailable(what: string, cause?: unknown): SentinelError {
    return new SentinelError('STORE_UNAVAILABLE', `${this.path} ${what}`, {
      hint: 'try again in a moment, and look for a stopped sentinel process if it stays so',
      cause,
    })
  }
}
