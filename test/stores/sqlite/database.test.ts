import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HOUR } from '../../../src/domain/time.ts'
import { SentinelError } from '../../../src/errors.ts'
import { toFault } from '../../../src/stores/sqlite/faults.ts'
import { MIGRATIONS } from '../../../src/stores/sqlite/migrations.ts'
import { openSqliteSessionStore } from '../../../src/stores/sqlite/session-store.ts'
import { AS_US, aPlace } from '../sqlite-place.ts'
import { aLock, aSession, NOW, progress, WAITING } from '../store-under-test.ts'

const REVOCATION = { at: NOW, by: 'bob', reason: 'incident' }

suite('what is in the file', () => {
  test('is left alone when it is the database of another program', async (t) => {
    const { path } = await aPlace(t)
    writeFileSync(path, '', { mode: 0o600 })
    {
      using other = new DatabaseSync(path)
      other.exec('CREATE TABLE bookmarks (url TEXT)')
    }
    const before = readFileSync(path)

    await assert.rejects(openSqliteSessionStore(path, AS_US), {
      code: 'STORE_INVALID',
      message: `${path} is the database of another program`,
    })

    assert.deepEqual(readFileSync(path), before)
  })

  test('is refused when a newer Sentinel wrote it', async (t) => {
    const { path } = await aPlace(t)
    {
      await using _ = await openSqliteSessionStore(path, AS_US)
    }
    {
      using database = new DatabaseSync(path)
      database.exec('PRAGMA user_version = 99')
    }

    await assert.rejects(openSqliteSessionStore(path, AS_US), {
      code: 'STORE_INVALID',
      message: `${path} was written by a newer Sentinel (schema 99, this one knows ${MIGRATIONS.length})`,
      hint: 'upgrade sentinel, or name another file',
    })
  })

  test('is refused when it is text, cut or damaged', async (t) => {
    const { path } = await aPlace(t)
    {
      await using store = await openSqliteSessionStore(path, AS_US)
      await store.create(aSession(), WAITING)
    }
    const whole = readFileSync(path)
    const damaged = Buffer.from(whole)
    damaged.fill(0xff, 120, 4096 * 2)
    const contents = [
      Buffer.from('# not a database\n'.repeat(100)),
      whole.subarray(0, 512),
      damaged,
    ]

    for (const [n, content] of contents.entries()) {
      writeFileSync(path, content)
      const answer = openSqliteSessionStore(path, AS_US).then((store) => store.locks(WAITING))
      const message = /^\S+ is (no SQLite database|damaged)$/
      await assert.rejects(answer, { code: 'STORE_INVALID', message }, `content ${n}`)
    }
  })

  test('is refused row by row where a row makes no sense', async (t) => {
    const { path } = await aPlace(t)
    await using store = await openSqliteSessionStore(path, AS_US)
    const { id, user, profile } = aSession()
    await store.create({ ...aSession(), id, user, profile }, WAITING)
    using database = new DatabaseSync(path)
    const edits = [
      `started_at = '2026-02-31T00:00:00.000Z'`,
      `expires_at = '2026-01-14 09:00'`,
      `request_count = 9007199254740993`,
    ]

    for (const edit of edits) {
      const before = database.prepare('SELECT * FROM sessions').get()!
      database.exec(`UPDATE sessions SET ${edit}`)
      const answer = store.look({ id, user, profile }, WAITING)
      await assert.rejects(answer, { code: 'STORE_INVALID' }, edit)
      const [column = ''] = edit.split(' ')
      database.prepare(`UPDATE sessions SET ${column} = ?`).run(before[column]!)
    }
    // A status that says other than what happened is not even taken.
    assert.throws(() => database.exec(`UPDATE sessions SET status = 'revoked'`), /CHECK/)
    assert.throws(() => database.exec(`UPDATE sessions SET log_head = x'9f86'`), /CHECK/)
    assert.equal((await store.get(id, WAITING))?.id, id)
  })

  test('is cleaned up as sessions are created, 90 days after all it is about', async (t) => {
    const { path } = await aPlace(t)
    await using store = await openSqliteSessionStore(path, AS_US)
    const later = NOW + 90 * 24 * HOUR
    const [old, young] = [aSession(), aSession({ expiresAt: NOW + 2 * HOUR })]
    for (const session of [old, young]) await store.create(session, WAITING)
    await store.lock(aLock({ kind: 'all' }, { until: NOW + 1 }), WAITING)

    await store.create(aSession({ startedAt: later + HOUR }), WAITING)

    assert.equal(await store.get(old.id, WAITING), undefined)
    assert.equal((await store.get(young.id, WAITING))?.id, young.id)
    assert.deepEqual(await store.locks(WAITING), [])
  })
})

suite('a SQLite store whose file is locked', () => {
  async function locked(t: TestContext, patienceMs: number) {
    const { path } = await aPlace(t)
    const store = await openSqliteSessionStore(path, { ...AS_US, patienceMs })
    const session = aSession()
    await store.create(session, WAITING)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    t.after(async () => {
      other.close()
      await store[Symbol.asyncDispose]()
    })
    return { store, path, id: session.id, free: () => other.exec('ROLLBACK') }
  }

  test('waits with the event loop running, and writes once it is free', async (t) => {
    const { store, id, free } = await locked(t, 60_000)
    const written = store.revoke(id, REVOCATION, WAITING)

    // Timers can only fire, and the lock only be freed, while nothing stops the loop.
    await delay(100)
    assert.equal((await store.get(id, WAITING))?.revocation, undefined)
    free()

    assert.equal((await written).outcome, 'revoked')
  })

  test('gives up after a while, in words of its own', async (t) => {
    const { store, path, id } = await locked(t, 50)

    await assert.rejects(store.touch(id, progress(1), NOW, WAITING), {
      code: 'STORE_UNAVAILABLE',
      message: `${path} is locked by another process`,
    })
  })

  test('gives up when its caller does', async (t) => {
    const { store, path, id } = await locked(t, 60_000)

    await assert.rejects(store.touch(id, progress(1), NOW, AbortSignal.timeout(30)), {
      code: 'STORE_UNAVAILABLE',
      message: `${path} did not answer in time`,
    })
  })

  test('is opened when the one that makes it is done', async (t) => {
    const { path } = await aPlace(t)
    writeFileSync(path, '', { mode: 0o600 })
    using other = new DatabaseSync(path)
    other.exec('BEGIN EXCLUSIVE')
    const opened = openSqliteSessionStore(path, AS_US)

    await delay(50)
    other.exec('ROLLBACK')

    await using store = await opened
    assert.equal(await store.create(aSession(), WAITING), 'created')
  })
})

test('a list of a SQLite store reads a page at a time, and no more than is asked for', async (t) => {
  const { path } = await aPlace(t)
  await using store = await openSqliteSessionStore(path, AS_US)
  for (let n = 0; n < 450; n += 1) await store.create(aSession({ startedAt: NOW + n }), WAITING)
  const pages: number[] = []
  const list = store.list({ which: 'all' }, WAITING, (seen) => pages.push(seen))

  let count = 0
  for await (const _ of list) {
    count += 1
    if (count <= 200) assert.deepEqual(pages, [200])
  }

  assert.deepEqual(pages, [200, 400, 450])
})

test('a SQLite store that was closed says so', async (t) => {
  const { path } = await aPlace(t)
  const store = await openSqliteSessionStore(path, AS_US)
  await store[Symbol.asyncDispose]()

  await assert.rejects(store.locks(WAITING), {
    code: 'STORE_UNAVAILABLE',
    message: `${path} was closed`,
  })
})

test('what SQLite reports is told apart: not to be had, not to be understood, a bug', () => {
  const codeOf = (errcode: number) => {
    const fault = toFault(Object.assign(new Error('SQL logic error'), { errcode }), '/x.db')
    return fault instanceof SentinelError && fault.code
  }
  const unavailable = {
    full: 13,
    readOnly: 8 | (4 << 8),
    inputOutput: 10 | (3 << 8),
    cannotOpen: 14,
  }
  const invalid = { noSuchTable: 1, damaged: 11 | (1 << 8), noDatabase: 26 }
  const bug = new TypeError('undefined is no function')

  for (const errcode of Object.values(unavailable))
    assert.equal(codeOf(errcode), 'STORE_UNAVAILABLE')
  for (const errcode of Object.values(invalid)) assert.equal(codeOf(errcode), 'STORE_INVALID')
  assert.equal(toFault(bug, '/x.db'), bug)
})
