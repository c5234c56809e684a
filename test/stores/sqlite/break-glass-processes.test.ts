import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSqliteBreakGlassStore } from '../../../src/stores/sqlite/break-glass-store.ts'
import { scaled } from '../../fixtures/random.ts'
import { AS_US, scratch } from '../sqlite-place.ts'
import { collect, NOW, WAITING } from '../store-under-test.ts'

const PROGRAM = fileURLToPath(new URL('break-glass-process.ts', import.meta.url))

test('as many events begin as are admitted, by 8 processes at the same time', async () => {
  await using directory = await scratch()
  const path = join(directory.path, 'sentinel.db')
  const rounds = scaled(10)
  const processes = [...'01234567'].map((number) => start(path, number, rounds))

  await Promise.all(processes.map(({ isReady }) => isReady))
  for (const { go } of processes) go()
  const ends = await Promise.all(processes.map(({ closed }) => closed))

  assert.deepEqual(
    ends.map(({ status, stderr }) => ({ status, stderr })),
    processes.map(() => ({ status: 0, stderr: '' })),
  )
  await using store = await openSqliteBreakGlassStore(path, AS_US)
  const events = (await collect(store.list({ which: 'all' }, WAITING))).map(({ event }) => event)
  const profiles = Array.from({ length: rounds }, (_, n) => [`race-${n + 1}`, `team-${n + 1}`])
  for (const profile of profiles.flat()) {
    const admitted = profile.startsWith('race') ? 1 : 3
    assert.equal(events.filter((event) => event.profile === profile).length, admitted, profile)
  }
  // Each who was told that it began sees it there, and nobody else does; each was announced once.
  const told = ends.flatMap(({ told }) => told)
  const kept = events.map(({ profile, id }) => `${profile} ${id}`)
  assert.deepEqual(told.toSorted(), kept.toSorted())
  assert.equal((await store.due(NOW, 1_000_000, WAITING)).length, events.length)
})

function start(path: string, number: string, rounds: number) {
  const args = ['--import', 'tsx', PROGRAM, path, number, String(rounds)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const closed = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return {
    isReady: Promise.race([once(child.stdout, 'data'), closed]),
    go: () => child.stdin.end(),
    closed: closed.then(([stdout, stderr, [status]]) => ({
      status: status as number | null,
      stderr,
      told: stdout.split('\n').slice(1, -1),
    })),
  }
}
