import { gunzipSync } from 'node:zlib'
import { SentinelError } from '../errors.ts'

/**
 * The first line of a policy that is stored compressed, because a parameter holds 4 or 8 KB:
 *
 *     { echo '#sentinel:gzip+base64'; gzip -9 < policy.yaml | base64; }
 */
const MARKER = '#sentinel:gzip+base64'

const MAX_BYTES = 64 * 1024

/**
 * Reads a policy as a parameter holds it: as it stands, or compressed under the marker line.
 * Throws `POLICY_INVALID` when it cannot be decoded or grows beyond 64 KiB; `reference` says whose.
 */
export function decodePolicy(value: string, reference: string): string {
  const [first = '', ...rest] = value.split('\n')
  if (first.trimEnd() !== MARKER) return requireSize(value, reference)
  const encoded = rest.join('').replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw undecodable(reference)
  return inflate(Buffer.from(encoded, 'base64'), reference)
}

function inflate(compressed: Buffer, reference: string): string {
  try {
    const bytes = gunzipSync(compressed, { maxOutputLength: MAX_BYTES })
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    if (hasSystemCode(cause, 'ERR_BUFFER_TOO_LARGE')) throw tooLarge(reference)
    throw undecodable(reference, cause)
  }
}

function requireSize(text: string, reference: string): string {
  if (Buffer.byteLength(text) > MAX_BYTES) throw tooLarge(reference)
  return text
}

function hasSystemCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function tooLarge(reference: string): SentinelError {
  return new SentinelError('POLICY_INVALID', `the policy in ${reference} is larger than 64 KiB`, {
    hint: 'shorten the policy',
  })
}

function undecodable(reference: string, cause?: unknown): SentinelError {
  return new SentinelError('POLICY_INVALID', `the policy in ${reference} cannot be decoded`, {
    hint: `store the line ${MARKER} followed by the policy, gzipped and in base64`,
    cause,
  })
}
