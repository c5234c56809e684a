/**
 * Guards: rows that list the events which decide whether another may begin, one for each person and
 * one for each profile. An index may lag; a guard is read strongly consistent, and whoever begins
 * an event writes both guards on condition that they still have the version that was read. So of
 * two who begin at the same time, one has to look again, and then sees the other.
 *
 * @module
 */
import {
  type BreakGlassEvent,
  eventRemovableAt,
  type FiledEvent,
  HISTORY_SPAN,
} from '../../domain/break-glass.ts'
import { SentinelError } from '../../errors.ts'
import { type Item, integer, openRow, text } from './attributes.ts'
import { eventFromItem, eventKey, OPEN_EVENTS } from './break-glass-item.ts'
import type { TransactionWrite } from './transaction.ts'

/** A guard as it was read; without a version there is none yet. */
export interface Guard {
  readonly id: string
  readonly version?: number
  /** The keys of the events that it lists. */
  readonly events: readonly string[]
}

/** Events that a guard lists at most: a row of DynamoDB's holds 400 KB, and each is read. */
const MOST_GUARDED = 300

/** The keys of the two guards that stand before `event`. */
export function guardIds({ invoker, profile }: BreakGlassEvent): readonly [string, string] {
  return [`guard#person#${invoker.person}`, `guard#profile#${profile}`]
}

/** Reads a guard back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function guardFrom(id: string, item: Item | undefined, location: string): Guard {
  if (item === undefined) return { id, events: [] }
  const row = openRow(item, location)
  const { L: list } = item.events ?? {}
  const events = list?.flatMap(({ S: key }) => (key === undefined ? [] : [key]))
  if (!events || events.length !== list?.length) throw row.invalid('events is not a list of keys')
  return { id, version: row.integer('version'), events }
}

/** Whether the event of a row still counts when `next` begins. */
export function isCounted(item: Item, next: BreakGlassEvent, location: string): boolean {
  const { event } = eventFromItem(item, location)
  return item.open?.S === OPEN_EVENTS || event.startedAt >= next.startedAt - HISTORY_SPAN
}

/**
 * Writes a guard anew, with the keys of `events`, the last of which is about to begin; only if it
 * is as it was read. Throws `STORE_INVALID` when there is no room: a quota holds only where nothing
 * is left out.
 */
export function guardWith(
  { id, version }: Guard,
  events: readonly Pick<FiledEvent, 'event'>[],
  location: string,
): TransactionWrite {
  if (events.length > MOST_GUARDED) throw full(id, location)
  const last = Math.max(...events.map(({ event }) => event.startedAt))
  const put = {
    id: text(id),
    version: integer((version ?? 0) + 1),
    events: { L: events.map(({ event }) => text(eventKey(event))) },
    ttl: integer(eventRemovableAt(last)),
  }
  return version === undefined
    ? { put }
    : { put, condition: '#version = :read', values: { read: integer(version) } }
}

function full(id: string, location: string): SentinelError {
  return new SentinelError(
    'STORE_INVALID',
    `the row ${id} of ${location} lists ${MOST_GUARDED} events, and has room for no other`,
    { hint: 'review what is open: sentinel breakglass list; the others leave it after 31 days' },
  )
}
