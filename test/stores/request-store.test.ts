import { join } from 'node:path'
import { MemoryRequestStore } from '../../src/stores/memory/request-store.ts'
import { openSqliteRequestStore } from '../../src/stores/sqlite/request-store.ts'
import { scaled } from '../fixtures/random.ts'
import { testRequestStore } from './request-store.conformance.ts'
import { modelRequestStore } from './request-store.model.ts'
import type { RequestStoreUnderTest } from './request-under-test.ts'
import { AS_US, scratch } from './sqlite-place.ts'

async function openInMemory(): Promise<RequestStoreUnderTest> {
  const rows = { requests: new Map(), reviews: new Map(), outbox: new Map() }
  return { store: new MemoryRequestStore(rows), peer: new MemoryRequestStore(rows) }
}

/** A new file, open twice, as two processes have it. */
async function openInFile(): Promise<RequestStoreUnderTest> {
  const directory = await scratch()
  const path = join(directory.path, 'sentinel.db')
  const store = await openSqliteRequestStore(path, AS_US)
  const peer = await openSqliteRequestStore(path, AS_US)
  const closePeer = peer[Symbol.asyncDispose].bind(peer)
  return {
    store,
    peer: Object.assign(peer, {
      async [Symbol.asyncDispose]() {
        await closePeer()
        await directory[Symbol.asyncDispose]()
      },
    }),
  }
}

testRequestStore('memory', openInMemory)
modelRequestStore('memory', openInMemory, { interleavings: scaled(2000) })
testRequestStore('sqlite', openInFile)
modelRequestStore('sqlite', openInFile, { interleavings: scaled(2000) })
