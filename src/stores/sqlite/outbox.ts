import type { Notification, QueuedNotification } from '../../domain/notification.ts'
import { NOTIFY_EVENTS } from '../../domain/policy/types.ts'
import { type Instant, toTimestamp } from '../../domain/time.ts'
import { instant, integer, invalid, text } from './columns.ts'
import type { Row, Statements } from './connection.ts'

// Each of these is a part of a transaction, in the file that also has what is announced.

/** Whose notifications: two stores in one file never deliver each other's. */
export type OutboxOwner = 'requests' | 'break_glass'

/** Queues `notifications`, to be tried at once. A taken id fails the whole transaction. */
export function putNotifications(
  statements: Statements,
  store: OutboxOwner,
  notifications: readonly Notification[],
): void {
  for (const { id, event, at, target, fields } of notifications) {
    statements.run(
      `INSERT INTO outbox (id, store, event, created_at, target_kind, target_address, fields,
         attempts, next_at)
       VALUES (:id, :store, :event, :at, :kind, :address, :fields, 0, :at)`,
      {
        id,
        store,
        event,
        at: toTimestamp(at),
        kind: target.kind,
        address: target.address,
        fields: JSON.stringify(fields),
      },
    )
  }
}

/** Those that may be tried at `now`, the oldest first. */
export function dueNotifications(
  statements: Statements,
  store: OutboxOwner,
  now: Instant,
  limit: number,
): QueuedNotification[] {
  return statements
    .all(
      `SELECT * FROM outbox WHERE store = :store AND next_at <= :now
       ORDER BY created_at, id LIMIT :limit`,
      { store, now: toTimestamp(now), limit },
    )
    .map(toNotification)
}

/** Takes one to be tried, unless somebody else did since it was read; says whether. */
export function claimNotification(
  statements: Statements,
  store: OutboxOwner,
  { id, attempts }: QueuedNotification,
  nextAt: Instant,
): boolean {
  const changes = statements.run(
    `UPDATE outbox SET attempts = attempts + 1, next_at = :next
     WHERE id = :id AND store = :store AND attempts = :attempts`,
    { id, store, attempts, next: toTimestamp(nextAt) },
  )
  return changes === 1
}

export function removeNotification(statements: Statements, store: OutboxOwner, id: string): void {
  statements.run('DELETE FROM outbox WHERE id = :id AND store = :store', { id, store })
}

function toNotification(row: Row): QueuedNotification {
  return {
    id: text(row, 'id'),
    event: eventOf(row),
    at: instant(row, 'created_at'),
    target: targetOf(row),
    fields: fieldsOf(row),
    attempts: integer(row, 'attempts'),
    nextAt: instant(row, 'next_at'),
  }
}

function eventOf(row: Row): QueuedNotification['event'] {
  const name = text(row, 'event')
  const event = NOTIFY_EVENTS.find((known) => known === name)
  if (!event) throw invalid(row, 'event')
  return event
}

function targetOf(row: Row): QueuedNotification['target'] {
  const [kind, address] = [text(row, 'target_kind'), text(row, 'target_address')]
  if (kind === 'webhook' || kind === 'slack' || kind === 'sns') return { kind, address }
  throw invalid(row, 'target_kind')
}

function fieldsOf(row: Row): QueuedNotification['fields'] {
  const fields = parsed(text(row, 'fields'))
  const isFlat = (value: unknown) => typeof value === 'string' || typeof value === 'number'
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw invalid(row, 'fields')
  }
  if (!Object.values(fields).every(isFlat)) throw invalid(row, 'fields')
  return fields as QueuedNotification['fields']
}

/** Nothing for what is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
