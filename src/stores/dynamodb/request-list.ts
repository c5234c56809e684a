import type { AccessRequestId, FiledRequest, Review } from '../../domain/access-request.ts'
import type { Instant } from '../../domain/time.ts'
import type { RequestQuery } from '../../ports/request-store.ts'
import type { Item } from './attributes.ts'
import { type Entry, IndexWalk, readAhead } from './index-walk.ts'
import {
  fromRequestItem,
  isReviewKey,
  isUndecided,
  requestIdIn,
  reviewsIn,
  reviewsOf,
  UNDECIDED,
} from './request-item.ts'
import type { DynamoDBTable } from './table.ts'

/** Requests looked at together: each asks for its reviews, all at once. */
const TOGETHER = 25

interface ListOptions {
  readonly now: Instant
  readonly signal: AbortSignal
  readonly onPage: (seen: number) => void
}

/**
 * Lists requests with their reviews, newest first: over whichever index leaves the fewest to look
 * at, each then fetched by its key.
 */
export async function* listRequests(
  table: DynamoDBTable,
  query: RequestQuery,
  { now, signal, onPage }: ListOptions,
): AsyncGenerator<FiledRequest> {
  const walk = new IndexWalk(table, { sort: 'created_at', since: query.since, signal })
  const entries = ofRequests(entriesOf(walk, query, now))
  let seen = 0
  for await (const items of readAhead(table, entries, { signal, size: TOGETHER })) {
    seen += items.length
    onPage(seen)
    const wanted = items
      .map((item) => ({ item, filed: fromRequestItem(item, table.location) }))
      .filter(({ item, filed }) => isWanted(filed, item, query))
    yield* await Promise.all(
      wanted.map(async ({ filed }) => ({
        ...filed,
        reviews: await readReviews(table, filed.request.id, signal),
      })),
    )
  }
}

/** The reviews of a request: as far as the index knows them, and then as they are. */
export async function readReviews(
  table: DynamoDBTable,
  id: AccessRequestId,
  signal: AbortSignal,
): Promise<readonly Review[]> {
  const walk = new IndexWalk(table, { sort: 'created_at', signal })
  const entries = only(walk.under('gsi-requester', 'requester', reviewsOf(id)), (key) =>
    isReviewKey(key, id),
  )
  const reviews: Review[] = []
  for await (const items of readAhead(table, entries, { signal })) {
    reviews.push(...reviewsIn(items, table.location))
  }
  return reviews
}

function entriesOf(
  walk: IndexWalk,
  { person, profile, which }: RequestQuery,
  now: Instant,
): AsyncGenerator<Entry> {
  if (person !== undefined) return walk.under('gsi-requester', 'requester', person)
  if (profile !== undefined) return walk.under('gsi-profile', 'profile', profile)
  if (which === 'undecided') return walk.under('gsi-pending', 'pending', UNDECIDED)
  return walk.byDay(now)
}

/** Whoever may write a review could give it any attribute of an index, but not the key. */
function ofRequests(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  return only(entries, (key) => requestIdIn(key) !== undefined)
}

async function* only(
  entries: AsyncIterable<Entry>,
  isOne: (key: string) => boolean,
): AsyncGenerator<Entry> {
  for await (const entry of entries) if (isOne(entry.id)) yield entry
}

function isWanted(
  { request }: Omit<FiledRequest, 'reviews'>,
  item: Item,
  { person, profile, since, which }: RequestQuery,
): boolean {
  return (
    (person === undefined || person === request.requester.person) &&
    (profile === undefined || profile === request.profile) &&
    (since === undefined || since <= request.createdAt) &&
    (which === 'all' || isUndecided(item))
  )
}
