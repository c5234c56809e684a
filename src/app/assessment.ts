import type { Decision } from '../domain/policy/types.ts'
import type { Instant } from '../domain/time.ts'
import type { BaseIdentity } from './base-identity.ts'
import type { LoadedPolicy } from './policy-keeper.ts'

/** Everything known when a decision was taken. */
export interface Assessment {
  readonly identity: BaseIdentity
  readonly policy: LoadedPolicy
  readonly isStale: boolean
  /** When it was decided. */
  readonly at: Instant
  /** The store that held the session's record then, as the policy names it. */
  readonly sessionStore: string | undefined
  readonly decision: Decision
}

/** As much of an assessment as came to be: filled in on the way, and recorded if that fails. */
export type Known = { -readonly [Part in keyof Assessment]?: Assessment[Part] } & {
  /** What STS may have seen, whatever was decided since. */
  sourceIdentity?: string
}

/**
 * Waits for both, so that neither goes on behind the other's failure, and notes in `known` what
 * each came to. Rejects with the first's failure, or else the second's.
 */
export async function learn(
  known: Known,
  identity: Promise<BaseIdentity>,
  policy: Promise<LoadedPolicy>,
): Promise<BaseIdentity> {
  const [who, what] = await Promise.allSettled([identity, policy])
  if (who.status === 'fulfilled') known.identity = who.value
  if (what.status === 'fulfilled') known.policy = what.value
  if (who.status === 'rejected') throw who.reason
  if (what.status === 'rejected') throw what.reason
  return who.value
}
