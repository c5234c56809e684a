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

  const lastStar = pattern.lastIndexOf('*')
  const tail = pattern.slice(lastStar + 1)
  // Head and tail may not share characters: `ab*ba` does not match `aba`.
  const end = text.length - tail.length
  if (end < firstStar) return false
  if (!text.startsWith(pattern.slice(0, firstStar)) || !text.endsWith(tail)) return false

  let position = firstStar
  for (let star = firstStar; star < lastStar; ) {
    const nextStar = pattern.indexOf('*', star + 1)
    const piece = pattern.slice(star + 1, nextStar)
    const found = text.indexOf(piece, position)
    if (found < 0) return false
    position = found + piece.length
    star = nextStar
  }
  return position <= end
}
