/**
 * Servers of one machine, run as a process of its own by `processes.test.ts`:
 *
 *     session-process.ts PATH NUMBER ROUNDS SHARED,…
 *
 * Each round is a session from its creation to its end, its revocation or neither; beside it, the
 * sessions that all processes share are touched, and in the middle revoked. Every write is told on
 * stdout once it is acknowledged: `ID COUNT STATE`.
 */
import { writeSync } from 'node:fs'
import type { SessionId } from '../../../src/domain/session.ts'
import { openSqliteSessionStore } from '../../../src/stores/sqlite/session-store.ts'
import { AS_US } from '../sqlite-place.ts'
import { aSession, NOW, progress, WAITING } from '../store-under-test.ts'

const [path = '', number = '', rounds = '', shared = ''] = process.argv.slice(2)
const by = `process-${number}`
const sharedIds = shared.split(',').filter((id) => id !== '') as SessionId[]
await using store = await openSqliteSessionStore(path, AS_US)

for (let round = 1; round <= Number(rounds); round += 1) {
  if (round === Math.ceil(Number(rounds) / 2)) await revokeShared()
  await live(round)
  for (const id of sharedIds) {
    const count = round * 100 + Number(number)
    const outcome = await store.touch(id, progress(count), NOW, WAITING)
    tell(id, count, outcome)
  }
}

async function live(round: number): Promise<void> {
  const session = aSession({ user: by })
  await store.create(session, WAITING)
  tell(session.id, 0, 'active')
  for (let count = 1; count <= 5; count += 1) {
    const outcome = await store.touch(session.id, progress(count), NOW, WAITING)
    tell(session.id, count, outcome === 'written' ? 'active' : outcome)
  }
  if (round % 3 === 1) {
    const end = { at: NOW, reason: 'SIGTERM' }
    const outcome = await store.end(session.id, progress(6), end, WAITING)
    tell(session.id, 6, outcome === 'written' ? 'ended' : outcome)
  }
  if (round % 3 === 2) {
    const revocation = { at: NOW, by, reason: 'incident' }
    tell(session.id, 5, (await store.revoke(session.id, revocation, WAITING)).outcome)
  }
}

async function revokeShared(): Promise<void> {
  for (const id of sharedIds) {
    const revocation = { at: NOW, by, reason: 'incident' }
    const { outcome } = await store.revoke(id, revocation, WAITING)
    tell(id, 0, outcome === 'revoked' ? by : outcome)
  }
}

/** In one write, and at once: what a process said before it was killed is what it had done. */
function tell(id: SessionId, count: number, state: string): void {
  writeSync(1, `${id} ${count} ${state.replaceAll(' ', '-')}\n`)
}
