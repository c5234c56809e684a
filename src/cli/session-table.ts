/**
 * Sessions in rows: as a table for people, as CSV or JSON for programs. Rows are printed as they
 * come; none is kept.
 *
 * @module
 */
import type { ShownSession } from '../app/list-sessions.ts'
import type { Output } from '../deps.ts'
import { type Instant, SECOND, toSeconds } from '../domain/time.ts'
import { csvLine } from './csv.ts'
import { printable, toJSON, widthOf } from './output.ts'
import { SESSION_FIELDS, sessionFields } from './session-fields.ts'

export type RowFormat = 'table' | 'csv' | 'json'

/** Writes sessions one by one. */
export interface RowWriter {
  /** Resolves to whether anybody still reads. */
  write(shown: ShownSession): Promise<boolean>
  /** Writes what must stand at the end; to be called once, when all are written. */
  end(): Promise<void>
}

/** Begins a list of sessions on `out`. */
export function openRows(out: Pick<Output, 'stream'>, format: RowFormat): RowWriter {
  switch (format) {
    case 'table':
      return tableRows(out)
    case 'csv':
      return csvRows(out)
    case 'json':
      return jsonRows(out)
  }
}

/** What matters most in a narrow window comes first. */
const HEADINGS = [
  'ID',
  'STATUS',
  'USER',
  'PROFILE',
  'CREDENTIALS UNTIL',
  'STARTED',
  'LAST USED',
  'SERVED',
]

/** What each column is at least wide: a longer cell makes it wider from there on. */
const WIDTHS = [16, 7, 12, 12, 20, 20, 20, 6]

/** Lays cells out in the columns of a table of sessions, each line on its own. */
export function createLayout(): { heading(): string; row(shown: ShownSession): string } {
  const widths = [...WIDTHS]
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const width = Math.max(widths[index] ?? 0, widthOf(cell))
        widths[index] = width
        return cell + ' '.repeat(width - widthOf(cell))
      })
      .join('  ')
      .trimEnd()
  return { heading: () => line(HEADINGS), row: (shown) => line(cellsOf(shown)) }
}

/** The time until when credentials may still work, rounded up so that it is never too early. */
export function mayWorkUntil(expiresAt: Instant): string {
  return toSeconds(Math.ceil(expiresAt / SECOND) * SECOND)
}

/** `text` in one line of a terminal, with everything escaped that would break out of it. */
export function inOneLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

function cellsOf({ session, status }: ShownSession): string[] {
  return [
    session.id,
    status,
    inOneLine(session.user),
    inOneLine(session.profile),
    mayWorkUntil(session.expiresAt),
    toSeconds(session.startedAt),
    session.lastAccessAt === undefined ? '-' : toSeconds(session.lastAccessAt),
    String(session.requestCount),
  ]
}

function tableRows(out: Pick<Output, 'stream'>): RowWriter {
  const layout = createLayout()
  let heading = `${layout.heading()}\n`
  return {
    async write(shown) {
      const text = `${heading}${layout.row(shown)}\n`
      heading = ''
      return await out.stream(text)
    },
    async end() {},
  }
}

function csvRows(out: Pick<Output, 'stream'>): RowWriter {
  let heading = csvLine(SESSION_FIELDS)
  return {
    async write(shown) {
      const fields = sessionFields(shown)
      const text = heading + csvLine(SESSION_FIELDS.map((name) => fields[name] ?? null))
      heading = ''
      return await out.stream(text)
    },
    async end() {
      if (heading !== '') await out.stream(heading)
    },
  }
}

function jsonRows(out: Pick<Output, 'stream'>): RowWriter {
  let before = '[\n'
  return {
    async write(shown) {
      const text = `${before}  ${toJSON(sessionFields(shown))}`
      before = ',\n'
      return await out.stream(text)
    },
    async end() {
      await out.stream(before === '[\n' ? '[]\n' : '\n]\n')
    },
  }
}
