import { heldLocks } from '../../app/held-locks.ts'
import { listSessions, type SessionFilter } from '../../app/list-sessions.ts'
import type { Deps, OpenedSessions } from '../../deps.ts'
import { defineCommand } from '../command.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import { FILTER_OPTIONS, readFilter, SESSION_OPTIONS } from '../session-options.ts'
import { openRows, type RowFormat } from '../session-table.ts'
import { describeLock } from '../session-words.ts'

export default defineCommand({
  usage: 'session list',
  summary: 'List sessions: without a filter, those that are live',
  examples: [
    'session list',
    'session list --user alice --since 7d',
    'session list --status revoked --limit 20 --format csv',
  ],
  options: { ...FILTER_OPTIONS, ...FORMAT_OPTIONS, ...SESSION_OPTIONS },

  async run({ options }, deps) {
    const format = readFormat(options.format, deps.out)
    const filter = readFilter(options, deps.clock.aws())
    await using sessions = await deps.openSessions(options)
    const { directory } = sessions
    const count = await print(directory, { filter, format }, deps)
    if (count === 0) {
      const none = Object.keys(filter).length === 0 ? 'no live session' : 'no session that matches'
      deps.notices.info(`${directory.location} has ${none}`)
    }
    if (format === 'table') await tellLocks(directory, deps)
    return undefined
  },
})

/** Prints every session that `filter` lets through. Resolves to how many there were. */
async function print(
  directory: OpenedSessions['directory'],
  { filter, format }: { filter: SessionFilter; format: RowFormat },
  { out, clock }: Pick<Deps, 'out' | 'clock'>,
): Promise<number> {
  const rows = openRows(out, format)
  let count = 0
  const onPage = (seen: number) => out.progress(`${seen} sessions looked at, ${count} listed`)
  try {
    for await (const shown of listSessions({ directory, clock }, filter, onPage)) {
      count += 1
      if (!(await rows.write(shown))) return count
    }
  } finally {
    out.progress('')
  }
  await rows.end()
  return count
}

async function tellLocks(
  directory: OpenedSessions['directory'],
  { clock, notices }: Pick<Deps, 'clock' | 'notices'>,
): Promise<void> {
  for (const lock of await heldLocks(directory, clock)) notices.info(describeLock(lock))
}
