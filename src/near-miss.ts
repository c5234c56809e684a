import { distance } from 'fastest-levenshtein'

/** The candidate that `word` is a slip of the pen for, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = nearOnes(word, candidates)
  return best
}

/** Candidates near `word`, the nearest first. */
export function nearOnes(word: string, candidates: readonly string[]): readonly string[] {
  const typed = word.toLowerCase()
  // Two letters swapped are two mistakes, also in a short word.
  const limit = typed.length < 4 ? 1 : Math.max(2, Math.floor(typed.length / 3))
  return candidates
    .map((candidate) => ({ candidate, away: distance(typed, candidate.toLowerCase()) }))
    .filter(({ away, candidate }) => away <= limit || isPrefix(typed, candidate.toLowerCase()))
    .toSorted((a, b) => a.away - b.away)
    .map(({ candidate }) => candidate)
}

function isPrefix(typed: string, candidate: string): boolean {
  return typed.length >= 3 && candidate.startsWith(typed)
}
