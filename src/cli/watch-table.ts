import type { Snapshot } from '../app/watch-sessions.ts'
import type { Output } from '../deps.ts'
import { toSeconds } from '../domain/time.ts'
import { openLiveTable } from './live-table.ts'
import { createLayout, inOneLine } from './session-table.ts'

/** What stands around the rows: a title, the headings, and a line at the end. */
const FRAME = 3

/**
 * Shows snapshots as a table on the terminal that `out` goes to, as many rows as fit. What it gives
 * resolves to whether anybody still reads.
 */
export function openWatchTable(
  out: Pick<Output, 'stream' | 'window'>,
  location: string,
): (snapshot: Snapshot) => Promise<boolean> {
  const table = openLiveTable(out)
  const layout = createLayout()
  return (snapshot) =>
    table.draw((height) => {
      const { sessions, at } = snapshot
      const shown = sessions.slice(0, Math.max(0, height - FRAME))
      // Rows first: they are what the headings must be as wide as.
      const rows = shown.map((session) => layout.row(session))
      const title = `${inOneLine(location)} at ${toSeconds(at)}`
      return [title, layout.heading(), ...rows, lastLine(snapshot, sessions.length - shown.length)]
    })
}

function lastLine({ silence, isCut, sessions }: Snapshot, hidden: number): string {
  if (silence) {
    const { since, error } = silence
    return `as of ${toSeconds(since)}: ${inOneLine(error.message)}`
  }
  if (hidden > 0) return `and ${isCut ? 'at least ' : ''}${hidden} more`
  if (isCut) return 'and more'
  return sessions.length === 0 ? 'no session is like that; Ctrl-C ends this' : 'Ctrl-C ends this'
}
