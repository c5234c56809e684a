/** A place in a document, as editors count: from 1, in characters rather than in bytes. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Answers where in a document an offset lies, in time that grows with the length of the line. */
export type PositionOf = (offset: number) => Position

/** The positions in `text`. An offset past its end is the end. */
export function positionsOf(text: string): PositionOf {
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) {
    starts.push(end + 1)
  }

  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: [...text.slice(starts[low], offset)].length + 1 }
  }
}
