/**
 * Waits for `work`, but `ms` at most: then rejects with what `late` makes, and whatever `work` comes
 * to is dropped.
 */
export async function within<Result>(
  ms: number,
  work: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  // Given up on, it must not end the process as an unhandled rejection.
  work.catch(() => {})
  const { promise: patience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    return await Promise.race([work, patience])
  } finally {
    clearTimeout(timer)
  }
}
