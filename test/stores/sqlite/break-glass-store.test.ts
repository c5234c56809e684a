import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { HOUR } from '../../../src/domain/time.ts'
import { openSqliteBreakGlassStore } from '../../../src/stores/sqlite/break-glass-store.ts'
import { openSqliteRequestStore } from '../../../src/stores/sqlite/request-store.ts'
import { admitAll, anEvent, aReview, begun, news } from '../break-glass-under-test.ts'
import { AS_US, aPlace } from '../sqlite-place.ts'
import { collect, NOW, WAITING } from '../store-under-test.ts'

const YEAR = 365 * 24 * HOUR

suite('break-glass events in a SQLite file', () => {
  const altered: Record<string, string[]> = {
    break_glass_events: [
      `reason_code = 'fun'`,
      `started_at = 'yesterday'`,
      `closed_at = '2026-02-31T00:00:00.000Z', closed_by = 'alice'`,
      `id = 'short'`,
    ],
    break_glass_reviews: [`created_at = ''`],
  }
  for (const [table, alterations] of Object.entries(altered)) {
    for (const alteration of alterations) {
      test(`are refused, not left out, where ${table} has ${alteration}`, async (t) => {
        const { store, database } = await openIn(t)
        const event = await begun(store)
        const { invoker, profile } = event
        await store.review(aReview(event), [], WAITING)
        database.exec(`UPDATE ${table} SET ${alteration}`)

        const query = { person: invoker.person, which: 'all' } as const
        await assert.rejects(collect(store.list(query, WAITING)), { code: 'STORE_INVALID' })
        const begin = store.begin(anEvent({ invoker, profile }), admitAll, [], WAITING)
        await assert.rejects(begin, { code: 'STORE_INVALID' })
      })
    }
  }

  test('are gone a year after they ended, with their reviews', async (t) => {
    const { store, database } = await openIn(t)
    const event = await begun(store)
    await store.review(aReview(event), [], WAITING)

    await begun(store, { startedAt: NOW + YEAR })
    assert.notEqual(await store.get(event.id, WAITING), undefined)
    await begun(store, { startedAt: NOW + YEAR + 48 * HOUR })

    assert.equal(await store.get(event.id, WAITING), undefined)
    const left = database.prepare('SELECT count(*) AS count FROM break_glass_reviews').get()
    assert.equal(left?.count, 0)
  })

  test('do not announce what requests in the same file do, nor the other way round', async (t) => {
    const { store, path } = await openIn(t)
    const requests = await openSqliteRequestStore(path, AS_US)
    t.after(() => requests[Symbol.asyncDispose]())
    const announced = news()
    await store.begin(anEvent(), admitAll, [announced], WAITING)

    assert.deepEqual(await requests.due(NOW, 10, WAITING), [])
    await requests.remove(announced.id, WAITING)

    assert.equal((await store.due(NOW, 10, WAITING)).length, 1)
  })
})

/** A store in a file of its own, and the file behind its back. */
async function openIn(t: TestContext) {
  const { path } = await aPlace(t)
  const store = await openSqliteBreakGlassStore(path, AS_US)
  const database = new DatabaseSync(path, { timeout: 2000 })
  t.after(async () => {
    database.close()
    await store[Symbol.asyncDispose]()
  })
  return { path, store, database }
}
