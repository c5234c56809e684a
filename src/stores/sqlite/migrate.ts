import type { DatabaseSync } from 'node:sqlite'
import { SentinelError } from '../../errors.ts'

/** `Sntl`, in the header of the file: what tells our databases from those of other programs. */
const APPLICATION_ID = 0x536e_746c

/**
 * Brings a database that was just opened to the schema that all of `migrations` make, in one
 * transaction, and to how our processes share one. Changes nothing where it throws.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  const known = migrations.length
  // Looked at before anything is changed: the file may be another program's.
  const version = transact(database, 'BEGIN', () => assertKnown(database, path, known))
  // What stands in a file is no code of ours. An fsync of Apple's is none without the second.
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA fullfsync = ON')
  shareByLog(database, path)
  if (version === known) return

  database.exec('PRAGMA synchronous = FULL')
  transact(database, 'BEGIN IMMEDIATE', () => {
    // Another process may have been first.
    const found = assertKnown(database, path, known)
    for (const migration of migrations.slice(found)) database.exec(migration)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${known}`)
  })
}

function transact<Result>(database: DatabaseSync, begin: string, work: () => Result): Result {
  database.exec(begin)
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK')
  }
}

/** The schema version of the database, which is 0 for one that is new. */
function assertKnown(database: DatabaseSync, path: string, known: number): number {
  const read = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0]
  const version = Number(read('PRAGMA user_version'))
  const application = read('PRAGMA application_id')
  const isNew =
    application === 0 && version === 0 && read('SELECT count(*) FROM sqlite_schema') === 0

  if (application !== APPLICATION_ID && !isNew) {
    throw new SentinelError('STORE_INVALID', `${path} is the database of another program`, {
      hint: 'name a file that does not exist yet',
    })
  }
  if (version <= known) return version
  throw new SentinelError(
    'STORE_INVALID',
    `${path} was written by a newer Sentinel (schema ${version}, this one knows ${known})`,
    { hint: 'upgrade sentinel, or name another file' },
  )
}

/** With a write-ahead log nobody who reads waits for one who writes. The file remembers it. */
function shareByLog(database: DatabaseSync, path: string): void {
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
  if (mode === 'wal') return
  throw new SentinelError('STORE_UNAVAILABLE', `${path} cannot be shared by processes there`, {
    hint: 'name a file on a local disk',
  })
}
