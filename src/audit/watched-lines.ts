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
  readonly #ofStream = new Map<string, Claim[]>()
  readonly #seen = new Map<Claim, 'present' | 'annulled'>()
  /** How far streams that are watched go. */
  readonly #ends = new Map<string, number>()
  /** The `recovered` records of streams that are watched. */
  readonly #recovered = new Map<string, Link[]>()

  constructor(claims: readonly Claim[]) {
    this.#claims = claims
    for (const claim of claims) this.#ofStream.getOrInsert(claim.stream, []).push(claim)
  }

  see(stream: string, link: Link): void {
    const claims = this.#ofStream.get(stream)
    if (!claims) return
    this.#ends.set(stream, link.seq)
    this.#mark(claims, link, 'present')
    if (link.type === 'recovered') this.#recovered.getOrInsert(stream, []).push(link)
  }

  annul(stream: string, link: Link): void {
    this.#mark(this.#ofStream.get(stream) ?? [], link, 'annulled')
  }

  /** In the order of the claims, once all is read. */
  outcomes(): readonly ClaimOutcome[] {
    return this.#claims.map((claim) => {
      const isReached = claim.seq !== undefined && claim.seq <= (this.#ends.get(claim.stream) ?? 0)
      return this.#seen.get(claim) ?? (isReached ? 'different' : 'absent')
    })
  }

  /**
   * Whether a line that `by` names may have been taken back and be lost as well. Whoever named it
   * had read it a moment before: so what took it back stands behind `by`, or came in between.
   */
  mayBeLost({ stream, seq, by }: NamedHead): boolean {
    const recovered = this.#recovered.get(stream) ?? []
    return recovered.some(
      (later) =>
        later.seq <= seq &&
        seq < later.seq + RECOVERED_MAX &&
        (isBefore(by, later) || (by.file === later.file && by.line <= later.line + BETWEEN_MAX)),
    )
  }

  #mark(claims: readonly Claim[], { seq, hash }: Link, outcome: 'present' | 'annulled'): void {
    for (const claim of claims) {
      if (claim.seq !== undefined && claim.seq !== seq) continue
      if (hash.startsWith(claim.hash)) this.#seen.set(claim, outcome)
    }
  }
}
