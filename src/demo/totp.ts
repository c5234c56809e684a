import { createHmac } from 'node:crypto'
import { type Instant, SECOND } from '../domain/time.ts'

const STEP = 30 * SECOND

/** The six digits that an authenticator app with `seed` shows at `at` (RFC 6238). */
export function totpCode(seed: string, at: Instant): string {
  return codeOfStep(seed, Math.floor(at / STEP))
}

/** The step that `code` is of, if it is that of `at` or of one beside it. */
export function findStep(seed: string, code: string, at: Instant): number | undefined {
  const step = Math.floor(at / STEP)
  return [step - 1, step, step + 1].find((candidate) => codeOfStep(seed, candidate) === code)
}

function codeOfStep(seed: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', seed).update(counter).digest()
  const offset = digest.readUInt8(digest.length - 1) & 0xf
  const number = digest.readUInt32BE(offset) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}
