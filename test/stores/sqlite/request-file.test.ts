import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { REQUEST_LIFE } from '../../../src/domain/access-request.ts'
import { HOUR } from '../../../src/domain/time.ts'
import type { RequestStore } from '../../../src/ports/request-store.ts'
import { openSqliteBreakGlassStore } from '../../../src/stores/sqlite/break-glass-store.ts'
import { MIGRATIONS } from '../../../src/stores/sqlite/migrations.ts'
import { openSqliteRequestStore } from '../../../src/stores/sqlite/request-store.ts'
import { openSqliteSessionStore } from '../../../src/stores/sqlite/session-store.ts'
import { anEvent } from '../break-glass-under-test.ts'
import { aRequest, aReview, filed, listed, waiting } from '../request-under-test.ts'
import { AS_US, aPlace } from '../sqlite-place.ts'
import { aNotification, aSession, collect, NOW, WAITING } from '../store-under-test.ts'

const DAY = 24 * HOUR
const ACT = { at: NOW, by: 'bob', reason: 'incident' }

/** A store, and the same file behind its back. */
async function openFile(t: TestContext) {
  const { path } = await aPlace(t)
  const store = await openSqliteRequestStore(path, AS_US)
  const database = new DatabaseSync(path)
  t.after(async () => {
    database.close()
    await store[Symbol.asyncDispose]()
  })
  return { store, database, path }
}

suite('a change and its announcements are one transaction', () => {
  const request = aRequest()
  const news = () => [aNotification(), aNotification({ event: 'request.expired' })]
  const changes: Record<string, (store: RequestStore) => Promise<unknown>> = {
    create: (store) => store.create(aRequest(), news(), WAITING),
    review: (store) => store.review(aReview(request), news(), WAITING),
    cancel: (store) => store.cancel(request.id, ACT, news(), WAITING),
    revoke: (store) => store.revoke(request.id, ACT, news(), WAITING),
    settle: (store) => store.settle(request.id, news(), WAITING),
  }
  const broken = { code: 'STORE_INVALID' }

  for (const [verb, change] of Object.entries(changes)) {
    test(`${verb}: nothing is written when the last announcement cannot be`, async (t) => {
      const { store, database } = await openFile(t)
      await store.create(request, [], WAITING)
      const before = contents(database)
      database.exec(`CREATE TRIGGER full BEFORE INSERT ON outbox WHEN new.event = 'request.expired'
        BEGIN SELECT RAISE(ABORT, 'full'); END`)

      await assert.rejects(change(store), broken)

      assert.deepEqual(contents(database), before)
    })

    test(`${verb}: nothing is announced when it cannot be written`, async (t) => {
      const { store, database } = await openFile(t)
      await store.create(request, [], WAITING)
      const before = contents(database)
      for (const table of ['requests', 'request_reviews']) {
        for (const action of ['INSERT', 'UPDATE']) {
          database.exec(`CREATE TRIGGER ${table}_${action} AFTER ${action} ON ${table}
            BEGIN SELECT RAISE(ABORT, 'full'); END`)
        }
      }

      await assert.rejects(change(store), broken)

      assert.deepEqual(contents(database), before)
    })
  }
})

suite('what is in the file of requests', () => {
  test('is refused row by row where a row makes no sense', async (t) => {
    const { store, database } = await openFile(t)
    const request = aRequest()
    const notification = aNotification()
    await store.create(request, [notification], WAITING)
    await store.review(aReview(request), [], WAITING)
    const { person } = request.requester
    const read = () => store.get(request.id, WAITING)
    const list = () => listed(store, { person, which: 'all' })
    const due = () => store.due(NOW, 10, WAITING)
    const edits: [string, string, string | bigint, (typeof read | typeof list | typeof due)[]][] = [
      ['requests', 'created_at', '2026-02-31T00:00:00.000Z', [read, list]],
      ['requests', 'duration', 9_007_199_254_740_993n, [read, list]],
      ['request_reviews', 'created_at', '2026-01-14 09:00', [read, list]],
      ['outbox', 'event', 'request.forgotten', [due]],
      ['outbox', 'next_at', 'never'.padStart(9, '0'), [due]],
      ['outbox', 'fields', '{"requester":', [due]],
      ['outbox', 'fields', '["alice"]', [due]],
      ['outbox', 'fields', '{"requester":{"name":"alice"}}', [due]],
    ]

    for (const [table, column, value, reads] of edits) {
      const before = database.prepare(`SELECT ${column} FROM ${table}`).get()!
      const write = database.prepare(`UPDATE ${table} SET ${column} = ?`)
      write.run(value)
      for (const attempt of reads) {
        const about = `${table}.${column} ${value}`
        await assert.rejects(attempt(), { code: 'STORE_INVALID' }, about)
      }
      write.run(before[column]!)
    }
    assert.equal((await read())?.reviews.length, 1)
    assert.deepEqual(await waiting(store, [notification]), [notification.id])
  })

  test('is cleaned up as requests are made, a year after all they led to', async (t) => {
    const { store, database } = await openFile(t)
    const [old, young] = [aRequest(), aRequest({ createdAt: NOW + 10 * DAY })]
    for (const request of [old, young]) {
      await store.create(request, [], WAITING)
      await store.review(aReview(request, { at: request.createdAt + HOUR }), [], WAITING)
    }
    const reviews = () => database.prepare('SELECT count(*) AS n FROM request_reviews').get()?.n

    await store.create(aRequest({ createdAt: NOW + 365 * DAY }), [], WAITING)
    assert.equal((await store.get(old.id, WAITING))?.reviews.length, 1)
    const over = NOW + 365 * DAY + 2 * REQUEST_LIFE
    await store.create(aRequest({ createdAt: over + 2 * HOUR }), [], WAITING)

    assert.equal(await store.get(old.id, WAITING), undefined)
    assert.equal((await store.get(young.id, WAITING))?.reviews.length, 1)
    assert.equal(reviews(), 1)
  })

  test('is listed a page at a time, and no more than is asked for', async (t) => {
    const { store } = await openFile(t)
    for (let n = 0; n < 450; n += 1) {
      await store.create(aRequest({ createdAt: NOW + n }), [], WAITING)
    }
    const pages: number[] = []

    let count = 0
    const list = store.list({ which: 'undecided' }, WAITING, (seen) => pages.push(seen))
    for await (const _ of list) {
      count += 1
      if (count <= 200) assert.deepEqual(pages, [200])
    }

    assert.deepEqual([count, pages], [450, [200, 400, 450]])
  })
})

suite('one file', () => {
  test('holds sessions, requests and break-glass events, each with its own outbox', async (t) => {
    const { store: requests, path } = await openFile(t)
    await using sessions = await openSqliteSessionStore(path, AS_US)
    await using events = await openSqliteBreakGlassStore(path, AS_US)
    const [session, request, event] = [aSession(), aRequest(), anEvent()]
    const [asked, broken] = [aNotification(), aNotification({ event: 'break_glass.started' })]

    await sessions.create(session, WAITING)
    await requests.create(request, [asked], WAITING)
    await events.begin(event, () => {}, [broken], WAITING)

    assert.equal((await sessions.get(session.id, WAITING))?.user, session.user)
    assert.deepEqual(await requests.get(request.id, WAITING), filed(request))
    assert.deepEqual((await events.get(event.id, WAITING))?.event, event)
    const idsOf = (due: readonly { readonly id: string }[]) => due.map(({ id }) => id)
    assert.deepEqual(idsOf(await requests.due(NOW, 10, WAITING)), [asked.id])
    assert.deepEqual(idsOf(await events.due(NOW, 10, WAITING)), [broken.id])
    const [theirs] = await events.due(NOW, 10, WAITING)
    assert.equal(await requests.claim(theirs!, NOW + HOUR, WAITING), false)
    await requests.remove(broken.id, WAITING)
    assert.deepEqual(idsOf(await events.due(NOW, 10, WAITING)), [broken.id])
  })

  test('of the first version gets what is new, and keeps its sessions', async (t) => {
    const { path } = await aPlace(t)
    const session = aSession()
    {
      await using old = await openSqliteSessionStore(path, AS_US)
      await old.create(session, WAITING)
    }
    {
      // As the Sentinel before approvals left it.
      using database = new DatabaseSync(path)
      database.exec('ALTER TABLE sessions DROP COLUMN log_head')
      for (const { name, type } of schemaOf(database)) {
        const isNew = type === 'table' && !`${name}`.startsWith('session')
        if (isNew) database.exec(`DROP TABLE ${name}`)
      }
      database.exec('PRAGMA user_version = 1')
      using first = new DatabaseSync(':memory:')
      first.exec(MIGRATIONS[0]!)
      assert.deepEqual(schemaOf(database), schemaOf(first))
    }

    const request = aRequest()
    await using requests = await openSqliteRequestStore(path, AS_US)
    await requests.create(request, [], WAITING)

    await using sessions = await openSqliteSessionStore(path, AS_US)
    const found = await collect(sessions.list({ which: 'live' }, WAITING))
    assert.deepEqual(
      found.map(({ id }) => id),
      [session.id],
    )
    assert.deepEqual(await listed(requests, { which: 'undecided' }), [filed(request)])
  })

  test('is migrated once by several that open it at once, as different stores', async (t) => {
    const { path } = await aPlace(t)
    const opened = await Promise.all([
      openSqliteSessionStore(path, AS_US),
      openSqliteRequestStore(path, AS_US),
      openSqliteBreakGlassStore(path, AS_US),
      openSqliteRequestStore(path, AS_US),
    ])
    for (const store of opened) await store[Symbol.asyncDispose]()

    using database = new DatabaseSync(path)
    const { user_version } = database.prepare('PRAGMA user_version').get()!
    assert.equal(user_version, MIGRATIONS.length)
  })
})

function schemaOf(database: DatabaseSync) {
  return database
    .prepare(`SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`)
    .all()
    .filter(({ name }) => !`${name}`.startsWith('sqlite_'))
}

/** Every row about requests, and what is announced of them. */
function contents(database: DatabaseSync) {
  return ['requests', 'request_reviews', 'outbox'].map((table) =>
    database.prepare(`SELECT * FROM ${table} ORDER BY 1`).all(),
  )
}
