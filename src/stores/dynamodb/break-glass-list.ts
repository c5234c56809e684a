import type { BreakGlassEvent, BreakGlassReview, FiledEvent } from '../../domain/break-glass.ts'
import type { Instant } from '../../domain/time.ts'
import { hasCode } from '../../errors.ts'
import type { BreakGlassQuery } from '../../ports/break-glass-store.ts'
import type { Item } from './attributes.ts'
import {
  eventFromItem,
  eventIdIn,
  eventReviewFromItem,
  OPEN_EVENTS,
  reviewPrefix,
  reviewsOf,
} from './break-glass-item.ts'
import { type Entry, IndexWalk, readAhead } from './index-walk.ts'
import { BATCH, type DynamoDBTable } from './table.ts'

/** Events to look at together: for each of them its reviews are looked up. */
const AT_ONCE = 25

interface ListOptions {
  readonly now: Instant
  readonly signal: AbortSignal
  readonly onPage: (seen: number) => void
}

/** Lists events, newest first, over whichever index leaves the fewest to look at. */
export async function* listEvents(
  table: DynamoDBTable,
  query: BreakGlassQuery,
  { now, signal, onPage }: ListOptions,
): AsyncGenerator<FiledEvent> {
  const walk = new IndexWalk(table, { sort: 'created_at', since: query.since, signal })
  const entries = eventsAmong(entriesOf(walk, query, now))
  let seen = 0
  for await (const items of readAhead(table, entries, { signal, size: AT_ONCE })) {
    seen += items.length
    onPage(seen)
    const wanted = items.filter((item) => isWanted(item, query, table.location))
    yield* await fileEvents(table, wanted, signal)
  }
}

function entriesOf(
  walk: IndexWalk,
  { person, profile, which }: BreakGlassQuery,
  now: Instant,
): AsyncGenerator<Entry> {
  if (person !== undefined) return walk.under('gsi-person', 'person', person)
  if (profile !== undefined) return walk.under('gsi-profile', 'profile', profile)
  return which === 'open' ? walk.under('gsi-open', 'open', OPEN_EVENTS) : walk.byDay(now)
}

/** Of the rows of an index those of events: whoever may write another kind cannot spoil a list. */
async function* eventsAmong(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  for await (const entry of entries) if (eventIdIn(entry.id)) yield entry
}

function isWanted(item: Item, query: BreakGlassQuery, location: string): boolean {
  const { person, profile, which } = query
  const { event } = eventFromItem(item, location)
  return (
    (person === undefined || event.invoker.person === person) &&
    (profile === undefined || event.profile === profile) &&
    (which === 'all' || item.open?.S === OPEN_EVENTS)
  )
}

/** Reads rows of events, with their reviews, which an index may know a moment later. */
export function fileEvents(
  table: DynamoDBTable,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<readonly FiledEvent[]> {
  return Promise.all(
    items.map(async (item) => {
      const filed = eventFromItem(item, table.location)
      return { ...filed, reviews: await findReviews(table, filed.event, signal) }
    }),
  )
}

/** Oldest first. */
async function findReviews(
  table: DynamoDBTable,
  { id }: BreakGlassEvent,
  signal: AbortSignal,
): Promise<readonly BreakGlassReview[]> {
  const query = { index: 'gsi-person', key: 'person', value: reviewsOf(id) }
  const keys: string[] = []
  const isReview = (key: string) => key.startsWith(reviewPrefix(id))
  for await (const page of table.query({ ...query, order: 'ascending' }, signal)) {
    keys.push(...page.flatMap(({ id: key }) => key?.S ?? []).filter(isReview))
  }
  const rows = await readAll(table, keys, signal)
  return rows.flatMap((item) => eventReviewIn(item, table.location))
}

/**
 * The review that a row is. One that cannot be understood does not count; and as everybody who may
 * review could write it, it does not keep anybody from reading the event either.
 */
function eventReviewIn(item: Item, location: string): readonly BreakGlassReview[] {
  try {
    return [eventReviewFromItem(item, location)]
  } catch (error) {
    if (hasCode(error, 'STORE_INVALID')) return []
    throw error
  }
}

/** The rows of any number of keys, in their order. */
export async function readAll(
  table: DynamoDBTable,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const rows: Item[] = []
  for (let first = 0; first < keys.length; first += BATCH) {
    const some = keys.slice(first, first + BATCH)
    const found = await table.read(some, signal)
    rows.push(...some.map((key) => found.get(key)).filter((item) => item !== undefined))
  }
  return rows
}
