/**
 * What goes where: results to stdout, everything else to stderr. `error:` says what went wrong,
 * `hint:` the next step; no capital at the start, no full stop at the end. Whatever came from
 * outside is printed with its control and bidirectional characters escaped, so that a session name
 * cannot repaint a terminal.
 *
 * @module
 */
import { styleText } from 'node:util'
import type { Output } from '../deps.ts'

/** Where text goes: a standard stream, or a list in a test. */
export interface Sink {
  write(text: string): void
  /** Whether colours are wanted there. */
  readonly hasColor: boolean
}

/** Prints results to `stdout`, in the form that `--output` asks for. */
export function createOutput(stdout: Sink, format: 'text' | 'json'): Output {
  return {
    print(text, data) {
      stdout.write(
        format === 'json' ? `${JSON.stringify(data, null, 2)}\n` : `${printable(text)}\n`,
      )
    },
    printRaw: (text) => stdout.write(text),
  }
}

const COLORS = {
  error: 'red',
  bug: 'red',
  refused: 'red',
  warning: 'yellow',
  hint: 'cyan',
  note: 'dim',
} as const

/** Writes `kind: text`, one line, to `stderr`. */
export function complain(stderr: Sink, kind: keyof typeof COLORS, text: string): void {
  const label = `${kind}:`
  const shown = stderr.hasColor ? styleText(COLORS[kind], label, { validateStream: false }) : label
  stderr.write(`${shown} ${printable(text)}\n`)
}

/** `text` with every character escaped that a terminal would act on, but for newline and tab. */
export function printable(text: string): string {
  const unsafe = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
  return text.replace(unsafe, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Rows as aligned columns, two spaces apart; the last column is left as long as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
