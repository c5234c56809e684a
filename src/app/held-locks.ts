import type { SessionLock } from '../domain/session.ts'
import type { Clock } from '../ports/clock.ts'
import type { SessionDirectory } from '../ports/session-store.ts'
import { patience } from './patience.ts'

/** The locks that hold now, newest first. */
export async function heldLocks(
  directory: Pick<SessionDirectory, 'locks'>,
  clock: Pick<Clock, 'aws'>,
): Promise<readonly SessionLock[]> {
  const locks = await directory.locks(patience())
  const now = clock.aws()
  return locks.filter(({ until }) => now < until)
}
