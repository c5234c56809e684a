import { watchSessions } from '../../app/watch-sessions.ts'
import { openChangeLines } from '../change-lines.ts'
import { defineCommand } from '../command.ts'
import { FILTER_OPTIONS, readFilter, SESSION_OPTIONS } from '../session-options.ts'
import { openWatchTable } from '../watch-table.ts'

export default defineCommand({
  usage: 'session watch',
  summary: 'Watch sessions: a live table on a terminal, else one line of JSON a change',
  examples: ['session watch', 'session watch --profile prod --status active'],
  options: { ...FILTER_OPTIONS, ...SESSION_OPTIONS },

  async run({ options }, { openSessions, clock, out, notices }) {
    const filter = readFilter(options, clock.aws())
    await using sessions = await openSessions(options)
    const { directory } = sessions
    const isTable = out.window() !== undefined && out.form.value === 'text'
    const show = isTable
      ? openWatchTable(out, directory.location)
      : openChangeLines(out, notices, directory.location)
    for await (const snapshot of watchSessions({ directory, clock }, filter)) {
      if (!(await show(snapshot))) break
    }
    return undefined
  },
})
