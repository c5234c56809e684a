import { SentinelError } from '../../errors.ts'
import { INTERNAL_ERROR, toErrorReply } from '../error-reply.ts'
import type { Middleware } from '../handler.ts'

/**
 * Turns rejections into replies that AWS SDKs can show. What is no {@link SentinelError}, or one
 * that no request can cause (status 500), is a bug: `onBug` hears of it, the client does not.
 */
export function reportErrors(onBug: (error: unknown) => void): Middleware {
  return (next) =>
    async function reportErrors(request) {
      try {
        return await next(request)
      } catch (error) {
        if (error instanceof SentinelError && error.status !== 500) return toErrorReply(error)
        onBug(error)
        return INTERNAL_ERROR
      }
    }
}
