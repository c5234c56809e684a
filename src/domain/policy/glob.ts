/**
 * Whether `pattern` matches the whole of `text`. `*` stands for any run of characters, the empty
 * one too; everything else, `?` and `[` included, for itself. Case counts.
 *
 * Every piece between two stars is sought once, from left to right: the leftmost place is never
 * worse than a later one, so nothing is ever tried again.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const firstStar = pattern.indexOf('*')
  if (firstStar < 0) return pattern === text

  if (!isSame(pattern, 0, text, 0, firstStar)) return false
  const lastStar = pattern.lastIndexOf('*')
  const end = text.length - (pattern.length - lastStar - 1)
  if (!isSame(pattern, lastStar + 1, text, end, text.length - end)) return false

  let position = firstStar
  for (let star = firstStar; star < lastStar; ) {
    const nextStar = pattern.indexOf('*', star + 1)
    const piece = pattern.slice(star + 1, nextStar)
    const found = text.indexOf(piece, position)
    if (found < 0) return false
    position = found + piece.length
    star = nextStar
  }
  // Head, pieces and tail may not share characters: `ab*ba` does not match `aba`.
  return position <= end
}

/** Compares without cutting strings up: most rules fail here, and there may be a thousand. */
function isSame(a: string, fromA: number, b: string, fromB: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(fromA + i) !== b.charCodeAt(fromB + i)) return false
  }
  return true
}
