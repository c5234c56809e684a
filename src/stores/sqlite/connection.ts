import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { migrate } from './migrate.ts'
import { claimPrivateFile } from './private-file.ts'

/** A row as SQLite gives it. */
export type Row = Record<string, string | number | bigint | null | Uint8Array>

type Values = Record<string, SQLInputValue>

/** What a transaction is made of. Each statement is prepared once and kept: write no values in. */
export interface Statements {
  /** How many rows were changed. */
  run(sql: string, values: Values): number
  get(sql: string, values: Values): Row | undefined
  all(sql: string, values: Values): Row[]
}

/** What a commit outlives: this process in any case, or a power failure too. */
export type Durability = 'process' | 'power failure'

/** An open database. Nothing here waits: what finds it locked throws SQLite's own error. */
export class Connection implements Statements {
  /** Tells the file that is open from another one at the same path. */
  readonly identity: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #durability: Durability | undefined

  /**
   * Opens the database at `path`, or makes it, with the schema that `migrations` lead to. Throws
   * `FILE_UNTRUSTED`, `STORE_UNAVAILABLE` where processes cannot share a file, and `STORE_INVALID`
   * when it is another program's or a newer Sentinel's.
   */
  constructor(path: string, uid: number | undefined, migrations: readonly string[]) {
    this.identity = claimPrivateFile(path, uid)
    // Without a timeout, as SQLite waits for a lock with the event loop stopped.
    this.#database = new DatabaseSync(path, {
      timeout: 0,
      enableDoubleQuotedStringLiterals: false,
    })
    try {
      migrate(this.#database, path, migrations)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Runs `work` on one state of the database. */
  read<Result>(work: (statements: Statements) => Result): Result {
    return this.#transact('BEGIN', work)
  }

  /** Runs `work` while nobody else writes; keeps all that it wrote, or nothing if it throws. */
  write<Result>(durability: Durability, work: (statements: Statements) => Result): Result {
    if (this.#durability !== durability) {
      // In WAL mode NORMAL syncs at checkpoints only; FULL at each commit too, with all before it.
      const synchronous = durability === 'process' ? 'NORMAL' : 'FULL'
      this.#database.exec(`PRAGMA synchronous = ${synchronous}`)
      this.#durability = durability
    }
    return this.#transact('BEGIN IMMEDIATE', work)
  }

  run(sql: string, values: Values): number {
    return Number(this.#prepared(sql).run(values).changes)
  }

  get(sql: string, values: Values): Row | undefined {
    return this.#prepared(sql).get(values)
  }

  all(sql: string, values: Values): Row[] {
    return this.#prepared(sql).all(values)
  }

  close(): void {
    this.#database.close()
  }

  #transact<Result>(begin: string, work: (statements: Statements) => Result): Result {
    this.run(begin, {})
    try {
      const result = work(this)
      this.run('COMMIT', {})
      return result
    } finally {
      // After a commit there is nothing left to forget.
      if (this.#database.isTransaction) this.run('ROLLBACK', {})
    }
  }

  #prepared(sql: string): StatementSync {
    return this.#statements.getOrInsertComputed(sql, () => this.#database.prepare(sql))
  }
}
