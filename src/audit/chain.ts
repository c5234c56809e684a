/**
 * The links of the decision log: how a record's body becomes a line of its stream, and how a
 * stream's head is read back from one. docs/decision-log.md has the format.
 *
 * @module
 */
import { hash } from 'node:crypto'
import type { Head } from '../domain/log-head.ts'

/** What the first line of `stream` follows: line 0, whose hash is that of the stream's name. */
export function originOf(stream: string): Head {
  return { seq: 0, hash: hash('sha256', stream) }
}

/**
 * The line that follows `previous` in `stream`, and the head it makes. `body` is what `encodeBody`
 * gave; `heads` are those of other streams.
 */
export function link(
  body: string,
  stream: string,
  previous: Head,
  heads?: Readonly<Record<string, string>>,
): { readonly line: string; readonly head: Head } {
  const seq = previous.seq + 1
  const named = heads ? `,"heads":${JSON.stringify(heads)}` : ''
  const line = `{"v":1,"stream":"${stream}","seq":${seq},${body}${named},"prev":"${previous.hash}"}`
  return { line, head: { seq, hash: hash('sha256', line) } }
}

/**
 * The stream that `line` belongs to and the head it makes; undefined for a torn or strange line.
 */
export function readHead(line: string): { stream: string; head: Head } | undefined {
  const record = parseObject(line)
  if (!record) return undefined
  const { stream, seq } = record
  if (typeof stream !== 'string' || !STREAM.test(stream)) return undefined
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined
  return { stream, head: { seq, hash: hash('sha256', line) } }
}

/** 96 random bits in base32. */
export const STREAM = /^[a-z2-7]{20}$/

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
