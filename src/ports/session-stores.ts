import type { SessionStore } from './session-store.ts'

/** Opens stores of sessions by where they are. */
export interface SessionStores {
  /** The place that a flag or a setting names, with the name of that. */
  readonly configured: { readonly location: string; readonly origin: string } | undefined

  /** `location` in full, so that two ways of writing one place are one: region, absolute path. */
  resolve(location: string): string

  /**
   * Rejects with `STORE_UNAVAILABLE`, `STORE_INVALID`, `FILE_UNTRUSTED` or `CONFIG_INVALID`. What
   * is in the cloud is not asked yet.
   */
  open(location: string): Promise<SessionStore>
}
