import { requestIdIn } from '../../app/find-decision.ts'
import { ACCESS_TYPES } from '../../app/record-filter.ts'
import { followRecords, type RecordSelection, selectRecords } from '../../app/select-records.ts'
import type { Deps } from '../../deps.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import {
  ARCHIVE_OPTIONS,
  RECORD_OPTIONS,
  readArchive,
  readRecordFilter,
  readTypes,
  TYPES_LEFT_OUT,
} from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { openRecordRows } from '../audit-record-rows.ts'
import { defineCommand, type End, type Input } from '../command.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import type { RowFormat } from '../session-table.ts'

const OPTIONS = {
  ...RECORD_OPTIONS,
  request: {
    type: 'string',
    value: 'ID',
    summary: 'Only what concerns this request or event: its id, how it begins, or a SourceIdentity',
  },
  type: {
    type: 'string',
    value: 'TYPES',
    summary: 'Only records of these types, by commas: refused, or break_glass.*',
  },
  all: { type: 'boolean', summary: `Of every type: ${TYPES_LEFT_OUT.join(', ')} too` },
  annulled: { type: 'boolean', summary: 'Also what was taken back, and so not carried out' },
  limit: { type: 'string', value: 'N', summary: 'At most so many, the newest' },
  follow: {
    type: 'boolean',
    summary: 'Go on with what is written, after the newest 10 (or --limit)',
  },
  ...FORMAT_OPTIONS,
  ...ARCHIVE_OPTIONS,
} as const

type Options = Input<typeof OPTIONS>['options']
type LogArchive = Awaited<ReturnType<Deps['openArchive']>>

export default defineCommand({
  usage: 'audit show [...files]',
  summary: 'Show what the decision log says of access, oldest first',
  examples: [
    'audit show --user alice --since 2h',
    'audit show --outcome refused --limit 20',
    'audit show --follow --profile prod',
    'audit show --since 30d --format csv',
  ],
  options: OPTIONS,

  async run({ args, options }, deps) {
    const format = readFormat(options.format, deps.out)
    const selection = readSelection(options, deps.clock.aws())
    const archive = await deps.openArchive(readArchive(args, options))
    return options.follow
      ? await follow(archive, { selection, format }, deps)
      : await list(archive, { selection, format }, deps)
  },
})

interface Wanted {
  readonly selection: RecordSelection
  readonly format: RowFormat
}

/** Prints what is there. */
async function list(
  archive: LogArchive,
  { selection, format }: Wanted,
  deps: Deps,
): Promise<undefined> {
  const { out } = deps
  const rows = openRecordRows(out, format, 'finite')
  let count = 0
  try {
    await deps.interruptibly(async (signal) => {
      const options = { signal, onProgress: showReading(out) }
      for await (const archived of selectRecords(archive, selection, options)) {
        count += 1
        if (!(await rows.write(archived))) return
      }
      await rows.end()
    })
  } finally {
    out.progress('')
  }
  if (count === 0) deps.notices.info(`${nameOf(archive)} has no record that matches`)
}

/** Prints the newest that are there, and each one that comes, until Ctrl-C. */
async function follow(
  archive: LogArchive,
  { selection, format }: Wanted,
  deps: Deps,
): Promise<End | undefined> {
  const rows = openRecordRows(deps.out, format, 'endless')
  return await deps.interruptibly(async (signal) => {
    const options = { signal, onProgress: showReading(deps.out) }
    const wanted = { ...selection, limit: selection.limit ?? 10 }
    for await (const archived of followRecords(archive, wanted, options)) {
      if (!(await rows.write(archived))) return undefined
    }
    return { signal: 'SIGINT' }
  })
}

function readSelection(options: Options, now: Instant): RecordSelection {
  assertNoContradiction(options)
  const { request, type, all, annulled, limit } = options
  const types = type === undefined ? ACCESS_TYPES : readTypes(type)
  return {
    filter: {
      ...readRecordFilter(options, now),
      ...(request !== undefined && { request: requestIdIn(request) }),
      ...(!all && { types }),
    },
    annulled: annulled ? 'shown' : 'hidden',
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

function assertNoContradiction({ all, type, follow, until }: Options): void {
  if (all && type !== undefined) throw contradiction('--all', '--type')
  if (follow && until !== undefined) throw contradiction('--follow', '--until')
}

function contradiction(one: string, other: string): SentinelError {
  return new SentinelError('USAGE', `${one} and ${other} contradict each other`, {
    hint: 'leave one of them out',
  })
}

/** So many records may be held in memory. */
const MOST = 100_000

function readLimit(text: string): number {
  const limit = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MOST) return limit
  throw new SentinelError('USAGE', `--limit is not a number of records: "${text}"`, {
    hint: `write a whole number from 1 to ${MOST}, or leave it out to see all`,
  })
}

/** The live file's name, which is the log's. */
function nameOf({ files }: LogArchive): string {
  return files.at(-1)?.path ?? 'the decision log'
}
