/**
 * Records in rows: as a table for people, as CSV or JSON for programs. Rows are printed as they
 * come; none is kept.
 *
 * @module
 */
import type { Output } from '../deps.ts'
import { csvLine } from './csv.ts'
import { fit, toJSON, widthOf } from './output.ts'
import type { RowFormat } from './session-table.ts'

/** How one kind of record is shown in a row. */
export interface RowKind<Shown> {
  /** Of the table: what matters most first, since a narrow window breaks the rest. */
  readonly columns: readonly {
    readonly heading: string
    /** At least so wide: a longer cell makes it wider from there on. */
    readonly width: number
    /** At most so wide on a terminal: a longer cell is cut. Absent: as wide as it gets. */
    readonly most?: number
    /** Of an id, on a terminal: so many characters are enough to name it by. */
    readonly enough?: number
    cell(shown: Shown): string
  }[]
  /** The names of the fields that CSV has, in order. */
  readonly fields: readonly string[]
  /** The record as programs see it: JSON has all of it. */
  fieldsOf(shown: Shown): Readonly<Record<string, unknown>>
}

/** Writes records one by one. */
export interface RowWriter<Shown> {
  /** Resolves to whether anybody still reads. */
  write(shown: Shown): Promise<boolean>
  /** Writes what must stand at the end; to be called once, when all are written. */
  end(): Promise<void>
}

/** Begins a list of records on `out`. */
export function openRowWriter<Shown>(
  out: Pick<Output, 'stream' | 'window'>,
  format: RowFormat,
  kind: RowKind<Shown>,
): RowWriter<Shown> {
  switch (format) {
    case 'table':
      return tableRows(out, kind)
    case 'csv':
    case 'json':
      return openFieldWriter(out, format, kind)
  }
}

/** As {@link openRowWriter}, for programs alone. */
export function openFieldWriter<Shown>(
  out: Pick<Output, 'stream'>,
  format: 'csv' | 'json',
  kind: Pick<RowKind<Shown>, 'fields' | 'fieldsOf'>,
): RowWriter<Shown> {
  return format === 'csv' ? csvRows(out, kind) : jsonRows(out, kind)
}

/** Whoever filters lines gets whole cells; on a terminal a line is to fit. */
function tableRows<Shown>(
  out: Pick<Output, 'stream' | 'window'>,
  { columns }: RowKind<Shown>,
): RowWriter<Shown> {
  const isTerminal = out.window() !== undefined
  const widths = columns.map(({ width }) => width)
  const line = (cells: readonly string[]) => {
    const padded = cells.map((whole, index) => {
      const { most = Infinity, enough } = columns[index] ?? {}
      const cell = isTerminal ? fit(whole.slice(0, enough), most) : whole
      const width = Math.max(widths[index] ?? 0, widthOf(cell))
      widths[index] = width
      return cell + ' '.repeat(width - widthOf(cell))
    })
    return `${padded.join('  ').trimEnd()}\n`
  }
  let isFirst = true
  return {
    async write(shown) {
      const row = line(columns.map((column) => column.cell(shown)))
      // After the first row, whose cells may have made the columns wider.
      const heading = isFirst ? line(columns.map((column) => column.heading)) : ''
      isFirst = false
      return await out.stream(heading + row)
    },
    async end() {},
  }
}

function csvRows<Shown>(
  out: Pick<Output, 'stream'>,
  { fields, fieldsOf }: Pick<RowKind<Shown>, 'fields' | 'fieldsOf'>,
): RowWriter<Shown> {
  let heading = csvLine(fields)
  return {
    async write(shown) {
      const values = fieldsOf(shown)
      const text = heading + csvLine(fields.map((name) => toCell(values[name])))
      heading = ''
      return await out.stream(text)
    },
    async end() {
      if (heading !== '') await out.stream(heading)
    },
  }
}

function toCell(value: unknown): string | number | null {
  if (value === undefined || value === null) return null
  return typeof value === 'number' ? value : String(value)
}

function jsonRows<Shown>(
  out: Pick<Output, 'stream'>,
  { fieldsOf }: Pick<RowKind<Shown>, 'fieldsOf'>,
): RowWriter<Shown> {
  let before = '[\n'
  return {
    async write(shown) {
      const text = `${before}  ${toJSON(fieldsOf(shown))}`
      before = ',\n'
      return await out.stream(text)
    },
    async end() {
      await out.stream(before === '[\n' ? '[]\n' : '\n]\n')
    },
  }
}
