import type { SessionStore } from './session-store.ts'

/** Opens stores of sessions by where they are. */
export interface SessionStores {
  /** The place that a flag or a setting names, with the name of that. */
  readonly configured: { readonly location: string; readonly origin: string } | undefined

  /** `location` in full, so that two ways of writing one place are one: region, absolute path. */
  resolve(location: string): string

  /**
   * Makes sure of a place that the policy names, in full: a table that is named without an account
   * is one of the caller's own, and not of an account that whoever signs for stores belongs to.
   * Rejects with `CONFIG_INVALID`, or as STS does.
   */
  claim(location: string): Promise<void>

  /**
   * Rejects with `STORE_UNAVAILABLE`, `STORE_INVALID`, `FILE_UNTRUSTED` or `CONFIG_INVALID`. What
   * is in the cloud is not asked yet.
   */
  open(location: string): Promise<SessionStore>
}
