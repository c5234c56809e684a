/**
 * Records of the decision log in rows: as a table for people, as CSV or JSON for programs. Rows are
 * printed as they come; none is kept.
 *
 * @module
 */
import type { Output } from '../deps.ts'
import type { ArchivedRecord } from '../ports/log-archive.ts'
import { flatFields, RECORD_FIELDS, wholeRecord } from './audit-record-fields.ts'
import { describeWhat, describeWhy } from './audit-record-words.ts'
import { fit, toJSON, widthOf } from './output.ts'
import { openFieldWriter, type RowWriter } from './row-writer.ts'
import { inOneLine, type RowFormat } from './session-table.ts'

/** Begins a list of records on `out`; JSON that goes on for ever has a record a line. */
export function openRecordRows(
  out: Pick<Output, 'stream' | 'window'>,
  format: RowFormat,
  extent: 'finite' | 'endless',
): RowWriter<ArchivedRecord> {
  if (format === 'table') return tableRows(out)
  if (format === 'csv') {
    return openFieldWriter(out, 'csv', { fields: RECORD_FIELDS, fieldsOf: flatFields })
  }
  if (extent === 'endless') return jsonLines(out)
  return openFieldWriter(out, 'json', { fields: RECORD_FIELDS, fieldsOf: wholeRecord })
}

interface Column {
  readonly heading: string
  readonly width: number
  /** Where nothing is cut; absent: as {@link width}. */
  readonly wholeWidth?: number
  cell({ record }: ArchivedRecord): string
  /** On a terminal: a longer cell is cut, an id to what is enough to name it by. */
  fit(cell: string): string
}

const COLUMNS: readonly Column[] = [
  {
    heading: 'TIME',
    width: 20,
    cell: ({ record }) => String(record.time).replace(/\.\d+Z$/, 'Z'),
    fit: (cell) => fit(cell, 20),
  },
  // As wide as `break_glass.started`, so that the columns stand in line.
  {
    heading: 'WHAT',
    width: 19,
    cell: ({ record }) => describeWhat(record),
    fit: (cell) => fit(cell, 21),
  },
  {
    heading: 'USER',
    width: 8,
    cell: ({ record }) => record.user ?? '-',
    fit: (cell) => fit(cell, 13),
  },
  {
    heading: 'PROFILE',
    width: 7,
    cell: ({ record }) => record.profile ?? '-',
    fit: (cell) => fit(cell, 12),
  },
  {
    heading: 'ID',
    width: 8,
    wholeWidth: 20,
    cell: ({ record }) => record.request_id ?? record.subject_id ?? '-',
    fit: (cell) => cell.slice(0, 8),
  },
]

/** Of a terminal: what leaves {@link COLUMNS} room for why, and what they have room in at all. */
const ROOM_FOR_WHY = 120
const ROOM_FOR_COLUMNS = 72

/**
 * A line each, with nothing cut, for whoever filters them; on a terminal as much as fits, and where
 * that is little, why in a line of its own.
 */
function tableRows(out: Pick<Output, 'stream' | 'window'>): RowWriter<ArchivedRecord> {
  let isFirst = true
  return {
    async write(archived) {
      const width = out.window()?.columns
      const lines = [...(isFirst ? headingFor(width) : []), ...linesOf(archived, width)]
      isFirst = false
      return await out.stream(lines.map((line) => `${line}\n`).join(''))
    },
    async end() {},
  }
}

function headingFor(width: number | undefined): readonly string[] {
  const cells = COLUMNS.map(({ heading }) => heading)
  return layOut(cells, 'WHY', width).slice(0, 1)
}

function linesOf(archived: ArchivedRecord, width: number | undefined): readonly string[] {
  const cells = COLUMNS.map(({ cell, fit }) => {
    const whole = inOneLine(String(cell(archived)))
    return width === undefined ? whole : fit(whole)
  })
  return layOut(cells, inOneLine(String(describeWhy(archived))), width)
}

/** A cell that is too wide moves the others of its line alone. */
function layOut(
  cells: readonly string[],
  why: string,
  width: number | undefined,
): readonly string[] {
  const isPadded = width === undefined || width >= ROOM_FOR_COLUMNS
  const widths = COLUMNS.map(({ width: least, wholeWidth = least }) =>
    width === undefined ? wholeWidth : least,
  )
  const padded = cells.map((cell, index) =>
    isPadded ? cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell))) : cell,
  )
  const line = padded.join('  ')
  if (width === undefined) return [`${line}  ${why}`.trimEnd()]
  if (width >= ROOM_FOR_WHY) return [fit(`${line}  ${why}`.trimEnd(), width)]
  const first = fit(line.trimEnd(), width)
  return why === '' ? [first] : [first, fit(`  ${why}`, width)]
}

function jsonLines(out: Pick<Output, 'stream'>): RowWriter<ArchivedRecord> {
  return {
    write: (archived) => out.stream(`${toJSON(wholeRecord(archived))}\n`),
    async end() {},
  }
}
