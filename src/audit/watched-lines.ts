import type { Claim, ClaimOutcome } from '../ports/log-archive.ts'
import type { LogFileSelection } from './archive-files.ts'
import type { Link } from './chain-link.ts'
import { Chains, readChains } from './chains.ts'
import type { NamedHead } from './named-heads.ts'
import type { ReadingOptions } from './read-lines.ts'
import { isBefore, RECOVERED_MAX } from './recoveries.ts'

/** Reads a log for the lines that `claims` name. */
export async function watchLines(
  files: LogFileSelection,
  claims: readonly Claim[],
  options: ReadingOptions,
): Promise<WatchedLines> {
  const watched = new WatchedLines(claims)
  const chains = new Chains({
    extent: 'whole',
    listener: {
      onRecord: (stream, link) => watched.see(stream, link),
      onAnnulled: (stream, link) => watched.annul(stream, link),
    },
  })
  await readChains(chains, files, options)
  return watched
}

/** How many lines may come between somebody's look at the file and their own line. */
const BETWEEN_MAX = 64

/** What is seen, while a log is read, of lines that somebody names. */
class WatchedLines {
  readonly #claims: readonly Claim[]
  /** By stream and {@link keyOf}: what was seen of the lines that are claimed. */
  readonly #ofStream = new Map<string, Map<string, 'present' | 'annulled' | undefined>>()
  /** How much of a hash the claims give. */
  readonly #lengths: ReadonlySet<number>
  /** How far streams that are watched go. */
  readonly #ends = new Map<string, number>()
  /** The last `recovered` record with a number, of streams that are watched. */
  readonly #recovered = new Map<string, Map<number, Link>>()

  constructor(claims: readonly Claim[]) {
    this.#claims = claims
    this.#lengths = new Set(claims.map(({ hash }) => hash.length))
    for (const claim of claims) {
      const { stream, seq, hash } = claim
      this.#ofStream.getOrInsertComputed(stream, () => new Map()).set(keyOf(seq, hash), undefined)
    }
  }

  see(stream: string, link: Link): void {
    const claims = this.#ofStream.get(stream)
    if (!claims) return
    this.#ends.set(stream, link.seq)
    this.#mark(claims, link, 'present')
    if (link.type !== 'recovered') return
    this.#recovered.getOrInsertComputed(stream, () => new Map()).set(link.seq, link)
  }

  annul(stream: string, link: Link): void {
    const claims = this.#ofStream.get(stream)
    if (claims) this.#mark(claims, link, 'annulled')
  }

  /** In the order of the claims, once all is read. */
  outcomes(): readonly ClaimOutcome[] {
    return this.#claims.map(({ stream, seq, hash }) => {
      const isReached = seq !== undefined && seq <= (this.#ends.get(stream) ?? 0)
      const seen = this.#ofStream.get(stream)?.get(keyOf(seq, hash))
      return seen ?? (isReached ? 'different' : 'absent')
    })
  }

  /**
   * Whether a line that `by` names may have been taken back and be lost as well. Whoever named it
   * had read it a moment before: so what took it back stands behind `by`, or came in between.
   */
  mayBeLost({ stream, seq, by }: NamedHead): boolean {
    const recovered = this.#recovered.get(stream)
    for (let first = seq; recovered && first > seq - RECOVERED_MAX; first--) {
      const later = recovered.get(first)
      if (!later) continue
      const isNear = by.file === later.file && by.line <= later.line + BETWEEN_MAX
      if (isNear || isBefore(by, later)) return true
    }
    return false
  }

  #mark(
    claims: Map<string, 'present' | 'annulled' | undefined>,
    { seq, hash }: Link,
    outcome: 'present' | 'annulled',
  ): void {
    for (const length of this.#lengths) {
      const short = hash.slice(0, length)
      for (const key of [keyOf(seq, short), keyOf(undefined, short)]) {
        if (claims.has(key)) claims.set(key, outcome)
      }
    }
  }
}

/** Tells a claimed line from the others of its stream, by as much as is known of it. */
function keyOf(seq: number | undefined, hash: string): string {
  return `${seq ?? ''}:${hash}`
}
