/**
 * A verifier of decision logs, written from docs/decision-log.md and sharing no code with the
 * writer: what it accepts is what the format promises.
 *
 * @module
 */
import { createHash } from 'node:crypto'

interface VerifiedRecord {
  readonly stream: string
  readonly seq: number
  readonly prev: string
  readonly type: string
  readonly [field: string]: unknown
}

export interface Verification {
  /** Stream to the records on its chain, in order. */
  readonly streams: ReadonlyMap<string, readonly VerifiedRecord[]>
  /** Records that a `recovered` record took off the chain. */
  readonly annulled: readonly VerifiedRecord[]
  /** Lines that are no JSON object: torn ones. */
  readonly unreadable: readonly string[]
  /** What is wrong, in words; empty for a sound log. */
  readonly problems: readonly string[]
}

interface Link {
  readonly record: VerifiedRecord
  readonly hash: string
}

/** Verifies the text of a log, or of several files of one log in their order. */
export function verifyLog(text: string): Verification {
  const chains = new Map<string, Link[]>()
  const strays = new Map<string, Link[]>()
  const annulled: VerifiedRecord[] = []
  const unreadable: string[] = []
  const problems: string[] = []
  const seen = new Set<string>()

  for (const line of text.split('\n').filter((line) => line !== '')) {
    const record = parse(line)
    if (!record) {
      unreadable.push(line)
      continue
    }
    if (!/^[\x20-\x7e]+$/.test(line)) problems.push(`not ASCII: ${line}`)
    if (line.length + 1 > 8192) problems.push(`longer than 8 KiB: ${line}`)

    const { stream, seq, prev, type } = record
    const hash = sha256(line)
    seen.add(`${stream} ${seq}:${hash}`)
    const chain = chains.getOrInsert(stream, [])
    const astray = strays.getOrInsert(stream, [])
    const before = seq === 1 ? sha256(stream) : chain[seq - 2]?.hash
    const follows = before === prev
    if (follows && type === 'recovered') {
      annulled.push(...[...chain.splice(seq - 1), ...astray.splice(0)].map(({ record }) => record))
    }
    if (follows && seq === chain.length + 1) chain.push({ record, hash })
    else astray.push({ record, hash })
  }

  for (const [stream, astray] of strays) {
    for (const { record } of astray)
      problems.push(`line ${record.seq} of ${stream} follows nothing`)
  }
  for (const { record } of [...chains.values()].flat()) {
    for (const [stream, head] of Object.entries(record.heads ?? {})) {
      if (!seen.has(`${stream} ${head}`)) problems.push(`no line ${head} of ${stream}`)
    }
  }
  const streams = new Map(
    [...chains].map(([stream, chain]) => [stream, chain.map(({ record }) => record)]),
  )
  return { streams, annulled, unreadable, problems }
}

function parse(line: string): VerifiedRecord | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
