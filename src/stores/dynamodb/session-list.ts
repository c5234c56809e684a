import type { Session, SessionId } from '../../domain/session.ts'
import { HOUR, type Instant, toTimestamp } from '../../domain/time.ts'
import type { SessionQuery } from '../../ports/session-store.ts'
import { type Item, text } from './attributes.ts'
import { dayPartitions, fromItem, LIVE_PARTITIONS } from './session-item.ts'
import { BATCH, type DynamoDBTable } from './table.ts'

const DAY = 24 * HOUR

/** Days that are asked for one by one, before the index is searched for those there are. */
const RECENT_DAYS = 8

interface ListOptions {
  readonly now: Instant
  readonly signal: AbortSignal
  readonly onPage: (seen: number) => void
}

/** A row of an index: where it stands in the order, and whose it is. */
interface Entry {
  readonly id: string
  readonly startedAt: string
}

/**
 * Lists sessions, newest first: over whichever index leaves the fewest to look at, each session
 * then fetched by its key. The next hundred are on their way while these are looked at.
 */
export async function* listSessions(
  table: DynamoDBTable,
  query: SessionQuery,
  { now, signal, onPage }: ListOptions,
): AsyncGenerator<Session> {
  const entries = new Entries(table, query.since, signal)
  const batches = ahead(fetchAll(table, ahead(batch(entries.of(query, now))), signal))
  let seen = 0
  for await (const sessions of batches) {
    seen += sessions.length
    onPage(seen)
    yield* sessions.filter((session) => isWanted(session, query))
  }
}

/** Lists the ids in an index that begin with `prefix`, in no order. */
export async function* scanIds(
  table: DynamoDBTable,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<SessionId> {
  const values = { prefix: text(prefix) }
  const filter = 'begins_with(#id, :prefix)'
  for await (const page of table.scan({ index: 'gsi-day', filter, values }, signal)) {
    for (const { id } of page) if (id?.S !== undefined) yield id.S as SessionId
  }
}

function isWanted({ user, profile, end, revocation }: Session, query: SessionQuery): boolean {
  return (
    (query.user === undefined || query.user === user) &&
    (query.profile === undefined || query.profile === profile) &&
    (query.which === 'all' || (end === undefined && revocation === undefined))
  )
}

/** The rows of the indexes, newest first. */
class Entries {
  readonly #table: DynamoDBTable
  readonly #since: Instant | undefined
  readonly #signal: AbortSignal

  constructor(table: DynamoDBTable, since: Instant | undefined, signal: AbortSignal) {
    this.#table = table
    this.#since = since
    this.#signal = signal
  }

  of({ user, profile, which }: SessionQuery, now: Instant): AsyncGenerator<Entry> {
    if (user !== undefined) return this.#under('gsi-user', 'user', user)
    if (profile !== undefined) return this.#under('gsi-profile', 'profile', profile)
    return which === 'live' ? this.#live() : this.#byDay(now)
  }

  #live(): AsyncGenerator<Entry> {
    return merge(LIVE_PARTITIONS.map((value) => this.#under('gsi-live', 'live', value)))
  }

  async *#byDay(now: Instant): AsyncGenerator<Entry> {
    for await (const date of this.#dates(now)) {
      yield* merge(dayPartitions(date).map((value) => this.#under('gsi-day', 'day', value)))
    }
  }

  /**
   * The dates to look at, the last first. From tomorrow, as the clock of whoever wrote may be
   * ahead; beyond some days those that the index has, as a session that runs for long, or a table
   * without clean-up, keeps days of any age.
   */
  async *#dates(now: Instant): AsyncGenerator<string> {
    const tomorrow = now + DAY
    const days = Array.from({ length: RECENT_DAYS }, (_, age) => tomorrow - age * DAY)
    const since = this.#since === undefined ? '' : dateOf(this.#since)
    const recent = days.map(dateOf)
    yield* recent.filter((date) => date >= since)
    const oldest = recent.at(-1) ?? ''
    if (since < oldest) yield* await this.#datesBetween(since, oldest)
  }

  async #datesBetween(since: string, before: string): Promise<readonly string[]> {
    // A date is a prefix of the times on it: all of them sort after it, and before the next one.
    const filter = '#started_at >= :since AND #started_at < :before'
    const values = { since: text(since === '' ? '0' : since), before: text(before) }
    const dates = new Set<string>()
    for await (const page of this.#table.scan({ index: 'gsi-day', filter, values }, this.#signal)) {
      for (const { day } of page) dates.add(day?.S?.replace(/#\d$/, '') ?? '')
    }
    return [...dates].toSorted().toReversed()
  }

  async *#under(index: string, key: string, value: string): AsyncGenerator<Entry> {
    const since = this.#since
    const from = since === undefined ? undefined : { sort: 'started_at', value: toTimestamp(since) }
    for await (const page of this.#table.query({ index, key, value, from }, this.#signal)) {
      yield* page.map(toEntry)
    }
  }
}

function toEntry({ id, started_at }: Item): Entry {
  return { id: id?.S ?? '', startedAt: started_at?.S ?? '' }
}

function dateOf(instant: Instant): string {
  return toTimestamp(instant).slice(0, 10)
}

/** The sessions of each batch of entries, in their order. What is gone by now is left out. */
async function* fetchAll(
  table: DynamoDBTable,
  batches: AsyncIterable<readonly Entry[]>,
  signal: AbortSignal,
): AsyncGenerator<readonly Session[]> {
  for await (const entries of batches) {
    const items = await table.read(
      entries.map(({ id }) => id),
      signal,
    )
    yield entries
      .map(({ id }) => items.get(id))
      .filter((item) => item !== undefined)
      .map((item) => fromItem(item, table.location))
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
  return entry !== undefined && (than.entry === undefined || entry.startedAt > than.entry.startedAt)
}

async function* batch(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  let gathered: Entry[] = []
  for await (const entry of entries) {
    gathered.push(entry)
    if (gathered.length < BATCH) continue
    yield gathered
    gathered = []
  }
  if (gathered.length > 0) yield gathered
}

/** Asks `source` for the next value while the last one is being looked at. */
async function* ahead<Value>(source: AsyncGenerator<Value>): AsyncGenerator<Value> {
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
