import { MINUTE, toSeconds } from '../domain/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notices } from '../ports/notices.ts'
import type { Assessment } from './assessment.ts'
import type { BaseIdentityKeeper } from './base-identity.ts'
import type { Issuer } from './issuer.ts'

interface EndWarningsDeps {
  readonly issuer: Pick<Issuer, 'assess'>
  readonly identities: Pick<BaseIdentityKeeper, 'remaining'>
  readonly clock: Clock
  readonly notices: Notices
}

const AHEAD = 10 * MINUTE

/**
 * Warns once, ten minutes before it happens, that a grant, the policy's window or the base
 * credentials of a run are about to end.
 */
export class EndWarnings {
  readonly #deps: EndWarningsDeps
  readonly #told = new Set<string>()

  constructor(deps: EndWarningsDeps) {
    this.#deps = deps
  }

  check(assessment: Assessment): void {
    if (assessment.decision.outcome !== 'allow') return
    this.#checkBase(assessment)
    if (assessment.decision.grant) this.#checkGrant(assessment)
    else this.#checkWindow(assessment)
  }

  #checkBase({ identity: { resolved } }: Assessment): void {
    const { expiration } = resolved.base
    // Renewal begins at ten minutes: what is still there at nine could not be renewed.
    if (expiration === undefined || this.#deps.identities.remaining() > AHEAD - MINUTE) return
    this.#warnOnce(
      `the base credentials end at ${toSeconds(expiration)}`,
      resolved.loginCommand && `run: ${resolved.loginCommand}`,
    )
  }

  #checkGrant({ decision: { grant } }: Assessment): void {
    if (!grant || grant.endsAt - this.#deps.clock.aws() > AHEAD) return
    this.#warnOnce(`grant ${grant.id} ends at ${toSeconds(grant.endsAt)}`)
  }

  /** The next decisions are simply taken: no second reading of windows is kept in step here. */
  #checkWindow({ identity, policy, decision }: Assessment): void {
    const now = this.#deps.clock.aws()
    const isAllowedAt = (at: number) =>
      this.#deps.issuer.assess(identity, policy, [], at).decision.outcome === 'allow'
    if (isAllowedAt(now + AHEAD)) return
    const minutes = Array.from({ length: AHEAD / MINUTE }, (_, index) => index + 1)
    const end = minutes.find((minute) => !isAllowedAt(now + minute * MINUTE)) ?? AHEAD / MINUTE
    const minute = Math.floor((now + end * MINUTE) / MINUTE) * MINUTE
    this.#warnOnce(
      `rule "${decision.rule?.name}" allows no new credentials from ${toSeconds(minute)} on`,
    )
  }

  #warnOnce(text: string, hint?: string): void {
    if (this.#told.has(text)) return
    this.#told.add(text)
    this.#deps.notices.warn(text, hint)
  }
}
