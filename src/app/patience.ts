/** How long a store may take over one call that a person waits for. */
const PATIENCE_MS = 10_000

/** A signal for one call of a store: it aborts when the call takes too long. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MS)
}

/**
 * Walks what `open` begins, and aborts its signal when neither an item nor a sign of life, a call
 * of `renew`, comes in time. How long the whole takes, and whoever takes the items, does not count.
 */
export async function* patiently<Item>(
  open: (signal: AbortSignal, renew: () => void) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const tooLong = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const renew = () => {
    clearTimeout(timer)
    timer = setTimeout(() => tooLong.abort(), PATIENCE_MS)
  }
  const items = open(tooLong.signal, renew)[Symbol.asyncIterator]()
  try {
    for (;;) {
      renew()
      const step = await items.next()
      clearTimeout(timer)
      if (step.done) return
      yield step.value
    }
  } finally {
    clearTimeout(timer)
    await items.return?.()
  }
}
