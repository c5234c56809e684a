import type { ArchivedRecord, LogArchive, ReadOptions } from '../ports/log-archive.ts'
import { matcherOf, queryOf, type RecordFilter } from './record-filter.ts'

/** Which records of a log are wanted. */
export interface RecordSelection {
  readonly filter: RecordFilter
  /** Those that a `recovered` record took back, which were not carried out. */
  readonly annulled: 'shown' | 'hidden'
  /** At most so many, the newest. Absent: all. So many are held in memory. */
  readonly limit?: number
}

type Archive = Pick<LogArchive, 'records'>

/** The records that are wanted, in the order of the log. */
export async function* selectRecords(
  archive: Archive,
  selection: RecordSelection,
  options: ReadOptions,
): AsyncGenerator<ArchivedRecord, void, undefined> {
  const isWanted = testOf(selection)
  const newest = selection.limit === undefined ? undefined : new Newest(selection.limit)
  for await (const archived of archive.records(queryOf(selection.filter), options)) {
    if (!isWanted(archived)) continue
    if (newest) newest.add(archived)
    else yield archived
  }
  yield* newest?.take() ?? []
}

/**
 * The newest of the records that are wanted and there, and then each one as it is written, until
 * `options.signal` aborts.
 */
export async function* followRecords(
  archive: Archive,
  selection: RecordSelection & { readonly limit: number },
  options: ReadOptions,
): AsyncGenerator<ArchivedRecord, void, undefined> {
  const isWanted = testOf(selection)
  const newest = new Newest(selection.limit)
  const isDone = new AbortController()
  let tellCaughtUp = () => {}
  let isCaughtUp = false
  const follow = {
    onCaughtUp() {
      isCaughtUp = true
      tellCaughtUp()
    },
  }
  const records = archive.records(
    { ...queryOf(selection.filter), follow },
    { ...options, signal: AbortSignal.any([options.signal, isDone.signal]) },
  )
  const iterator = records[Symbol.asyncIterator]()
  /** Nobody knows when the next one comes: what is there must not wait for it. */
  const orCaughtUp = (next: Promise<IteratorResult<ArchivedRecord>>) =>
    new Promise<IteratorResult<ArchivedRecord> | undefined>((resolve, reject) => {
      tellCaughtUp = () => resolve(undefined)
      if (isCaughtUp) tellCaughtUp()
      next.then(resolve, reject)
    })
  try {
    let next = iterator.next()
    for (let result = await orCaughtUp(next); result; result = await orCaughtUp(next)) {
      if (result.done) break
      if (isWanted(result.value)) newest.add(result.value)
      next = iterator.next()
    }
    yield* newest.take()
    for (let result = await next; !result.done; result = await iterator.next()) {
      if (isWanted(result.value)) yield result.value
    }
  } finally {
    // Whoever waits for the next one goes on only then.
    isDone.abort()
    await iterator.return?.()
  }
}

function testOf({ filter, annulled }: RecordSelection): (archived: ArchivedRecord) => boolean {
  const matches = matcherOf(filter)
  return ({ record, isAnnulled }) => (annulled === 'shown' || !isAnnulled) && matches(record)
}

/** The last few of many. */
class Newest {
  readonly #most: number
  #held: ArchivedRecord[] = []
  /** Where the oldest is, once there are as many as there may be. */
  #oldest = 0

  constructor(most: number) {
    this.#most = most
  }

  add(archived: ArchivedRecord): void {
    if (this.#held.length < this.#most) {
      this.#held.push(archived)
      return
    }
    this.#held[this.#oldest] = archived
    this.#oldest = (this.#oldest + 1) % this.#most
  }

  /** Gives them up, oldest first. */
  take(): readonly ArchivedRecord[] {
    const held = [...this.#held.slice(this.#oldest), ...this.#held.slice(0, this.#oldest)]
    this.#held = []
    this.#oldest = 0
    return held
  }
}
