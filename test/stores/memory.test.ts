import { MemorySessionStore } from '../../src/stores/memory/session-store.ts'
import { scaled } from '../fixtures/random.ts'
import { testSessionStore } from './session-store.conformance.ts'
import { modelSessionStore } from './session-store.model.ts'
import type { StoreUnderTest } from './store-under-test.ts'

async function open(): Promise<StoreUnderTest> {
  const rows = { sessions: new Map(), locks: new Map() }
  return {
    store: new MemorySessionStore(rows),
    peer: new MemorySessionStore(rows),
    async remove(id) {
      rows.sessions.delete(id)
    },
  }
}

testSessionStore('memory', open)
modelSessionStore('memory', open, { interleavings: scaled(5000) })
