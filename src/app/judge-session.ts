import { parseSourceIdentity } from '../domain/source-identity.ts'
import { HOUR, SECOND } from '../domain/time.ts'
import type { TrailEvent } from '../ports/trail.ts'
import type { Issuance, Issuances } from './issuances.ts'

/** Whose a session is that CloudTrail saw made. */
export type Judgement =
  /** The log has it. */
  | { readonly status: 'managed' | 'chained'; readonly issuance: Issuance }
  /** It bears a stamp as Sentinel's, for which the log does not vouch: `detail` says why. */
  | { readonly status: 'claimed'; readonly detail: string }
  | { readonly status: 'unmanaged' }

/** How long before its record a call may be: STS is tried again. */
const BEFORE_RECORD = 30 * SECOND
/** CloudTrail's time and the record's are of two clocks, which may differ by 2 s unnoticed. */
const CLOCKS = 5 * SECOND
/** What STS gives to whoever assumes a role with a role's credentials, at most. */
const CHAINED_LIFE = HOUR

/**
 * Judges a call that made a session. An access key id is AWS's own word. A stamp is the caller's:
 * anybody who is allowed to set a source identity can copy one. So it counts only for the time at
 * which the log says that it was made, and of a caller only while it can have been in use.
 */
export function judgeSession(event: TrailEvent, issuances: Issuances): Judgement {
  const { issuedAccessKeyId, askedSourceIdentity, callerSourceIdentity } = event
  const own = issuedAccessKeyId && issuances.byAccessKey(issuedAccessKeyId)
  if (own) return { status: 'managed', issuance: own }
  const asked = requestOf(askedSourceIdentity)
  const issuance = asked && issuances.byRequest(asked)
  if (issuance && isCallOf(event, issuance)) return { status: 'managed', issuance }
  // The caller's stamp cannot be changed on the way: what is asked beside it repeats it. Another
  // account's caller is not shown, but what its stamp became is.
  const inherited = requestOf(callerSourceIdentity) ?? requestOf(event.issuedSourceIdentity)
  if (inherited && (callerSourceIdentity || !asked)) return judgeChain(event, inherited, issuances)
  if (!asked) return { status: 'unmanaged' }
  const detail = issuance
    ? `request ${asked} was issued at another time, with another access key`
    : `the log has no request ${asked}`
  return { status: 'claimed', detail }
}

/** The request ids for which the event needs the log. */
export function requestsOf(event: TrailEvent): readonly string[] {
  return [event.askedSourceIdentity, event.issuedSourceIdentity, event.callerSourceIdentity]
    .map(requestOf)
    .filter((requestId) => requestId !== undefined)
}

function judgeChain(event: TrailEvent, requestId: string, issuances: Issuances): Judgement {
  const issuance = issuances.byRequest(requestId)
  if (!issuance) {
    return { status: 'claimed', detail: `the log has no request ${requestId} of its caller's` }
  }
  const { at, issued } = issuance
  if (issued && at - BEFORE_RECORD <= event.at && event.at <= issued.until + CHAINED_LIFE) {
    return { status: 'chained', issuance }
  }
  const detail = `its caller's request ${requestId} was not in use at that time`
  return { status: 'claimed', detail }
}

/** Whether this is the very call, or a try of it whose answer was lost. */
function isCallOf(event: TrailEvent, { at }: Issuance): boolean {
  return at - BEFORE_RECORD <= event.at && event.at <= at + CLOCKS
}

function requestOf(sourceIdentity: string | undefined): string | undefined {
  return sourceIdentity === undefined ? undefined : parseSourceIdentity(sourceIdentity)?.requestId
}
