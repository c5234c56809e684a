import {
  countRecords,
  KEYS_MAX,
  type LogStats,
  STAT_KEYS,
  type StatKey,
} from '../../app/log-stats.ts'
import type { Deps } from '../../deps.ts'
import { SentinelError } from '../../errors.ts'
import {
  ARCHIVE_OPTIONS,
  RECORD_OPTIONS,
  readArchive,
  readChoice,
  readRecordFilter,
} from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { cutRows, renderStats, statsCSV, statsJSON } from '../audit-stats-view.ts'
import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'
import { readLimit } from '../request-options.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import type { RowFormat } from '../session-table.ts'

/** What is of interest together; outcomes have their columns anyway. */
const BY_DEFAULT: readonly StatKey[] = ['user', 'profile', 'rule', 'hour']

/** How many rows people look at. */
const ROWS_SHOWN = 20

export default defineCommand({
  usage: 'audit stats [...files]',
  summary: 'Count what was issued, served, refused and failed, by user, profile, rule and hour',
  examples: ['audit stats --since 7d', 'audit stats --by rule,outcome --profile prod'],
  options: {
    by: {
      type: 'string',
      value: 'KEYS',
      summary: `By what, by commas: ${STAT_KEYS.join(', ')} (of the day, in UTC: hour)`,
    },
    ...RECORD_OPTIONS,
    limit: {
      type: 'string',
      value: 'N',
      summary: `So many rows of each, the others in one (of a table: ${ROWS_SHOWN})`,
    },
    ...FORMAT_OPTIONS,
    ...ARCHIVE_OPTIONS,
  },

  async run({ args, options }, deps) {
    const { out } = deps
    const format = readFormat(options.format, out)
    const by = options.by === undefined ? BY_DEFAULT : readKeys(options.by)
    const filter = readRecordFilter(options, deps.clock.aws())
    const most = options.limit === undefined ? undefined : readLimit(options.limit)
    const archive = await deps.openArchive(readArchive(args, options))
    const stats = await deps
      .interruptibly((signal) =>
        countRecords(archive, { filter, by }, { signal, onProgress: showReading(out) }),
      )
      .finally(() => out.progress(''))
    print(stats, { format, most }, deps)
    if (stats.from === undefined) {
      deps.notices.info(`${archive.files.at(-1)?.path} has no record that matches`)
    }
    return undefined
  },
})

interface Form {
  readonly format: RowFormat
  readonly most: number | undefined
}

function print(stats: LogStats, { format, most }: Form, { out, notices }: Deps): void {
  for (const { by, others } of stats.sections) {
    if (others) notices.info(`only ${KEYS_MAX} values of ${by} are told apart`)
  }
  switch (format) {
    case 'table':
      if (stats.from === undefined) return
      out.printRaw(
        printable(renderStats(cutRows(stats, most ?? ROWS_SHOWN), out.window()?.columns)),
      )
      return
    case 'csv':
      out.printRaw(statsCSV(most === undefined ? stats : cutRows(stats, most)))
      return
    case 'json':
      out.printRaw(statsJSON(most === undefined ? stats : cutRows(stats, most)))
  }
}

function readKeys(text: string): readonly StatKey[] {
  const keys = text.split(',').map((key) => readChoice('by', key, STAT_KEYS, 'key'))
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice === undefined) return keys
  throw new SentinelError('USAGE', `--by names ${twice} twice`, { hint: 'name each once' })
}
