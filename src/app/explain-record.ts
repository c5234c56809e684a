import type { LoggedRecord } from '../domain/log-record.ts'
import type { AccessInput, Policy } from '../domain/policy/types.ts'
import type { Instant } from '../domain/time.ts'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { type ExplainedAccess, explainAccess } from './explain-access.ts'
import { askedUnder, loggedAccess } from './logged-access.ts'
import { nextStep } from './next-step.ts'

/** The policy that is asked now. */
export interface PolicyNow {
  readonly policy: Policy
  readonly sha256: string
  /** Lead the commands that are told to that policy, each after a blank. */
  readonly flags: string
}

/** What is to be said of a record of a decision. */
export interface ExplainedRecord {
  /** Of what did not end in an issuance: when that happens, and what to do. */
  readonly meaning?: { readonly when: string; readonly next?: string }
  /** What the policy alone said: absent where nothing tells. */
  readonly decided?: 'allow' | 'refuse'
  /** How the same access, at the same time, is decided by the policy as it is now. */
  readonly same?: {
    readonly isSamePolicy: boolean
    readonly input: AccessInput
    readonly explained: ExplainedAccess
  }
  /** Of a refusal by the policy: how it is decided if it is asked for at `at`, without grants. */
  readonly again?: { readonly at: Instant; readonly explained: ExplainedAccess }
}

/**
 * Explains `record` by the policy as it is now. What was not for the policy to decide is not
 * explained by its rules: they allowed it.
 */
export function explainRecord(
  record: LoggedRecord,
  current: PolicyNow | undefined,
  at: Instant,
): ExplainedRecord {
  const meaning = meaningOf(record)
  const access = loggedAccess(record)
  const told = { ...(meaning && { meaning }), ...(access && { decided: access.outcome }) }
  const isIssued = record.type === 'issued'
  if (!access || !current || (!isIssued && access.outcome === 'allow')) return told

  const { policy, sha256, flags } = current
  const input = askedUnder(policy, access)
  const same = {
    isSamePolicy: sha256 === record.policy?.sha256,
    input,
    explained: explainAccess(policy, input, flags),
  }
  if (isIssued) return { ...told, same }
  const explained = explainAccess(policy, { ...input, at, grants: [] }, flags)
  return { ...told, same, again: { at, explained } }
}

function meaningOf({ code, profile }: LoggedRecord): ExplainedRecord['meaning'] {
  if (code === undefined || !isErrorCode(code)) return undefined
  const next = nextStep(code, profile)
  return { when: ERRORS[code].when, ...(next !== undefined && { next }) }
}

/** A newer version may have written others. */
function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
