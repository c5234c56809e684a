import { SentinelError } from '../errors.ts'

/**
 * Waits for `work`, but no longer than until `signal` aborts: then rejects with its reason, and
 * whatever `work` comes to is dropped.
 */
export async function abandonOn<Result>(
  signal: AbortSignal,
  work: Promise<Result>,
): Promise<Result> {
  // Without a handler of its own, work that fails after it was given up would end the process.
  work.catch(() => {})
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** What a call rejects with when whoever asked for it no longer wants it. */
export function interrupted(what: string): SentinelError {
  return new SentinelError('INTERRUPTED', `${what} was interrupted`)
}
