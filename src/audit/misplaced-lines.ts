import type { Finding, Findings } from './findings.ts'
import type { Position } from './recoveries.ts'

/**
 * A line that stands in no chain: no record at all, or one whose place in a stream was spoilt. It
 * may be what another stream misses.
 */
interface MisplacedLine {
  /** Both of its ends, which say where it belongs, were it whole. */
  readonly ends: string
  readonly at: Position
  /** What is wrong with it whatever comes; absent for a torn line, which may be an accident. */
  readonly finding?: Finding
  /** A stream that is none but for this line. */
  readonly stream?: string
  /** What was said of it, when it turned out to be what a stream misses. */
  claim?: Finding
}

/** A part of a stream that is not there. */
interface Gap {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** The hash of the line before it. */
  readonly after: string
}

/** What stands in the place of a gap. */
interface Explanation {
  /** What is wrong, as long as there is a gap; absent where it is wrong anyway. */
  readonly finding?: Finding
  /** What was taken for a stream, and is only that line. */
  readonly stream?: string
}

/** Further back nobody looks: what broke a chain stands shortly before the break. */
const HELD_MAX = 64

/** The place of a line in its stream stands in its first 60 characters, its link in the last 70. */
const END = 100

/** The lines that stand in no chain, the last of them. */
export class MisplacedLines {
  readonly #findings: Findings
  #held: MisplacedLine[] = []

  constructor(findings: Findings) {
    this.#findings = findings
  }

  add(line: Buffer, at: Position, spoilt: Pick<MisplacedLine, 'finding' | 'stream'> = {}): void {
    const ends = `${line.toString('latin1', 0, END)}\n${line.toString('latin1', Math.max(0, line.length - END))}`
    this.#held.push({ ...spoilt, ends, at })
    if (this.#held.length >= 2 * HELD_MAX) this.#held = this.#held.slice(-HELD_MAX)
  }

  /** Finds what stands in the place of a gap, and says so; `undefined` when nothing does. */
  explain(gap: Gap): Explanation | undefined {
    const line = this.#held.find((held) => this.#mayFill(held, gap))
    if (!line) return undefined
    const stood = `line ${gap.from} of stream ${gap.stream} stood here`
    const where = { stream: gap.stream, seq: gap.from }
    const { finding, stream } = line
    if (finding) {
      // Of two lines that were joined, the first is told of.
      if (!line.claim) Object.assign(finding, { ...where, fault: 'edited', detail: stood })
      line.claim = finding
      return stream === undefined ? {} : { stream }
    }
    if (line.claim && !this.#findings.isDropped(line.claim)) {
      this.#findings.share(line.claim)
      return { finding: line.claim }
    }
    const torn = { ...where, fault: 'torn', at: line.at, detail: `no record: ${stood}` } as const
    line.claim = this.#findings.add({ ...torn })
    return { finding: line.claim }
  }

  #mayFill(held: MisplacedLine, gap: Gap): boolean {
    if (held.finding && this.#findings.isDropped(held.finding)) return false
    return held.stream !== gap.stream && belongs(held, gap)
  }
}

/** One change leaves at least one of a line's ends as it was. */
function belongs({ ends }: MisplacedLine, { stream, from, to, after }: Gap): boolean {
  if (ends.includes(after)) return true
  const place = `"stream":"${stream}","seq":`
  const at = ends.indexOf(place)
  if (at === -1) return false
  const seq = Number.parseInt(ends.slice(at + place.length), 10)
  return seq >= from && seq <= to
}
