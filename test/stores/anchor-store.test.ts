import { MemoryAnchors } from '../fixtures/anchors.ts'
import { testAnchorStore } from './anchor-store.conformance.ts'

// That the fixture keeps the contract: other tests take it for a store.
testAnchorStore('the fixture', async () => {
  const store = new MemoryAnchors()
  return { store, peer: store }
})
