import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Session, SessionId } from '../../../src/domain/session.ts'
import { openSqliteSessionStore } from '../../../src/stores/sqlite/session-store.ts'
import { random, scaled } from '../../fixtures/random.ts'
import { AS_US, scratch } from '../sqlite-place.ts'
import { aSession, collect, progress, WAITING } from '../store-under-test.ts'

const PROGRAM = fileURLToPath(new URL('session-process.ts', import.meta.url))

suite('several processes on one database', () => {
  test('lose no update and see no lock: 8 that create, touch, end and revoke', async () => {
    await using place = await openDatabase()
    const shared = [aSession(), aSession(), aSession()]
    for (const session of shared) await place.store.create(session, WAITING)
    const ids = shared.map(({ id }) => id)
    const rounds = scaled(12)

    const processes = [...'01234567'].map((number) => start(place.path, number, rounds, ids))
    const ends = await Promise.all(processes.map(({ closed }) => closed))

    assert.deepEqual(
      ends,
      processes.map(() => ({ status: 0, signal: null, stderr: '' })),
    )
    const told = processes.flatMap(({ told }) => told())
    const sessions = await collect(place.store.list({ which: 'all' }, WAITING))
    assert.equal(sessions.length, 8 * rounds + shared.length)
    for (const session of sessions.filter(({ id }) => !ids.includes(id))) {
      const words = told.filter(({ id }) => id === session.id)
      const last = words.at(-1)!
      assert.ok(words.every(({ state }) => ['active', 'ended', 'revoked'].includes(state)))
      assert.deepEqual([session.requestCount, stateOf(session)], [last.count, last.state])
    }
    for (const id of ids) assertRevokedOnce(id, sessions, told)
  })

  test('make one database where there is none yet', async () => {
    await using directory = await scratch()
    const path = join(directory.path, 'new', 'sentinel.db')

    const processes = [...'0123'].map((number) => start(path, number, 1, []))
    const ends = await Promise.all(processes.map(({ closed }) => closed))

    assert.deepEqual(
      ends,
      processes.map(() => ({ status: 0, signal: null, stderr: '' })),
    )
    await using store = await openSqliteSessionStore(path, AS_US)
    assert.equal((await collect(store.list({ which: 'all' }, WAITING))).length, 4)
  })

  test('leave a whole database behind, killed at any moment', async () => {
    const seed = 20_260_116
    const next = random(seed)
    await using place = await openDatabase()
    const session = aSession()
    await place.store.create(session, WAITING)
    const told: Told[] = []
    for (let kill = 1; kill <= scaled(6); kill += 1) {
      const about = `seed ${seed}, kill ${kill}`
      const victim = start(place.path, String(kill), 1_000_000, [session.id])
      await victim.isUnderWay
      await delay(next() * 100)
      victim.kill()
      assert.equal((await victim.closed).signal, 'SIGKILL')
      told.push(...victim.told())

      // Opened anew by one, in use all the time by the other.
      await using store = await openSqliteSessionStore(place.path, AS_US)
      assert.equal(await place.store.touch(session.id, progress(10 ** 9), 0, WAITING), 'written')
      const sessions = await collect(store.list({ which: 'all' }, WAITING))
      const found = new Map(sessions.map((found) => [found.id, found]))
      for (const { id, count, state } of told.filter((word) => word.id !== session.id)) {
        const record = found.get(id)
        assert.ok(record && record.requestCount >= count, `${about}: ${id} ${count}`)
        assert.ok(state === 'active' || stateOf(record) === state, `${about}: ${id} ${state}`)
      }
    }
    using database = new DatabaseSync(place.path)
    const check = database.prepare('PRAGMA integrity_check').get()
    assert.deepEqual({ ...check }, { integrity_check: 'ok' })
  })
})

interface Told {
  readonly id: SessionId
  readonly count: number
  readonly state: string
}

/** All revoked it, one was the first; every touch of before is in it, and none of after. */
function assertRevokedOnce(id: SessionId, sessions: Session[], told: Told[]): void {
  const words = told.filter((word) => word.id === id)
  const winners = words.filter(({ state }) => state.startsWith('process-'))
  const written = words.filter(({ state }) => state === 'written')
  const session = sessions.find((session) => session.id === id)
  assert.equal(winners.length, 1)
  assert.equal(session?.revocation?.by, winners[0]?.state)
  assert.equal(session?.requestCount, Math.max(0, ...written.map(({ count }) => count)))
  assert.equal(words.filter(({ state }) => state === 'already-revoked').length, 7)
  const states = ['written', 'stale', 'revoked', 'already-revoked', winners[0]?.state]
  assert.ok(words.every(({ state }) => states.includes(state)))
}

function stateOf(session: Session): string {
  if (session.revocation) return 'revoked'
  return session.end ? 'ended' : 'active'
}

async function openDatabase() {
  const directory = await scratch()
  const path = join(directory.path, 'sentinel.db')
  const store = await openSqliteSessionStore(path, AS_US)
  return {
    path,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

function start(path: string, number: string, rounds: number, shared: readonly SessionId[]) {
  const args = ['--import', 'tsx', PROGRAM, path, number, String(rounds), shared.join()]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  const closed = once(child, 'close').then(([status, signal]) => ({ status, signal, stderr }))
  return {
    isUnderWay: Promise.race([once(child.stdout, 'data'), closed]),
    closed,
    kill: () => child.kill('SIGKILL'),
    told(): Told[] {
      const lines = stdout.split('\n').slice(0, -1)
      return lines.map((line) => {
        const [id = '', count, state = ''] = line.split(' ')
        return { id: id as SessionId, count: Number(count), state }
      })
    },
  }
}
