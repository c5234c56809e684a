import type {
  Notification,
  NotificationTarget,
  QueuedNotification,
} from '../../domain/notification.ts'
import { NOTIFY_EVENTS } from '../../domain/policy/types.ts'
import type { Instant } from '../../domain/time.ts'
import { type Item, integer, openRow, type Row, text, time } from './attributes.ts'

const PREFIX = 'outbox#'

/** The value that all that wait have in the partition key of their index. */
export const OUTBOX_PARTITION = 'outbox'

/** A year, in seconds. What nobody delivered by then is not news any more. */
const KEPT = 365 * 24 * 3600

export function outboxKey(id: string): string {
  return `${PREFIX}${id}`
}

/** The row of a notification that nobody has tried, found by the attribute `partition`. */
export function toOutboxItem(notification: Notification, partition: string): Item {
  const { id, event, at, target, fields } = notification
  return {
    id: text(outboxKey(id)),
    [partition]: text(OUTBOX_PARTITION),
    event: text(event),
    created_at: time(at),
    target_kind: text(target.kind),
    target_address: text(target.address),
    fields: text(JSON.stringify(fields)),
    ...attemptOf(0, at),
    ttl: integer(Math.ceil(at / 1000) + KEPT),
  }
}

/** The attributes that a try changes. */
export function attemptOf(attempts: number, nextAt: Instant): Item {
  return { attempts: integer(attempts), next_at: time(nextAt) }
}

/** Reads a row back. Throws `STORE_INVALID` for what Sentinel has not written. */
export function fromOutboxItem(item: Item, location: string): QueuedNotification {
  const row = openRow(item, location)
  return {
    id: readId(row),
    event: readEvent(row),
    at: row.instant('created_at'),
    target: readTarget(row),
    fields: readFields(row),
    attempts: row.integer('attempts'),
    nextAt: row.instant('next_at'),
  }
}

function readId(row: Row): string {
  const key = row.text('id')
  if (key.startsWith(PREFIX) && key !== PREFIX) return key.slice(PREFIX.length)
  throw row.invalid('its id is not that of a notification')
}

function readEvent(row: Row): QueuedNotification['event'] {
  const name = row.text('event')
  const event = NOTIFY_EVENTS.find((known) => known === name)
  if (event !== undefined) return event
  throw row.invalid(`unknown event ${JSON.stringify(name.slice(0, 40))}`)
}

function readTarget(row: Row): NotificationTarget {
  const kind = row.text('target_kind')
  const address = row.text('target_address')
  if (kind === 'webhook' || kind === 'slack' || kind === 'sns') return { kind, address }
  throw row.invalid(`unknown target_kind ${JSON.stringify(kind.slice(0, 40))}`)
}

function readFields(row: Row): QueuedNotification['fields'] {
  const fields = parsed(row.text('fields'))
  if (isFlat(fields)) return fields
  throw row.invalid('fields are not a flat object')
}

function isFlat(value: unknown): value is QueuedNotification['fields'] {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === 'string' || typeof each === 'number')
  )
}

/** Nothing for what is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
