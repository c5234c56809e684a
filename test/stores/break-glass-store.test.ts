import { join } from 'node:path'
import { MemoryBreakGlassStore } from '../../src/stores/memory/break-glass-store.ts'
import { openSqliteBreakGlassStore } from '../../src/stores/sqlite/break-glass-store.ts'
import { testBreakGlassStore } from './break-glass-store.conformance.ts'
import { AS_US, scratch } from './sqlite-place.ts'

testBreakGlassStore('memory', async () => {
  const rows = { events: new Map(), reviews: [], outbox: new Map() }
  return { store: new MemoryBreakGlassStore(rows), peer: new MemoryBreakGlassStore(rows) }
})

testBreakGlassStore('sqlite', async () => {
  const directory = await scratch()
  const path = join(directory.path, 'private', 'sentinel.db')
  const store = await openSqliteBreakGlassStore(path, AS_US)
  const peer = await openSqliteBreakGlassStore(path, AS_US)
  const close = store[Symbol.asyncDispose].bind(store)
  const closeAll = async () => {
    await close()
    await directory[Symbol.asyncDispose]()
  }
  return { store: Object.assign(store, { [Symbol.asyncDispose]: closeAll }), peer }
})
