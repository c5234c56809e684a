import { suite } from 'node:test'
import { testConcurrency } from './session-concurrency.conformance.ts'
import { testDirectory } from './session-directory.conformance.ts'
import { testList } from './session-list.conformance.ts'
import { testLocks } from './session-locks.conformance.ts'
import { testRecords } from './session-records.conformance.ts'
import type { OpenStoreUnderTest } from './store-under-test.ts'

/** The contract of `SessionStore`, run once for every backend that claims to keep it. */
export function testSessionStore(backend: string, open: OpenStoreUnderTest): void {
  suite(`SessionStore: ${backend}`, () => {
    testRecords(open)
    testDirectory(open)
    testList(open)
    testLocks(open)
    testConcurrency(open)
  })
}
