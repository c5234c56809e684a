/** Gathers values, up to `size` at a time. */
export async function* inBatches<Value>(
  values: AsyncIterable<Value>,
  size: number,
): AsyncGenerator<readonly Value[]> {
  let gathered: Value[] = []
  for await (const value of values) {
    gathered.push(value)
    if (gathered.length < size) continue
    yield gathered
    gathered = []
  }
  if (gathered.length > 0) yield gathered
}

/** Asks `source` for the next value while the last one is being looked at. */
export async function* ahead<Value>(source: AsyncGenerator<Value>): AsyncGenerator<Value> {
  let next = source.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done) return
      next = source.next()
      // It may fail when nobody waits for it any more.
      next.catch(() => {})
      yield value
    }
  } finally {
    // Not waited for: it ends with the call that is under way, which nobody wants any more.
    source.return(undefined).catch(() => {})
  }
}
