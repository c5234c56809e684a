import type { ChainFault, ChainProblem } from '../ports/log-archive.ts'
import { isBefore, type Position } from './recoveries.ts'

/** Something that is wrong, as far as is known yet: later lines may show it in another light. */
export interface Finding {
  fault: ChainFault
  detail: string
  at?: Position | undefined
  stream?: string | undefined
  seq?: number | undefined
}

/** How many problems a report lists. */
const LISTED_MAX = 1000

/** What is wrong with a log: all of it counted, the first of it listed. */
export class Findings {
  #count = 0
  #listed: Finding[] = []
  /** How many lines show a finding, other than the one that showed it first. */
  readonly #shared = new WeakMap<Finding, number>()
  readonly #dropped = new WeakSet<Finding>()
  /** How many were dropped since the list was last cleared of them. */
  #stale = 0

  get count(): number {
    return this.#count
  }

  add(finding: Finding): Finding {
    this.#count++
    if (this.#listed.length >= 2 * LISTED_MAX && this.#stale > 0) {
      this.#listed = this.#listed.filter((listed) => !this.#dropped.has(listed))
      this.#stale = 0
    }
    if (this.#listed.length < 2 * LISTED_MAX) this.#listed.push(finding)
    return finding
  }

  /** Another line shows it as well. */
  share(finding: Finding): void {
    this.#shared.set(finding, (this.#shared.get(finding) ?? 0) + 1)
  }

  /** A later record accounts for a line that shows it: if it was the last one, it was nothing. */
  drop(finding: Finding): void {
    const others = this.#shared.get(finding) ?? 0
    if (others > 0) {
      this.#shared.set(finding, others - 1)
    } else if (!this.#dropped.has(finding)) {
      this.#dropped.add(finding)
      this.#stale++
      this.#count--
    }
  }

  /** Whether it came to nothing. */
  isDropped(finding: Finding): boolean {
    return this.#dropped.has(finding)
  }

  /** Of a stream, of which something is wrong at or before line `seq`. */
  has(stream: string, seq: number): boolean {
    return this.#listed.some(
      (finding) =>
        finding.stream === stream && (finding.seq ?? 0) <= seq && !this.#dropped.has(finding),
    )
  }

  /** In the order of the lines, what has no place last. `paths`: of the files, in their order. */
  problems(paths: readonly string[]): readonly ChainProblem[] {
    return this.#listed
      .filter((finding) => !this.#dropped.has(finding))
      .toSorted((a, b) => compare(a.at, b.at))
      .slice(0, LISTED_MAX)
      .map(({ fault, at, stream, seq, detail }) => ({
        fault,
        ...(at && { at: { path: paths[at.file] ?? '', line: at.line } }),
        ...(stream !== undefined && { stream }),
        ...(seq !== undefined && { seq }),
        detail,
      }))
  }
}

function compare(a: Position | undefined, b: Position | undefined): number {
  if (!a || !b) return a ? -1 : b ? 1 : 0
  return isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0
}
