import { type EventFilter, listEvents } from '../../app/list-events.ts'
import type { ShownEvent } from '../../app/shown-event.ts'
import type { Deps } from '../../deps.ts'
import type { Instant } from '../../domain/time.ts'
import { BREAK_GLASS_OPTIONS, breakGlassFlags, readEventStatus } from '../break-glass-options.ts'
import { EVENT_ROWS } from '../break-glass-table.ts'
import { defineCommand, type Input } from '../command.ts'
import { readTime } from '../read-time.ts'
import { readLimit } from '../request-options.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import { openRowWriter } from '../row-writer.ts'
import type { RowFormat } from '../session-table.ts'
import { tellOverdue } from '../warn-of-overdue.ts'

const OPTIONS = {
  status: {
    type: 'string',
    value: 'STATUS',
    summary: 'Only live, unreviewed, overdue, reviewed or ended ones',
  },
  user: {
    type: 'string',
    value: 'USER',
    summary: 'Only those of this user, over ones as well: alice, or sso:alice',
  },
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'Only those for this profile, over ones as well',
  },
  since: { type: 'string', value: 'TIME', summary: 'Only those started since then: 2h, or a time' },
  limit: { type: 'string', value: 'N', summary: 'At most so many, the newest' },
  ...FORMAT_OPTIONS,
  ...BREAK_GLASS_OPTIONS,
} as const

export default defineCommand({
  usage: 'breakglass list',
  summary: 'List break-glass events: without a filter, those that are live or to be reviewed',
  examples: [
    'breakglass list',
    'breakglass list --status overdue',
    'breakglass list --profile prod --since 30d --format csv',
  ],
  options: OPTIONS,

  async run({ options }, deps) {
    const format = readFormat(options.format, deps.out)
    const filter = readFilter(options, deps.clock.aws())
    await using events = await deps.openBreakGlass(options)
    const { store } = events
    const { count, overdue } = await print(store, { filter, format }, deps)
    if (count === 0) {
      const isFiltered = Object.keys(filter).length > 0
      const none = isFiltered ? 'that matches' : 'that is live or to be reviewed'
      deps.notices.info(`${store.location} has no break-glass event ${none}`)
    }
    const flags = breakGlassFlags(options)
    for (const shown of overdue) tellOverdue(shown, flags, deps.notices)
    await events.deliver()
    return undefined
  },
})

function readFilter(
  { status, user, profile, since, limit }: Input<typeof OPTIONS>['options'],
  now: Instant,
): EventFilter {
  return {
    ...(status !== undefined && { status: readEventStatus(status) }),
    ...(user !== undefined && { user }),
    ...(profile !== undefined && { profile }),
    ...(since !== undefined && { since: readTime('--since', since, now, 'ago') }),
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

/** Of how many overdue events people are warned: the list has the others. */
const MOST_WARNED = 3

/** Prints every event that `filter` lets through, and finds those whose review is overdue. */
async function print(
  store: Parameters<typeof listEvents>[0]['store'],
  { filter, format }: { readonly filter: EventFilter; readonly format: RowFormat },
  { out, clock, digest }: Pick<Deps, 'out' | 'clock' | 'digest'>,
): Promise<{ readonly count: number; readonly overdue: readonly ShownEvent[] }> {
  const rows = openRowWriter(out, format, EVENT_ROWS)
  const overdue: ShownEvent[] = []
  let count = 0
  const onPage = (seen: number) => out.progress(`${seen} events looked at, ${count} listed`)
  try {
    for await (const shown of listEvents({ store, clock, digest }, filter, onPage)) {
      count += 1
      if (shown.state.status === 'overdue' && overdue.length < MOST_WARNED) overdue.push(shown)
      if (!(await rows.write(shown))) return { count, overdue }
    }
  } finally {
    out.progress('')
  }
  await rows.end()
  return { count, overdue }
}
