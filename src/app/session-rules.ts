import type { Decision } from '../domain/policy/types.ts'
import { MINUTE, SECOND } from '../domain/time.ts'
import type { LoadedPolicy } from './policy-keeper.ts'
import type { SessionRules } from './session-verdict.ts'

/** What the user's settings say, where they say it. The policy wins over them. */
export interface SessionRuleSettings {
  /** Seconds. */
  readonly grace?: number | undefined
  readonly outage?: 'allow' | 'deny' | undefined
  /** Seconds. */
  readonly outageMax?: number | undefined
}

const GRACE = MINUTE
const OUTAGE_MAX = 15 * MINUTE

/** What holds while a session store is silent, by the policy as it is now (design § 7). */
export class SessionRuleBook {
  readonly #settings: SessionRuleSettings
  readonly #policy: () => LoadedPolicy | undefined
  #isRequired = false
  #made: { readonly policy: LoadedPolicy | undefined; readonly rules: SessionRules } | undefined

  constructor(settings: SessionRuleSettings, policy: () => LoadedPolicy | undefined) {
    this.#settings = settings
    this.#policy = policy
  }

  /** Asked for each request: made anew only when something changed. */
  current(): SessionRules {
    const policy = this.#policy()
    const made = this.#made
    if (made && made.policy === policy && made.rules.isRequired === this.#isRequired) {
      return made.rules
    }
    const rules = this.#make(policy)
    this.#made = { policy, rules }
    return rules
  }

  /** Whether the deciding rule demands a session: then an outage is not waited out. */
  sees({ effect }: Pick<Decision, 'effect'>): void {
    this.#isRequired = effect === 'require_server_session'
  }

  #make(loaded: LoadedPolicy | undefined): SessionRules {
    const { sessionGrace, sessionOutage } = loaded?.policy ?? {}
    const { grace, outage, outageMax } = this.#settings
    return {
      grace: inMilliseconds(sessionGrace ?? grace) ?? GRACE,
      outage: sessionOutage ?? outage ?? 'allow',
      outageMax: inMilliseconds(outageMax) ?? OUTAGE_MAX,
      isRequired: this.#isRequired,
    }
  }
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * SECOND
}
