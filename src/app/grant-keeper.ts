import type { Grant } from '../domain/policy/types.ts'
import { personOf } from '../domain/principal.ts'
import { elapsed, MINUTE, type Moment, SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { GrantSource } from '../ports/grant-source.ts'
import type { Notices } from '../ports/notices.ts'
import type { BaseIdentity } from './base-identity.ts'
import { within } from './within.ts'

export interface GrantKeeperDeps {
  /** Without one there are no grants. */
  readonly grants?: GrantSource | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly notices: Notices
}

/** How long a store may take to answer before it counts as silent. */
const PATIENCE = 5 * SECOND
/** How long a grant holds that was seen live, while its store is silent. */
const HOLD = MINUTE
/** A server obeys the end of a grant within this: nothing that is issued rests on older news. */
const FRESH = 5 * SECOND

/** Keeps the live grants of a run as its stores last told them (design § 8). */
export class GrantKeeper {
  readonly #deps: GrantKeeperDeps
  readonly #profile: string
  #seen: { readonly grants: readonly Grant[]; readonly at: Moment } | undefined
  #asked = 0
  /** Which question was the last that counts: an answer to an older one is no news. */
  #heard = 0
  #isSilent = false

  constructor(deps: GrantKeeperDeps, profile: string) {
    this.#deps = deps
    this.#profile = profile
  }

  /** The grants as last seen; none when that is more than a minute ago. */
  known(): readonly Grant[] {
    if (!this.#seen || elapsed(this.#seen.at, this.#deps.clock.now()) > HOLD) return []
    return this.#seen.grants
  }

  /** What became of the last grant that is over, if there was one. */
  ended(): string | undefined {
    return this.#deps.grants?.ended()
  }

  /** Asks for the grants of whoever `identity` is. Never rejects: a silent store gives no news. */
  async look({ principal }: BaseIdentity): Promise<void> {
    const { grants, clock } = this.#deps
    if (!grants) return
    this.#asked += 1
    const question = this.#asked
    const at = clock.now()
    try {
      const live = grants.live(personOf(principal), this.#profile)
      const found = await within(PATIENCE, live, () => new Error('no answer in time'))
      if (question <= this.#heard) return
      this.#heard = question
      this.#seen = { grants: found, at }
      this.#isSilent = false
    } catch (error) {
      this.#warnOf(error)
    }
  }

  /** As {@link look}, unless what is known is news still. */
  async renew(identity: BaseIdentity): Promise<void> {
    if (this.#seen && elapsed(this.#seen.at, this.#deps.clock.now()) < FRESH) return
    await this.look(identity)
  }

  /** Holds nothing for known any more, nor what answers to earlier questions will say. */
  forget(): void {
    this.#heard = this.#asked
    this.#seen = undefined
  }

  #warnOf(error: unknown): void {
    if (this.#isSilent) return
    this.#isSilent = true
    const why = error instanceof SentinelError ? error.message : 'their store does not answer'
    this.#deps.notices.warn(
      `grants cannot be looked up: ${why}`,
      'until they can, only what the policy itself allows is issued',
    )
  }
}
