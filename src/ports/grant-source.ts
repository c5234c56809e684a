import type { Grant } from '../domain/policy/types.ts'

/** Where live grants are looked up: in the stores of requests and of break-glass events. */
export interface GrantSource extends AsyncDisposable {
  /** Throws `CONFIG_INVALID` when a flag or a setting names another place than the policy. */
  assertPlaces(): void

  /**
   * Every grant of `person` for `profile` that is live now. Rejects when the store does not answer:
   * then there is no grant.
   */
  live(person: string, profile: string): Promise<readonly Grant[]>

  /**
   * What became of a grant that {@link live} gave before and gives no more, the last one: whoever
   * is refused for it is to know who ended it, and why. Lower case, no full stop.
   */
  ended(): string | undefined
}
