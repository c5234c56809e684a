import type { TrackedSession } from '../../ports/credential-endpoint.ts'
import type { Middleware } from '../handler.ts'

/**
 * Refuses requests once the session is over, and counts what was handed out. Stands behind the
 * guard: what it says is for nobody else. Nothing here waits.
 */
export function trackSession(session: TrackedSession): Middleware {
  return (next) =>
    async function trackSession(request) {
      session.assertLive()
      const reply = await next(request)
      // It may have been revoked while the credentials were made.
      session.assertLive()
      const { status, expiration } = reply
      if (status === 200 && expiration !== undefined) session.touch(expiration)
      return reply
    }
}
