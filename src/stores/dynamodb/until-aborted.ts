/**
 * Waits for `work`, but no longer than until `signal` aborts: then rejects with its reason. The
 * SDK gives up a request that is on its way, but not the search for credentials before it.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const working = work()
  // Without a handler of its own, work that fails after it was given up would end the process.
  working.catch(() => {})
  try {
    return await Promise.race([working, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Waits, at most until `signal` aborts: then rejects with its reason. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    await untilAborted(signal, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      timer = setTimeout(resolve, milliseconds)
      await promise
    })
  } finally {
    clearTimeout(timer)
  }
}
