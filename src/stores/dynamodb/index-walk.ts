/**
 * Walks through the indexes of a table, newest first. An index holds keys only: what it leads to is
 * read by its key, strongly consistent, some at a time, and the next are on their way while these
 * are looked at.
 *
 * @module
 */
import { HOUR, type Instant, toTimestamp } from '../../domain/time.ts'
import { type Item, text } from './attributes.ts'
import { ahead, inBatches } from './batches.ts'
import { dateOf, dayPartitions } from './day-partitions.ts'
import { BATCH, type DynamoDBTable } from './table.ts'

const DAY = 24 * HOUR

/** Days that are asked for one by one, before the index is searched for those there are. */
const RECENT_DAYS = 8

/** A row of an index: where it stands in the order, and whose it is. */
export interface Entry {
  readonly id: string
  readonly at: string
}

interface WalkOptions {
  /** The sort key of all indexes. */
  readonly sort: 'started_at' | 'created_at'
  /** Nothing before is looked at. */
  readonly since?: Instant | undefined
  readonly signal: AbortSignal
}

/** Ways through the indexes of one table. They lag: a row may be late, or gone. */
export class IndexWalk {
  readonly #table: DynamoDBTable
  readonly #options: WalkOptions

  constructor(table: DynamoDBTable, options: WalkOptions) {
    this.#table = table
    this.#options = options
  }

  /** The rows that an index has under one value. */
  async *under(index: string, key: string, value: string): AsyncGenerator<Entry> {
    const { sort, since, signal } = this.#options
    const from = since === undefined ? undefined : { sort, value: toTimestamp(since) }
    for await (const page of this.#table.query({ index, key, value, from }, signal)) {
      yield* page.map((item) => ({ id: item.id?.S ?? '', at: item[sort]?.S ?? '' }))
    }
  }

  /** The rows that an index has under any of some values. */
  underAny(index: string, key: string, values: readonly string[]): AsyncGenerator<Entry> {
    return merge(values.map((value) => this.under(index, key, value)))
  }

  /** All rows that have a `day`. */
  async *byDay(now: Instant): AsyncGenerator<Entry> {
    for await (const date of this.#dates(now)) {
      yield* this.underAny('gsi-day', 'day', dayPartitions(date))
    }
  }

  /**
   * The dates to look at, the last first. From tomorrow, as the clock of whoever wrote may be
   * ahead; beyond some days those that the index has, as what runs for long, or a table without
   * clean-up, keeps days of any age.
   */
  async *#dates(now: Instant): AsyncGenerator<string> {
    const { since } = this.#options
    const tomorrow = now + DAY
    const days = Array.from({ length: RECENT_DAYS }, (_, age) => tomorrow - age * DAY)
    const first = since === undefined ? '' : dateOf(since)
    const recent = days.map(dateOf)
    yield* recent.filter((date) => date >= first)
    const oldest = recent.at(-1) ?? ''
    if (first < oldest) yield* await this.#datesBetween(first, oldest)
  }

  async #datesBetween(since: string, before: string): Promise<readonly string[]> {
    const { sort, signal } = this.#options
    // A date is a prefix of the times on it: all of them sort after it, and before the next one.
    const filter = `#${sort} >= :since AND #${sort} < :before`
    const values = { since: text(since === '' ? '0' : since), before: text(before) }
    const dates = new Set<string>()
    for await (const page of this.#table.scan({ index: 'gsi-day', filter, values }, signal)) {
      for (const { day } of page) dates.add(day?.S?.replace(/#\d$/, '') ?? '')
    }
    return [...dates].toSorted().toReversed()
  }
}

/**
 * The rows themselves, `size` at a time and at most {@link BATCH}, in their order. What is gone by
 * now is left out.
 */
export function readAhead(
  table: DynamoDBTable,
  entries: AsyncIterable<Entry>,
  { signal, size = BATCH }: { readonly signal: AbortSignal; readonly size?: number },
): AsyncGenerator<readonly Item[]> {
  return ahead(fetchAll(table, ahead(inBatches(entries, size)), signal))
}

/** Lists the keys in `gsi-day` that begin with `prefix`, in no order. */
export async function* keysThatBegin(
  table: DynamoDBTable,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const values = { prefix: text(prefix) }
  const filter = 'begins_with(#id, :prefix)'
  for await (const page of table.scan({ index: 'gsi-day', filter, values }, signal)) {
    for (const { id } of page) if (id?.S !== undefined) yield id.S
  }
}

async function* fetchAll(
  table: DynamoDBTable,
  batches: AsyncIterable<readonly Entry[]>,
  signal: AbortSignal,
): AsyncGenerator<readonly Item[]> {
  for await (const entries of batches) {
    const ids = entries.map(({ id }) => id)
    const items = await table.read(ids, signal)
    yield ids.map((id) => items.get(id)).filter((item) => item !== undefined)
  }
}

/** Merges streams that are each newest first into one that is. */
async function* merge(streams: readonly AsyncGenerator<Entry>[]): AsyncGenerator<Entry> {
  try {
    const heads = await Promise.all(streams.map(async (stream) => head(stream)))
    for (;;) {
      const newest = heads.reduce((best, each) => (isNewer(each, best) ? each : best))
      if (newest.entry === undefined) return
      yield newest.entry
      newest.entry = (await head(newest.stream)).entry
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return(undefined)))
  }
}

interface Head {
  readonly stream: AsyncGenerator<Entry>
  /** Absent: the stream has ended. */
  entry: Entry | undefined
}

async function head(stream: AsyncGenerator<Entry>): Promise<Head> {
  const { done, value } = await stream.next()
  return { stream, entry: done ? undefined : value }
}

function isNewer({ entry }: Head, than: Head): boolean {
  return entry !== undefined && (than.entry === undefined || entry.at > than.entry.at)
}
