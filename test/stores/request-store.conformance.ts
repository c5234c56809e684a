import { suite } from 'node:test'
import { testOutbox } from './outbox.conformance.ts'
import { testRequestConcurrency } from './request-concurrency.conformance.ts'
import { testRequestDecisions } from './request-decisions.conformance.ts'
import { testRequestList } from './request-list.conformance.ts'
import { testRequestRecords } from './request-records.conformance.ts'
import { aRequest, type OpenRequestStoreUnderTest } from './request-under-test.ts'
import { WAITING } from './store-under-test.ts'

/** The contract of `RequestStore`, run once for every backend that claims to keep it. */
export function testRequestStore(backend: string, open: OpenRequestStoreUnderTest): void {
  suite(`RequestStore: ${backend}`, () => {
    testRequestRecords(open)
    testRequestDecisions(open)
    testRequestList(open)
    testRequestConcurrency(open)
  })
  testOutbox(`${backend}, of requests`, async () => {
    const place = await open()
    return {
      ...place,
      announce: (notifications) => place.store.create(aRequest(), notifications, WAITING),
    }
  })
}
