/**
 * Waits for `work`, but no longer than until `signal` aborts, whether or not `work` obeys that:
 * then rejects with the signal's reason, and whatever `work` comes to is dropped.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  work: Promise<Result>,
): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    // Who loses a race is still listened to: failing later, it is no unhandled rejection.
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
