/**
 * What was counted in the decision log: for people with bars where there is a terminal, as CSV or
 * JSON for programs.
 *
 * @module
 */
import {
  asked,
  type LogStats,
  type StatKey,
  type StatRow,
  type StatSection,
  type Tally,
} from '../app/log-stats.ts'
import { csvLine } from './csv.ts'
import { fit, toJSON, widthOf } from './output.ts'
import { inOneLine } from './session-table.ts'

const COUNTS = ['issued', 'served', 'refused', 'failed'] as const satisfies (keyof Tally)[]

/** What each part of a bar stands for; what was served again was asked for once. */
const PARTS = [
  { count: 'issued', mark: '█' },
  { count: 'refused', mark: '▒' },
  { count: 'failed', mark: '░' },
] as const satisfies { count: keyof Tally; mark: string }[]

/** What stands for a value that records do not have. */
const NOTHING: Readonly<Record<StatKey, string>> = {
  user: '(unknown)',
  profile: '(no profile)',
  rule: '(no rule)',
  hour: '(unknown)',
  outcome: '(unknown)',
}

const OTHERS = '(others)'
const LABEL_MAX = 28
const LABEL_MIN = 16
const BAR_MIN = 8
const BAR_MAX = 60

/** `stats` with the first rows of each section alone, and all others in one. */
export function cutRows(stats: LogStats, most: number): LogStats {
  return { ...stats, sections: stats.sections.map((section) => cutSection(section, most)) }
}

function cutSection({ by, rows, others }: StatSection, most: number): StatSection {
  // A day has few hours, and they stand in their order.
  if (by === 'hour' || rows.length <= most) return { by, rows, ...(others && { others }) }
  const rest = [...rows.slice(most), ...(others ? [others] : [])]
  return { by, rows: rows.slice(0, most), others: rest.reduce(add) }
}

function add(a: Tally, b: Tally): Tally {
  return {
    issued: a.issued + b.issued,
    served: a.served + b.served,
    refused: a.refused + b.refused,
    failed: a.failed + b.failed,
  }
}

/** `stats` for people. `columns`: of the terminal it is for; without one there are no bars. */
export function renderStats(stats: LogStats, columns: number | undefined): string {
  const { from, to, total, sections } = stats
  const period = `${seconds(from)} to ${seconds(to)}`
  const parts = [
    period,
    table('TOTAL', [{ label: '', tally: total }], undefined),
    ...sections.map((section) => table(headingOf(section.by), linesOf(section), columns)),
  ]
  const legend = PARTS.map(({ count, mark }) => `${mark} ${count}`).join('  ')
  return `${[...parts, ...(columns === undefined ? [] : [legend])].join('\n\n')}\n`
}

interface TableLine {
  readonly label: string
  readonly tally: Tally
}

function headingOf(by: StatKey): string {
  return by === 'hour' ? 'HOUR (UTC)' : by.toUpperCase()
}

function linesOf({ by, rows, others }: StatSection): TableLine[] {
  const lines = rows.map((row) => ({ label: labelOf(row, by), tally: row }))
  return others ? [...lines, { label: OTHERS, tally: others }] : lines
}

function labelOf({ key }: StatRow, by: StatKey): string {
  return key === undefined ? NOTHING[by] : fit(inOneLine(String(key)), LABEL_MAX)
}

function table(heading: string, lines: readonly TableLine[], columns: number | undefined): string {
  const width = Math.max(LABEL_MIN, ...[heading, ...lines.map(({ label }) => label)].map(widthOf))
  const widths = COUNTS.map((count) =>
    Math.max(count.length, ...lines.map(({ tally }) => String(tally[count]).length)),
  )
  const row = (label: string, cells: readonly string[]) =>
    [
      label + ' '.repeat(width - widthOf(label)),
      ...cells.map((cell, index) => cell.padStart(widths[index] ?? 0)),
    ].join('  ')
  const used = row('', COUNTS).length + 2
  const bar = barOf(lines, columns === undefined ? 0 : columns - used)
  return [
    row(
      heading,
      COUNTS.map((count) => count.toUpperCase()),
    ),
    ...lines.map(({ label, tally }) =>
      `${row(
        label,
        COUNTS.map((count) => String(tally[count])),
      )}  ${bar(tally)}`.trimEnd(),
    ),
  ].join('\n')
}

/** Draws bars of which the longest takes `room`, if that is enough to tell them apart. */
function barOf(lines: readonly TableLine[], room: number): (tally: Tally) => string {
  const most = Math.max(1, ...lines.map(({ tally }) => asked(tally)))
  const scale = Math.min(room, BAR_MAX) / most
  if (room < BAR_MIN) return () => ''
  return (tally) => {
    let sum = 0
    let bar = ''
    for (const { count, mark } of PARTS) {
      sum += tally[count]
      // Each part ends where it does in the whole, so that bars of one sum are of one length.
      const end = Math.round(sum * scale)
      bar += mark.repeat(end - bar.length)
    }
    return bar === '' && sum > 0 ? (PARTS.find(({ count }) => tally[count] > 0)?.mark ?? '') : bar
  }
}

/** `stats` for programs: `key` is `null` for records that do not say. */
export function statsJSON(stats: LogStats): string {
  const sections = stats.sections.map(({ rows, ...section }) => ({
    ...section,
    rows: rows.map((row) => ({ ...row, key: row.key ?? null })),
  }))
  return `${toJSON({ ...stats, sections }, 2)}\n`
}

/** A line for each value of each key; `sum` says `others` of the one for all that have no line. */
export function statsCSV({ total, sections }: LogStats): string {
  const line = (by: string, key: string, sum: string, tally: Tally) =>
    csvLine([by, key, sum, ...COUNTS.map((count) => tally[count])])
  const rows = sections.flatMap(({ by, rows, others }) => [
    ...rows.map((row) => line(by, row.key ?? '', 'one', row)),
    ...(others ? [line(by, '', 'others', others)] : []),
  ])
  return [csvLine(['by', 'key', 'sum', ...COUNTS]), ...rows, line('', '', 'total', total)].join('')
}

function seconds(time: string | undefined): string {
  return inOneLine(String(time ?? '-')).replace(/\.\d+Z$/, 'Z')
}
