import type { BreakGlassStore } from './break-glass-store.ts'
import type { RequestStore } from './request-store.ts'

/** Opens the stores of grants by where they are, as `SessionStores` does for sessions. */
export interface GrantStores {
  /** The places that a flag or a setting names, with the names of these. */
  readonly configured: {
    readonly requests?: { readonly location: string; readonly origin: string } | undefined
    readonly breakGlass?: { readonly location: string; readonly origin: string } | undefined
  }

  /** `location` in full. */
  resolve(location: string): string

  /** As `SessionStores` has it. */
  claim(location: string): Promise<void>

  openRequests(location: string): Promise<RequestStore>

  openBreakGlass(location: string): Promise<BreakGlassStore>
}
