import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { listSessions, type SessionFilter } from '../../src/app/list-sessions.ts'
import { HOUR } from '../../src/domain/time.ts'
import type { SessionQuery } from '../../src/ports/session-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { NOON } from '../fixtures/policies.ts'
import { anId, aStoredSession, aStoreOfKinds } from '../fixtures/sessions.ts'

const clock = new FakeClock()

suite('listSessions', () => {
  const queries: [filter: SessionFilter, query: SessionQuery][] = [
    [{}, { which: 'live' }],
    [{ limit: 3 }, { which: 'live' }],
    [{ status: 'active' }, { which: 'live' }],
    [
      { status: 'stale', user: 'alice' },
      { which: 'live', user: 'alice' },
    ],
    [{ status: 'expired' }, { which: 'all' }],
    [{ status: 'revoked' }, { which: 'all' }],
    [{ user: 'alice' }, { which: 'all', user: 'alice' }],
    [
      { profile: 'prod', since: NOON },
      { which: 'all', profile: 'prod', since: NOON },
    ],
  ]
  for (const [filter, query] of queries) {
    test(`asks the store for what ${JSON.stringify(filter)} needs, and no more`, async () => {
      let asked: SessionQuery | undefined
      const directory = {
        async *list(given: SessionQuery) {
          asked = given
          yield aStoredSession()
        },
      }
      await listSessions({ directory, clock }, filter).next()
      assert.deepEqual(asked, query)
    })
  }

  test('leaves out of the live ones what expired in silence', async () => {
    const directory = await aStoreOfKinds()
    const statuses = []
    for await (const { status } of listSessions({ directory, clock }, {})) statuses.push(status)
    assert.deepEqual(statuses, ['active', 'stale'])
  })

  test('holds none of 100,000, and ends the walk at the limit', async () => {
    const walk = { given: 0, isOver: false }
    const directory = {
      async *list() {
        try {
          for (; walk.given < 100_000; walk.given += 1) {
            yield aStoredSession({ id: anId(walk.given.toString(16)) })
          }
        } finally {
          walk.isOver = true
        }
      },
    }
    let taken = 0
    for await (const _ of listSessions({ directory, clock }, { limit: 1000 })) {
      assert.equal(walk.given, taken)
      taken += 1
    }
    assert.deepEqual([taken, walk.given, walk.isOver], [1000, 999, true])
  })

  test('derives the status when the session comes by, not when the walk began', async () => {
    const moving = new FakeClock()
    const directory = {
      async *list() {
        yield aStoredSession()
        yield aStoredSession()
      },
    }
    const statuses = []
    for await (const { status } of listSessions({ directory, clock: moving }, { user: 'alice' })) {
      statuses.push(status)
      moving.advance(HOUR)
    }
    assert.deepEqual(statuses, ['active', 'expired'])
  })

  test('gives up a store that shows no sign of life, however slow the reader was', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const directory = {
      async *list(_query: SessionQuery, signal: AbortSignal, onPage?: (seen: number) => void) {
        yield aStoredSession()
        for (let page = 1; page <= 3; page += 1) {
          t.mock.timers.tick(9_000)
          onPage?.(page)
        }
        assert.ok(!signal.aborted, 'pages are signs of life')
        yield aStoredSession()
        t.mock.timers.tick(10_000)
        signal.throwIfAborted()
      },
    }
    const seen: number[] = []
    const sessions = listSessions({ directory, clock }, {}, (count) => seen.push(count))
    await sessions.next()
    t.mock.timers.tick(60_000)
    await sessions.next()
    assert.deepEqual(seen, [1, 2, 3])
    await assert.rejects(sessions.next(), { name: 'AbortError' })
  })
})
