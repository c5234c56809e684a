import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { openSqliteSessionStore } from '../../src/stores/sqlite/session-store.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** How these tests open a store: as their user. */
export const AS_US = { uid: process.geteuid?.() }

/** In memory where the machine has such a place: thousands of syncs would test its disk. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A directory for one test, that is gone after it. */
export async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(SCRATCH, 'sentinel-sqlite-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Where the test `t` may put a database, which is not there yet. */
export async function aPlace(t: TestContext): Promise<{ directory: string; path: string }> {
  const { path, ...place } = await scratch()
  t.after(() => place[Symbol.asyncDispose]())
  return { directory: path, path: join(path, 'sentinel.db') }
}

/** A new file, open twice, as two processes have it. */
export async function openPlace(): Promise<StoreUnderTest> {
  const directory = await scratch()
  const path = join(directory.path, 'private', 'sentinel.db')
  const store = await openSqliteSessionStore(path, AS_US)
  const peer = await openSqliteSessionStore(path, AS_US)
  const closePeer = peer[Symbol.asyncDispose].bind(peer)
  const behindTheirBacks = new DatabaseSync(path, { timeout: 2000 })
  const remove = behindTheirBacks.prepare('DELETE FROM sessions WHERE id = ?')
  return {
    store,
    peer: Object.assign(peer, {
      async [Symbol.asyncDispose]() {
        await closePeer()
        behindTheirBacks.close()
        await directory[Symbol.asyncDispose]()
      },
    }),
    async remove(id) {
      remove.run(id)
    },
  }
}
