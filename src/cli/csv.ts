import { printable } from './output.ts'

/**
 * One line of CSV (RFC 4180, with a newline alone at its end). What a spreadsheet would take for a
 * formula gets an apostrophe in front: names and reasons come from whoever started the session.
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\n`
}

function csvCell(cell: string | number | null): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = printable(/^\s*[=+\-@\t\r＝＋－＠]/.test(cell) ? `'${cell}` : cell)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
