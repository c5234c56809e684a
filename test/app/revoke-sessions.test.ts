import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { countLive, type RevocationReport, revokeScope } from '../../src/app/revoke-sessions.ts'
import { MINUTE, SECOND } from '../../src/domain/time.ts'
import type { SessionQuery, SessionStore } from '../../src/ports/session-store.ts'
import { FakeClock } from '../fixtures/app/clock.ts'
import { NOON } from '../fixtures/policies.ts'
import { anId, aSession, aStoreOfKinds, aStoreWith, differently } from '../fixtures/sessions.ts'

const WAITING = new AbortController().signal
const operator = { by: 'carol' }
const EVERYONE = { scope: { kind: 'all' }, operator, reason: 'incident' } as const

function deps(directory: SessionStore) {
  const clock = new FakeClock()
  const log = { write: async () => {}, assertWritten: () => {} }
  return { directory, clock, log }
}

async function revokeAll(directory: SessionStore): Promise<RevocationReport[]> {
  const reports = []
  for await (const report of revokeScope(deps(directory), EVERYONE)) reports.push(report)
  return reports
}

suite('revokeScope', () => {
  test('works on several at a time, and never on more than 8', async () => {
    const many = Array.from({ length: 30 }, (_, index) => aSession({ id: anId(String(index)) }))
    const inner = await aStoreWith(...many)
    let [under, most] = [0, 0]
    const store = differently(inner, {
      async revoke(...args) {
        under += 1
        most = Math.max(most, under)
        await new Promise(setImmediate)
        under -= 1
        return await inner.revoke(...args)
      },
    })
    assert.equal((await revokeAll(store)).length, 30)
    assert.equal(most, 8)
  })

  test('reports a session once, however often it is listed', async () => {
    const fresh = aSession({ startedAt: NOON - SECOND })
    const inner = await aStoreWith(fresh)
    const before = (await inner.get(fresh.id, WAITING))!
    const store = differently(inner, {
      // An index that still has what was just revoked.
      async *list() {
        yield before
      },
    })
    const outcomes = (await revokeAll(store)).map(({ outcome }) => outcome)
    assert.deepEqual(outcomes, ['revoked'])
  })

  test('looks again for those that started too late to be listed at first', async () => {
    const inner = await aStoreWith(aSession())
    const queries: SessionQuery[] = []
    const store = differently(inner, {
      async *list(query, signal) {
        queries.push(query)
        yield* inner.list(query, signal)
        const late = aSession({ id: anId('1a7e'), startedAt: NOON })
        if (queries.length === 1) await inner.create(late, WAITING)
      },
    })
    const reports = await revokeAll(store)
    assert.deepEqual(
      reports.map(({ outcome, session }) => [outcome, session.id]),
      [
        ['revoked', anId('a11ce')],
        ['revoked', anId('1a7e')],
      ],
    )
    assert.deepEqual(queries, [{ which: 'live' }, { which: 'live', since: NOON - MINUTE }])
  })

  test('waits for the index of a shared store before it looks again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let looks = 0
    const store = differently(await aStoreWith(), {
      location: 'dynamodb:eu-central-1:sessions',
      async *list(): AsyncGenerator<never> {
        looks += 1
        yield* []
      },
    })
    const done = revokeAll(store)
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate)
    assert.equal(looks, 1)
    t.mock.timers.tick(1500)
    await done
    assert.equal(looks, 2)
  })

  test('lets a bug through, as one', async () => {
    const store = differently(await aStoreWith(aSession()), {
      revoke: () => Promise.reject(new TypeError('undefined is not a function')),
    })
    await assert.rejects(revokeAll(store), TypeError)
  })
})

suite('countLive', () => {
  test('counts what is neither ended nor revoked', async () => {
    const store = await aStoreOfKinds()
    const seen: number[] = []
    const count = (name: string) =>
      countLive(store, { kind: 'user', name }, (pages) => seen.push(pages))
    assert.equal(await count('alice'), 3)
    assert.equal(await count('bob'), 0)
    assert.deepEqual(seen, [5, 5])
  })
})
