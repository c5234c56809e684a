/**
 * Every failure that Sentinel expects, with its exit code and the HTTP status a child's SDK sees.
 * Statuses other than 401, 403, 500 and 503 are never sent: SDKs treat them in surprising ways.
 */
export const ERRORS = {
  USAGE: { exit: 2, status: 500, when: 'a command line is malformed or contradicts itself' },
  UNAUTHORIZED: {
    exit: 3,
    status: 401,
    when: 'a request to the server is not the one shape served',
  },
  POLICY_DENIED: { exit: 3, status: 403, when: 'the policy does not allow the access' },
  PROFILE_UNSTAMPED: {
    exit: 3,
    status: 403,
    when: 'the profile has no role to stamp and no rule accepts that',
  },
  DURATION_TOO_SHORT: {
    exit: 3,
    status: 403,
    when: 'less than the 15 minutes that STS demands may be issued',
  },
  PRINCIPAL_CHANGED: {
    exit: 3,
    status: 403,
    when: 'the base credentials became those of somebody else during a run',
  },
  PRINCIPAL_UNKNOWN: {
    exit: 3,
    status: 403,
    when: 'STS named a caller in a form that Sentinel does not know',
  },
  ISSUED_BY_SENTINEL: {
    exit: 3,
    status: 403,
    when: 'the base credentials were themselves issued by Sentinel',
  },
  SESSION_REVOKED: { exit: 3, status: 403, when: 'the session was revoked' },
  SESSION_LOCKED: {
    exit: 3,
    status: 403,
    when: 'a lock on the user, the profile or everyone holds',
  },
  SESSION_STORE_CHANGED: {
    exit: 5,
    status: 403,
    when: 'the policy came to name another session store during a run',
  },
  SESSION_NOT_FOUND: { exit: 4, status: 500, when: 'no session has that id' },
  SESSION_AMBIGUOUS: { exit: 4, status: 500, when: 'several sessions have ids that begin so' },
  SESSION_ENDED: { exit: 4, status: 500, when: 'a session that has ended cannot be revoked' },
  LOCK_NOT_FOUND: { exit: 4, status: 500, when: 'no lock is on that user, profile or everyone' },
  SESSION_EXISTS: { exit: 4, status: 500, when: 'another session has that id' },
  REQUEST_NOT_FOUND: { exit: 4, status: 500, when: 'no access request has that id' },
  REQUEST_AMBIGUOUS: {
    exit: 4,
    status: 500,
    when: 'several access requests have ids that begin so',
  },
  REQUEST_EXISTS: { exit: 4, status: 500, when: 'another access request has that id' },
  REQUEST_DECIDED: { exit: 4, status: 500, when: 'an access request was decided, or is over' },
  REQUEST_REFUSED: { exit: 3, status: 403, when: 'no rule of the policy lets this be asked for' },
  REQUEST_DENIED: {
    exit: 3,
    status: 403,
    when: 'an access request that was waited for did not lead to access',
  },
  REVIEW_REFUSED: { exit: 3, status: 403, when: 'the caller may not decide about this' },
  BREAK_GLASS_NOT_FOUND: { exit: 4, status: 500, when: 'no break-glass event has that id' },
  BREAK_GLASS_AMBIGUOUS: {
    exit: 4,
    status: 500,
    when: 'several break-glass events have ids that begin so',
  },
  BREAK_GLASS_EXISTS: { exit: 4, status: 500, when: 'another break-glass event has that id' },
  BREAK_GLASS_LIVE: { exit: 4, status: 500, when: 'one live break-glass event is there already' },
  BREAK_GLASS_REFUSED: {
    exit: 3,
    status: 403,
    when: 'no rule, a cooldown, a quota or an overdue review stands against breaking glass',
  },
  BREAK_GLASS_OVER: { exit: 4, status: 500, when: 'a break-glass event is over, or still live' },
  STORE_UNAVAILABLE: { exit: 6, status: 503, when: 'a store did not answer' },
  STORE_NOT_FOUND: { exit: 5, status: 503, when: 'a table, or an index of it, does not exist' },
  STORE_INVALID: { exit: 5, status: 503, when: 'what is kept in a store cannot be understood' },
  CONFIG_INVALID: { exit: 5, status: 503, when: 'a setting or a file of settings is not valid' },
  FILE_UNTRUSTED: { exit: 5, status: 503, when: 'a file could be changed by somebody else' },
  POLICY_INVALID: { exit: 5, status: 403, when: 'a policy is not valid' },
  POLICY_NOT_FOUND: { exit: 5, status: 403, when: 'there is no policy where one was named' },
  POLICY_ROLLED_BACK: {
    exit: 5,
    status: 403,
    when: 'a policy went back to an older version during a run',
  },
  PROFILE_NOT_FOUND: { exit: 5, status: 403, when: 'no profile has that name' },
  PROFILE_INVALID: { exit: 5, status: 403, when: 'a profile cannot be used as it is written' },
  PROFILE_CHANGED: {
    exit: 5,
    status: 403,
    when: 'a profile came to stand for another role during a run',
  },
  PROFILE_RECURSION: {
    exit: 5,
    status: 403,
    when: 'the base credentials of a profile come from Sentinel for the same profile',
  },
  BASE_CREDENTIALS_MISSING: { exit: 5, status: 403, when: 'a profile has no base credentials' },
  BASE_CREDENTIALS_EXPIRED: {
    exit: 6,
    status: 403,
    when: 'the base credentials have ended: log in again',
  },
  BASE_CREDENTIALS_UNAVAILABLE: {
    exit: 6,
    status: 503,
    when: 'what gives a profile its base credentials did not answer',
  },
  INTERACTION_REQUIRED: { exit: 5, status: 403, when: 'a prompt is needed and nobody can answer' },
  CLOCK_SKEWED: { exit: 6, status: 503, when: 'the local clock is more than 5 minutes off' },
  POLICY_UNAVAILABLE: { exit: 6, status: 503, when: 'the policy could not be fetched in time' },
  STS_REFUSED: { exit: 6, status: 503, when: 'STS refused the call' },
  STS_UNAVAILABLE: { exit: 6, status: 503, when: 'STS did not answer' },
  LOG_UNAVAILABLE: { exit: 6, status: 503, when: 'the decision log cannot be written' },
  LOG_NOT_FOUND: { exit: 4, status: 500, when: 'there is no decision log to read' },
  LOG_UNREADABLE: { exit: 6, status: 500, when: 'a file of the decision log cannot be read' },
  RECORD_NOT_FOUND: { exit: 4, status: 500, when: 'the decision log holds no such record' },
  RECORD_AMBIGUOUS: { exit: 4, status: 500, when: 'several requests have ids that begin so' },
  KEY_INVALID: { exit: 5, status: 500, when: 'a key cannot sign, or verify, statements' },
  SIGNING_FAILED: { exit: 6, status: 500, when: 'whoever holds a key did not sign' },
  STATEMENT_INVALID: {
    exit: 5,
    status: 500,
    when: 'a signed statement or a proof cannot be understood',
  },
  FILE_NOT_WRITTEN: {
    exit: 4,
    status: 500,
    when: 'a file cannot be written: it is there already, or its place does not allow it',
  },
  TRAIL_UNAVAILABLE: { exit: 6, status: 500, when: 'CloudTrail refused, or did not answer' },
  SHIPPING_FAILED: {
    exit: 6,
    status: 503,
    when: 'the decision log could not be shipped, and is tried again',
  },
  SHIPPING_REFUSED: {
    exit: 6,
    status: 503,
    when: 'the receiver of the decision log refused it, until something is changed',
  },
  NOTIFICATION_FAILED: {
    exit: 6,
    status: 503,
    when: 'a notification could not be delivered, and is tried again',
  },
  NOTIFICATION_REFUSED: {
    exit: 6,
    status: 503,
    when: 'a notification was refused by its receiver, for good',
  },
  PORT_UNAVAILABLE: { exit: 6, status: 503, when: 'the port asked for is taken' },
  PRIVATE_CONFIG_UNAVAILABLE: {
    exit: 6,
    status: 500,
    when: 'the AWS config for a command cannot be written',
  },
  WATCHDOG_UNAVAILABLE: {
    exit: 6,
    status: 500,
    when: 'nothing here could stop a command if Sentinel died',
  },
  COMMAND_NOT_EXECUTABLE: { exit: 126, status: 500, when: 'the command cannot be executed' },
  COMMAND_NOT_FOUND: { exit: 127, status: 500, when: 'there is no such command to run' },
  INTERRUPTED: { exit: 130, status: 503, when: 'the user interrupted a prompt or a wait' },
} as const satisfies Record<string, { exit: number; status: number; when: string }>

export type ErrorCode = keyof typeof ERRORS

interface ErrorDetails {
  /** What to do next, in one imperative sentence. */
  readonly hint?: string | undefined
  /** The failure underneath. For logs: never shown to a client, and never a credential. */
  readonly cause?: unknown
  /**
   * What the body of the credential server's answer says instead of the code's `when`: a policy's
   * reason, say. Unlike `message` it reaches whoever holds the token: no ARNs, no paths.
   */
  readonly reply?: string | undefined
}

/** A failure that Sentinel expects and can explain. Anything else that is thrown is a bug. */
export class SentinelError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SentinelError'
  readonly code: Code
  readonly hint: string | undefined
  readonly reply: string | undefined

  constructor(code: Code, message: string, { hint, reply, ...options }: ErrorDetails = {}) {
    super(message, options)
    this.code = code
    this.hint = hint
    this.reply = reply
  }

  get exitCode(): number {
    return ERRORS[this.code].exit
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

/** Narrows `error` to a {@link SentinelError} with one of `codes`. */
export function hasCode<Code extends ErrorCode>(
  error: unknown,
  ...codes: Code[]
): error is SentinelError<Code> {
  return error instanceof SentinelError && codes.some((code) => code === error.code)
}
