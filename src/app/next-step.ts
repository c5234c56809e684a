import type { ErrorCode } from '../errors.ts'
import { quoted } from './refusal.ts'

const AGAIN = 'start the command again'
const LATER = 'try again in a moment'
const CONFIG = 'look at your settings: sentinel config show'

/**
 * What to do about a request that ended in `code`, long after: one imperative sentence. Records
 * have no hints, and what stood in them may be over. `undefined`: it is for the policy to say.
 */
export function nextStep(code: ErrorCode, profile = 'PROFILE'): string | undefined {
  const whoami = `sentinel whoami ${quoted(profile)}`
  const steps: Partial<Record<ErrorCode, string>> = {
    PROFILE_UNSTAMPED: 'make it a gated profile, with a role_arn and a source_profile',
    DURATION_TOO_SHORT: 'ask for 15m or more, and have a grant that lasts as long',
    PRINCIPAL_CHANGED: AGAIN,
    PRINCIPAL_UNKNOWN: 'use credentials of an IAM user, a role, Identity Center or a web identity',
    ISSUED_BY_SENTINEL: 'run it outside of `sentinel exec`, with your own credentials',
    SESSION_REVOKED: 'ask whoever revoked it, before you start another session',
    SESSION_LOCKED: 'wait until the lock ends, or ask whoever set it to lift it',
    SESSION_STORE_CHANGED: AGAIN,
    STORE_UNAVAILABLE: 'look whether the store can be reached',
    STORE_NOT_FOUND: 'have the tables made: sentinel init tables',
    CONFIG_INVALID: CONFIG,
    FILE_UNTRUSTED:
      'let nobody but you or root own that file and its directories, or write to them',
    POLICY_INVALID: 'see all that is wrong with it: sentinel policy validate',
    POLICY_NOT_FOUND: CONFIG,
    POLICY_ROLLED_BACK: 'find out who changed it; if it is right, start with --accept-policy-reset',
    POLICY_UNAVAILABLE: 'look whether the policy can be read: sentinel policy validate',
    PROFILE_NOT_FOUND: 'look for its name in your AWS config',
    PROFILE_INVALID: `correct it in your AWS config, and look again: ${whoami}`,
    PROFILE_CHANGED: AGAIN,
    PROFILE_RECURSION: `give its source_profile credentials that do not come from Sentinel: ${whoami}`,
    BASE_CREDENTIALS_MISSING: `give its source_profile credentials: ${whoami}`,
    BASE_CREDENTIALS_EXPIRED: `log in again, and look whether that helped: ${whoami}`,
    BASE_CREDENTIALS_UNAVAILABLE: LATER,
    INTERACTION_REQUIRED: 'run it on a terminal, without --no-interaction',
    CLOCK_SKEWED: 'set the clock of this machine',
    STS_REFUSED: `have the role trust whom this names: ${whoami}`,
    STS_UNAVAILABLE: LATER,
    LOG_UNAVAILABLE: 'make the decision log writable: without it nothing is issued',
    INTERRUPTED: AGAIN,
  }
  return steps[code]
}
