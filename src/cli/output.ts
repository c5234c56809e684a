/**
 * What goes where: results to stdout, everything else to stderr. `error:` says what went wrong,
 * `hint:` the next step; no capital at the start, no full stop at the end. Whatever came from
 * outside is printed with its control and bidirectional characters escaped, so that a session name
 * cannot repaint a terminal.
 *
 * @module
 */
import { styleText } from 'node:util'
import type { Found, Output, Window } from '../deps.ts'

/** Where text goes: a standard stream, or a list in a test. */
export interface Sink {
  write(text: string): void
  /** Whether colours are wanted there. */
  readonly hasColor: boolean
  /** The size of its window, now. Absent where it is no terminal. */
  readonly window?: () => Window
  /** Waits until more can be taken; resolves to whether anybody still reads. */
  readonly ready?: () => Promise<boolean>
}

interface OutputOptions {
  readonly stdout: Sink
  readonly form: Found<'text' | 'json'>
  /** Where progress is shown. Absent: nowhere. */
  readonly stderr?: Sink
}

/** Prints results to `stdout`, in the form that `--output` asks for. */
export function createOutput({ stdout, stderr, form }: OutputOptions): Output {
  let isProgressShown = false

  const progress = (text: string) => {
    if (!stderr?.window || (text === '' && !isProgressShown)) return
    // A line that fills the window would wrap, and only its last piece would be taken away.
    const shown = fit(printable(text), stderr.window().columns - 1)
    stderr.write(`${START_OF_LINE}${shown}${END_OF_LINE}`)
    isProgressShown = text !== ''
  }

  const write = (text: string) => {
    progress('')
    stdout.write(text)
  }

  return {
    form,
    print: (text, data) => write(`${form.value === 'json' ? toJSON(data, 2) : printable(text)}\n`),
    printRaw: write,
    async stream(piece) {
      write(piece)
      return (await stdout.ready?.()) ?? true
    },
    window: () => stdout.window?.(),
    progress,
  }
}

const START_OF_LINE = '\r'
/** Erases what is to the right of the cursor. */
const END_OF_LINE = '\u001b[K'

const COLORS = {
  error: 'red',
  bug: 'red',
  refused: 'red',
  warning: 'yellow',
  hint: 'cyan',
  note: 'dim',
} as const

/** Writes `kind: text` to `stderr`: one line, whatever is quoted in it, but for a bug's stack. */
export function complain(stderr: Sink, kind: keyof typeof COLORS, text: string): void {
  const label = `${kind}:`
  const shown = stderr.hasColor ? styleText(COLORS[kind], label, { validateStream: false }) : label
  const told = kind === 'bug' ? text : text.replaceAll('\n', '\\n')
  stderr.write(`${shown} ${printable(told)}\n`)
}

/** `text` with every character escaped that a terminal would act on, but for newline and tab. */
export function printable(text: string): string {
  const unsafe = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
  return text.replace(unsafe, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/**
 * `data` as JSON that a terminal acts on as little as on {@link printable}, for programs the same.
 */
export function toJSON(data: unknown, indent?: number): string {
  return printable(JSON.stringify(data, null, indent))
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

/** `text` cut to `width` columns of a terminal, with an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let shown = ''
  let used = 1
  for (const character of text) {
    used += widthOf(character)
    if (used > width) break
    shown += character
  }
  return width < 1 ? '' : `${shown}…`
}

/**
 * How many columns `text` takes at most. Beyond the alphabets and their dashes, quotes and dots
 * every character counts as a wide one: too much only leaves a gap, too little would break a line
 * in two.
 */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += /[\0-\u10ff\u2010-\u2027]/u.test(character) ? 1 : 2
  return width
}
