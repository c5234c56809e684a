import { listEvents } from '../app/list-events.ts'
import type { ShownEvent } from '../app/shown-event.ts'
import type { Caller, Deps } from '../deps.ts'
import { SentinelError } from '../errors.ts'
import type { BreakGlassStore } from '../ports/break-glass-store.ts'
import { describeOverdue, reviewCommand } from './break-glass-words.ts'

/** Warns somebody of what they broke glass for and nobody reviewed in time. Stands in no way. */
export async function warnOfOverdue(
  { party }: Caller,
  { store, flags }: { readonly store: Pick<BreakGlassStore, 'list'>; readonly flags: string },
  { clock, digest, notices }: Pick<Deps, 'clock' | 'digest' | 'notices'>,
): Promise<void> {
  const filter = { user: party.person, status: 'overdue' } as const
  try {
    for await (const shown of listEvents({ store, clock, digest }, filter)) {
      tellOverdue(shown, flags, notices)
    }
  } catch (error) {
    // In an emergency an index that does not answer is no reason to stop; the store's own is.
    if (!(error instanceof SentinelError)) throw error
  }
}

/** Warns of one event that nobody reviewed in time. */
export function tellOverdue(
  shown: ShownEvent,
  flags: string,
  { warn }: Pick<Deps['notices'], 'warn'>,
): void {
  warn(describeOverdue(shown), `have it reviewed: ${reviewCommand(shown.filed.event.id, flags)}`)
}
