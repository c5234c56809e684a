import type { Output } from '../deps.ts'
import { fit } from './output.ts'

const UP = (lines: number) => `\u001b[${lines}A`
const END_OF_LINE = '\u001b[K'
const END_OF_SCREEN = '\u001b[J'
const CLEAR = '\u001b[2J\u001b[H'

/** A few lines of a terminal that are drawn again in place. */
export interface LiveTable {
  /** Draws what `linesOf` makes of the number of lines there are. */
  draw(linesOf: (height: number) => readonly string[]): Promise<boolean>
}

/**
 * Opens a table on the terminal that `out` goes to. Lines are overwritten, never erased first, and
 * in one write, so nothing flickers; the cursor stays below and visible, so that a Ctrl-C at any
 * moment leaves the last state and a sane terminal.
 */
export function openLiveTable(out: Pick<Output, 'stream' | 'window'>): LiveTable {
  let drawn = 0
  let size = ''
  return {
    draw(linesOf) {
      const { columns, rows } = out.window() ?? { columns: 80, rows: 24 }
      // The last column stays free, as some terminals break a line that reaches it, and so does the
      // last line, where the cursor is.
      const lines = linesOf(rows - 1)
        .slice(0, rows - 1)
        .map((line) => `${fit(line, columns - 1)}${END_OF_LINE}\n`)
      const hasNewSize = size !== '' && size !== `${columns}x${rows}`
      // Where lines went that were broken anew, terminals do not agree about.
      const start = hasNewSize ? CLEAR : drawn > 0 ? UP(drawn) : ''
      size = `${columns}x${rows}`
      drawn = lines.length
      return out.stream(`${start}${lines.join('')}${END_OF_SCREEN}`)
    },
  }
}
