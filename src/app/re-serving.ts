import type { SessionCredentials } from '../domain/credentials.ts'
import { type Instant, MINUTE, SECOND } from '../domain/time.ts'

/** A minted credential, as it is handed out again and again. */
export interface Minted {
  readonly credentials: SessionCredentials
  readonly requestId: string
  /** Milliseconds that it was made for. */
  readonly life: number
  /** Not where the base credentials themselves are handed out: minting gives them once more. */
  readonly isRenewable: boolean
}

/** Above the 15 minutes below which botocore and .NET ask again at every single call. */
const ABOVE_SDK_WINDOW = 16 * MINUTE
const LONG_LIFE = 30 * MINUTE
const SHORT_LIFE_MIN = 5.5 * MINUTE
/** How long before that point the next one is minted in the background. */
const AHEAD = 20 * SECOND
/** The last stretch of a life, which is never handed out. */
export const DYING = 60 * SECOND

/**
 * What to do with a minted credential (design § 6, "Re-serving"):
 *
 * - `serve` it;
 * - `serve and renew`: the next one is minted ahead of need;
 * - `renew`: hand out the next one, and this only when no other can be had;
 * - `drop` it.
 */
export type ReServing = 'serve' | 'serve and renew' | 'renew' | 'drop'

/** Tells what to do with a minted credential at `at`. */
export function reServing({ credentials, life, isRenewable }: Minted, at: Instant): ReServing {
  const left = credentials.expiration - at
  if (left <= DYING) return 'drop'
  const threshold = renewalThreshold(life)
  if (!isRenewable || left > threshold + AHEAD) return 'serve'
  return left > threshold ? 'serve and renew' : 'renew'
}

function renewalThreshold(life: number): number {
  return life >= LONG_LIFE ? ABOVE_SDK_WINDOW : Math.max(SHORT_LIFE_MIN, life / 3)
}

/** Less of a grant is not worth STS's 15 minutes and the margin before its end. */
const LAST_MINT_UNTIL = 15 * MINUTE + 15 * SECOND
/** So long before its grant a credential may end that was minted when it was due, and some more. */
const LAST_GAP = 70 * SECOND

/**
 * Whether a grant has time for one more credential at `at`, and `minted` leaves too much of it
 * over: so that what is served last ends with the grant.
 */
export function isLastMintDue({ credentials }: Minted, grantEnd: Instant, at: Instant): boolean {
  const left = grantEnd - at
  const isTime = left <= ABOVE_SDK_WINDOW && left >= LAST_MINT_UNTIL
  return isTime && grantEnd - credentials.expiration > LAST_GAP
}
