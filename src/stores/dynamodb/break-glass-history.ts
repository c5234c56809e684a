import type { BreakGlassEvent, BreakGlassHistory } from '../../domain/break-glass.ts'
import { type Guard, guardFrom, guardIds, guardWith, isCounted } from './break-glass-guard.ts'
import { fileEvents, readAll } from './break-glass-list.ts'
import type { DynamoDBTable } from './table.ts'
import type { TransactionWrite } from './transaction.ts'

/** What there is before an event begins. */
export interface Before {
  readonly history: BreakGlassHistory
  readonly guards: readonly [person: Guard, profile: Guard]
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
  return {
    // Two rows are not read at one moment: what either lists is taken for both. Where one of them
    // was late, nothing is written, as its version is not the one that was read.
    history: {
      ofPerson: filed.filter(({ event: { invoker } }) => invoker.person === event.invoker.person),
      ofProfile: filed.filter(({ event: { profile: other } }) => other === event.profile),
    },
    guards: [person, profile],
    counted: new Set(counted.flatMap(({ id }) => id?.S ?? [])),
  }
}

/** What writes the guards anew, with `event`: each lists the history that it stands for. */
export function guardWrites(
  { guards, history }: Before,
  event: BreakGlassEvent,
  location: string,
): readonly TransactionWrite[] {
  const [person, profile] = guards
  return [
    guardWith(person, [...history.ofPerson, { event }], location),
    guardWith(profile, [...history.ofProfile, { event }], location),
  ]
}
