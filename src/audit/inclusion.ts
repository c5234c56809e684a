import { hash } from 'node:crypto'
import type { InclusionPath } from '../ports/log-archive.ts'

/**
 * The root that `path` leads to from `line`, standing at `index` among `lines` lines, in hex.
 * `undefined` when no line there has a path of that length. RFC 9162 § 2.1.3.2 has the steps.
 */
export function rootOf({
  line,
  index,
  lines,
  path,
}: Pick<InclusionPath, 'line' | 'index' | 'lines' | 'path'>): string | undefined {
  if (index >= lines) return undefined
  let place = BigInt(index)
  let last = BigInt(lines) - 1n
  let node: Buffer = hash('sha256', Buffer.from(`\0${line}`, 'latin1'), 'buffer')
  for (const sibling of path) {
    if (last === 0n) return undefined
    const other = Buffer.from(sibling, 'hex')
    if (place % 2n === 1n || place === last) {
      node = parentOf(other, node)
      // A last node without a sibling goes up as it is, until it is somebody's right one.
      while (place % 2n === 0n && place !== 0n) {
        place >>= 1n
        last >>= 1n
      }
    } else {
      node = parentOf(node, other)
    }
    place >>= 1n
    last >>= 1n
  }
  return last === 0n ? node.toString('hex') : undefined
}

function parentOf(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([INNER, left, right]), 'buffer')
}

const INNER = Buffer.of(1)
