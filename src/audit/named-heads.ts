import { type Head, parseHead, type StreamHead } from '../domain/log-head.ts'
import type { Link } from './chain-link.ts'
import type { Findings } from './findings.ts'
import type { StreamChain } from './stream-chain.ts'

/** A head of another stream that a line names, and that was not there lately. */
export interface NamedHead extends StreamHead {
  readonly by: Link
}

/**
 * The heads of other streams that lines name: whoever wrote them had just read these lines, so they
 * are found among the last of their streams. The few that are not are looked for once more.
 */
export class NamedHeads {
  #missed: NamedHead[] = []

  /**
   * Looks for the heads that `by` names, and says whether they are such. `chainOf`: a stream's
   * chain, or its last line.
   */
  look(
    heads: unknown,
    by: Link,
    chainOf: (stream: string) => StreamChain | Head | undefined,
  ): 'heads' | 'malformed' {
    if (typeof heads !== 'object' || heads === null) return 'malformed'
    for (const [stream, text] of Object.entries(heads)) {
      const head = typeof text === 'string' ? parseHead(text) : undefined
      if (!head) return 'malformed'
      const chain = chainOf(stream)
      const isThere =
        chain && 'has' in chain ? chain.has(head.seq, head.hash) : chain?.hash === head.hash
      if (!isThere) this.#missed.push({ stream, ...head, by })
    }
    return 'heads'
  }

  /** Those that were not found, as far as the lines that name them count. */
  get missed(): readonly NamedHead[] {
    this.#missed = this.#missed.filter(({ by }) => !by.isAnnulled && !by.isSuspect)
    return this.#missed
  }
}

/** Tells of heads that are nowhere in the log: of a stream that was cut or changed, once. */
export function tellOfMissing(
  missing: readonly NamedHead[],
  findings: Findings,
  streams: { readonly heads: ReadonlyMap<string, Head>; readonly paths: readonly string[] },
): void {
  for (const named of Map.groupBy(missing, ({ stream }) => stream).values()) {
    const last = named.reduce((a, b) => (a.seq < b.seq ? b : a))
    const { stream, seq, by } = last
    const end = streams.heads.get(stream)?.seq ?? 0
    const namer = `${streams.paths[by.file]}:${by.line}`
    if (seq > end) {
      const what = end === 0 ? 'the stream is gone' : `the stream is cut behind line ${end}`
      const detail = `${what}: ${namer} names its line ${seq}`
      findings.add({ fault: 'missing', stream, seq, detail })
      continue
    }
    // What was changed in a stream was told of already, and where.
    if (findings.has(stream, seq)) continue
    const detail = `line ${seq} of the stream is another one than ${namer} names`
    findings.add({ fault: 'edited', stream, seq, detail })
  }
}
