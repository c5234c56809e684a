/**
 * Waits for `work`, but `ms` at most: then rejects with what `late` makes, and whatever `work`
 * comes to is dropped.
 */
export async function within<Result>(
  ms: number,
  work: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  const { promise: patience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    // Who loses a race is still listened to: failing later, it is no unhandled rejection.
    return await Promise.race([work, patience])
  } finally {
    clearTimeout(timer)
  }
}
