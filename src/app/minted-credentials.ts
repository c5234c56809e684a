import type { Assessment } from './assessment.ts'
import type { Minted } from './re-serving.ts'

/** Credentials of several keys live side by side only around a change of policy or login. */
const MINTED_MAX = 4

/** The credentials that one run has minted, by what they are good for. In memory only. */
export class MintedCredentials {
  readonly #minted = new Map<string, Minted>()
  /** A decision serves many requests: its key is put together once. */
  readonly #keys = new WeakMap<Assessment, string>()

  /** I1: what was minted under an allow is found under an allow only. */
  find(assessment: Assessment): Minted | undefined {
    if (assessment.decision.outcome !== 'allow') return undefined
    return this.#minted.get(this.#keys.getOrInsertComputed(assessment, keyOf))
  }

  keep(assessment: Assessment, minted: Minted): void {
    const key = keyOf(assessment)
    this.#minted.delete(key)
    this.#minted.set(key, minted)
    const [oldest] = this.#minted.keys()
    if (this.#minted.size > MINTED_MAX && oldest !== undefined) this.#minted.delete(oldest)
  }

  clear(): void {
    this.#minted.clear()
  }
}

/**
 * What a minted credential is good for; with any of it changed, another must be minted. The
 * duration that was asked for is the same throughout a run.
 */
function keyOf({ identity, policy, decision }: Assessment): string {
  return [
    identity.principal.uniqueId,
    identity.resolved.base.accessKeyId,
    identity.target.roleArn ?? '',
    decision.rule?.index ?? '',
    decision.maxDuration ?? '',
    decision.basis,
    decision.grant?.id ?? '',
    policy.sha256,
  ].join(' ')
}
