import { formatDuration } from '../domain/duration.ts'
import { elapsed, type Moment, SECOND } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Notices } from '../ports/notices.ts'
import type { LookSubject } from '../ports/session-store.ts'
import { explainFault, sessionUnverified, unverified } from './session-refusals.ts'
import type { SessionRules } from './session-verdict.ts'

interface SessionOutageDeps {
  readonly location: string
  readonly notices: Notices
  /** Asked anew at each judgement: the policy may change during a run. */
  readonly rules: () => SessionRules
}

/**
 * What a silent session store means (design § 7 "No answer"):
 *
 *     last verdict ── grace ──▶ told, and served for `outageMax` ──▶ refused
 *                         └──▶ refused at once, under `deny` or a required session
 *
 * Without any verdict there is no grace: it is told or refused from the start, and `outageMax` is
 * counted as if one had been there when this was made.
 */
export class SessionOutage {
  readonly #deps: SessionOutageDeps
  readonly #subject: LookSubject
  readonly #since: Moment
  /** As of when the store last said something. */
  #verdictAt: Moment | undefined
  /** Set from a look that came to nothing until one that did not. */
  #silence: SentinelError | undefined
  /** Past the grace: somebody may have noticed. */
  #isOutage = false
  #isWarned = false
  readonly #faultsTold = new Set<string>()

  constructor(deps: SessionOutageDeps, subject: LookSubject, since: Moment) {
    this.#deps = deps
    this.#subject = subject
    this.#since = since
  }

  /** Whether the last look came to nothing. */
  get isSilent(): boolean {
    return this.#silence !== undefined
  }

  /** Milliseconds since the last verdict, a sleep of the machine included. */
  age(now: Moment): number {
    return elapsed(this.#verdictAt ?? this.#since, now)
  }

  isUnverified(now: Moment): boolean {
    return this.#verdictAt === undefined || this.age(now) > this.#deps.rules().grace
  }

  /** Takes note of a verdict as of `askedAt`. */
  answered(askedAt: Moment): void {
    this.#verdictAt = askedAt
    this.#silence = undefined
    this.#isWarned = false
    if (!this.#isOutage) return
    this.#isOutage = false
    this.#deps.notices.info(`the session store ${this.#deps.location} answers again`)
  }

  /** Takes note of a look that came to nothing but `fault`. */
  failed(fault: unknown, now: Moment): void {
    const silence = sessionUnverified(this.#subject, fault)
    // The same error as long as the same is wrong: refusals are counted by it.
    if (this.#silence?.message !== silence.message) this.#silence = silence
    // Nobody may be asking, and the outage is to be told all the same.
    const isTold = this.#isWarned
    this.refusal(now)
    this.#tellFault(fault, !isTold && this.#isWarned)
  }

  /** What to refuse with at `now`; nothing while the store answers or may still be silent. */
  refusal(now: Moment): SentinelError | undefined {
    if (!this.#silence) return undefined
    const rules = this.#deps.rules()
    const age = this.age(now)
    if (this.#verdictAt && age <= rules.grace) return undefined
    this.#isOutage = true
    const mustKnow = rules.isRequired || rules.outage === 'deny'
    if (mustKnow || age > rules.grace + rules.outageMax) return this.#silence
    this.#warn(rules, this.#silence)
    return undefined
  }

  /** Once an outage. */
  #warn({ grace, outageMax }: SessionRules, { cause, hint }: SentinelError): void {
    if (this.#isWarned) return
    this.#isWarned = true
    const most = formatDuration((this.#verdictAt ? outageMax : grace + outageMax) / SECOND)
    const what = unverified(this.#subject)
    const { text } = explainFault(cause)
    this.#deps.notices.warn(
      `${what}, and credentials are still issued for up to ${most}: ${text}`,
      hint,
    )
  }

  /** A store that does answer, but nothing to go by, is worth a word before the grace is over. */
  #tellFault(fault: unknown, isJustTold: boolean): void {
    if (hasCode(fault, 'STORE_UNAVAILABLE')) return
    const kind = fault instanceof SentinelError ? fault.code : 'a bug'
    if (this.#faultsTold.has(kind)) return
    this.#faultsTold.add(kind)
    if (isJustTold) return
    const { text, hint } = explainFault(fault)
    this.#deps.notices.warn(text, hint)
  }
}
