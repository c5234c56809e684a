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
  /** A longer cell is cut. */
  readonly most: number
  cell(archived: ArchivedRecord): unknown
}

/** The last one takes what the others leave of a line. */
const COLUMNS: readonly Column[] = [
  {
    heading: 'TIME',
    width: 20,
    most: 20,
    cell: ({ record }) => String(record.time).replace(/\.\d+Z$/, 'Z'),
  },
  { heading: 'WHAT', width: 10, most: 21, cell: ({ record }) => describeWhat(record) },
  { heading: 'USER', width: 8, most: 14, cell: ({ record }) => record.user ?? '-' },
  { heading: 'PROFILE', width: 7, most: 12, cell: ({ record }) => record.profile ?? '-' },
  { heading: 'WHY', width: 0, most: Number.POSITIVE_INFINITY, cell: describeWhy },
]

/** Shown where a line has room for it. */
const REQUEST: Column = {
  heading: 'REQUEST',
  width: 20,
  most: 20,
  cell: ({ record }) => record.request_id ?? '-',
}
const ROOM_FOR_REQUEST = 110
/** Of a line that goes to no terminal. */
const STANDARD_WIDTH = 80

function tableRows(out: Pick<Output, 'stream' | 'window'>): RowWriter<ArchivedRecord> {
  const width = out.window()?.columns ?? STANDARD_WIDTH
  const columns =
    width < ROOM_FOR_REQUEST ? COLUMNS : [...COLUMNS.slice(0, -1), REQUEST, ...COLUMNS.slice(-1)]
  let heading = layOut(columns, width, ({ heading }) => heading)
  return {
    async write(archived) {
      const text = heading + layOut(columns, width, (column) => column.cell(archived))
      heading = ''
      return await out.stream(text)
    },
    async end() {},
  }
}

/** A line of `width` columns: a cell that is too wide moves the others of its line alone. */
function layOut(
  columns: readonly Column[],
  width: number,
  cellOf: (column: Column) => unknown,
): string {
  let line = ''
  for (const column of columns) {
    const cell = fit(inOneLine(String(cellOf(column))), column.most)
    line += `${cell}${' '.repeat(Math.max(0, column.width - widthOf(cell)))}  `
  }
  return `${fit(line.trimEnd(), width)}\n`
}

function jsonLines(out: Pick<Output, 'stream'>): RowWriter<ArchivedRecord> {
  return {
    write: (archived) => out.stream(`${toJSON(wholeRecord(archived))}\n`),
    async end() {},
  }
}
