import { originOf } from './chain.ts'
import type { Finding } from './findings.ts'
import type { Position } from './recoveries.ts'

/** A line of a stream, as far as its chain needs it. */
export interface Link extends Position {
  readonly seq: number
  readonly prev: string
  readonly hash: string
  readonly type: string
  /** What it shows to be wrong: with itself, or with what should stand before it. */
  findings?: Finding[]
  /** Something is wrong with the line itself. */
  isSuspect?: boolean
  /** The line that is suspect on account of this one. */
  blames?: Link
  /** A `recovered` record took it back. */
  isAnnulled?: boolean
}

/** Takes note that `link` shows `finding`. */
export function attach(link: Link, finding: Finding): void {
  link.findings ??= []
  link.findings.push(finding)
}

/** What the first line of a stream follows. */
export function originLink(stream: string): Link {
  return { ...originOf(stream), prev: '', type: '', file: -1, line: 0 }
}

/** Whether one hash was made of the other by changing a few characters: by chance, 4 are alike. */
export function looksAlike(hash: string, other: string): boolean {
  let alike = 0
  for (let index = 0; index < other.length; index++) if (hash[index] === other[index]) alike++
  return alike >= 32
}
