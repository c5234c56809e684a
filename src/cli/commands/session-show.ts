import { findSession } from '../../app/find-session.ts'
import { shownStatus } from '../../domain/session.ts'
import { defineCommand } from '../command.ts'
import { columns } from '../output.ts'
import { sessionFields } from '../session-fields.ts'
import { SESSION_OPTIONS } from '../session-options.ts'
import { inOneLine } from '../session-table.ts'

/** What a field is called for people, where that is not its name. */
const LABELS: Readonly<Record<string, string>> = {
  shown_status: 'status',
  status: 'status as stored',
  role_arn: 'role',
  request_count: 'credentials served',
  last_access_at: 'last used at',
  expires_at: 'credentials may work until',
}

export default defineCommand({
  usage: 'session show <id>',
  summary: 'Show everything about one session',
  examples: ['session show 9f86d081884c7d65', 'session show 9f86 --output json'],
  options: SESSION_OPTIONS,

  async run({ args: [id = ''], options }, { openSessions, clock, out }) {
    await using sessions = await openSessions(options)
    const session = await findSession(sessions.directory, id)
    const fields = sessionFields({ session, status: shownStatus(session, clock.aws()) })
    const rows = Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [LABELS[name] ?? name.replaceAll('_', ' '), inOneLine(String(value))])
    out.print(columns(rows), fields)
    return undefined
  },
})
