import type { BreakGlassEvent, BreakGlassHistory } from '../../domain/break-glass.ts'
import { type Guard, guardFrom, guardIds, guardWith, isCounted } from './break-glass-guard.ts'
import { fileEvents, readAll } from './break-glass-list.ts'
import type { DynamoDBTable } from './table.ts'
import type { TransactionWrite } from './transaction.ts'

/** What there is before an event begins. */
export interface Before {
  readonly history: BreakGlassHistory
  readonly guards: readonly Guard[]
  /** The keys of the events that count. */
  readonly counted: ReadonlySet<string>
}

/** Reads the guards before `event` and what they list, strongly consistent but for reviews. */
export async function lookBack(
  table: DynamoDBTable,
  event: BreakGlassEvent,
  signal: AbortSignal,
): Promise<Before> {
  const { location } = table
  const ids = guardIds(event)
  const found = await table.read(ids, signal)
  const [person, profile] = ids.map((id) => guardFrom(id, found.get(id), location)) as [
    Guard,
    Guard,
  ]
  const listed = [...new Set([...person.events, ...profile.events])]
  // What is gone was cleaned up after a year, or by somebody who may delete rows.
  const rows = await readAll(table, listed, signal)
  const counted = rows.filter((item) => isCounted(item, event, location))
  const filed = await fileEvents(table, counted, signal)
  const byKey = new Map(counted.map((item, place) => [item.id?.S ?? '', filed[place]] as const))
  const of = ({ events }: Guard) => events.flatMap((key) => byKey.get(key) ?? [])
  return {
    history: { ofPerson: of(person), ofProfile: of(profile) },
    guards: [person, profile],
    counted: new Set(byKey.keys()),
  }
}

/** What writes the guards anew, with `event`: see {@link guardWith}. */
export function guardWrites(
  { guards, counted }: Before,
  event: BreakGlassEvent,
  location: string,
): readonly TransactionWrite[] {
  return guards.map((guard) => guardWith(guard, event, counted, location))
}
