import { distance } from 'fastest-levenshtein'

/** Past this length nobody mistypes a known word, and comparing would cost a hostile document. */
const WORD_MAX = 48

/**
 * What `word` was probably meant to be: the candidate that differs least, in case and signs not at
 * all (`maxDuration`), or one that it begins (`mon`).
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined
  const plain = fold(word)
  const exact = candidates.find((candidate) => fold(candidate) === plain)
  if (exact !== undefined) return exact

  const mistakesMax = Math.floor(plain.length / 3)
  const [best] = candidates
    .map((candidate) => ({ candidate, mistakes: distance(plain, fold(candidate)) }))
    .filter(({ mistakes }) => mistakes <= mistakesMax)
    .sort((a, b) => a.mistakes - b.mistakes)
  if (best !== undefined) return best.candidate
  return plain.length < 3
    ? undefined
    : candidates.find((candidate) => fold(candidate).startsWith(plain))
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
}
