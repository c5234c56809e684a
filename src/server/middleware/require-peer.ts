import { SentinelError } from '../../errors.ts'
import type { Middleware } from '../handler.ts'
import type { Peer } from '../peer-owner.ts'

/**
 * Refuses connections of other users, even with the token. Stands behind `requireToken`: looking a
 * connection up costs milliseconds, which nobody without the token may cause.
 */
export function requirePeer(): Middleware {
  return (next) =>
    async function requirePeer(request) {
      assertAdmitted(await request.peer())
      return next(request)
    }
}

/** Throws `UNAUTHORIZED` for another user's connection. */
export function assertAdmitted(peer: Peer): asserts peer is Exclude<Peer, 'other'> {
  if (peer !== 'other') return
  throw new SentinelError('UNAUTHORIZED', 'the connection belongs to another user')
}
