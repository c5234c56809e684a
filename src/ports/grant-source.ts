import type { Grant } from '../domain/policy/types.ts'

/** Where live grants are looked up: request stores and break-glass stores implement it. */
export interface GrantSource {
  /**
   * Every grant of `person` for `profile` that is live now. Rejects when the store does not answer:
   * then there is no grant.
   */
  live(person: string, profile: string): Promise<readonly Grant[]>
}
