/**
 * The question that a record of the decision log answers: what {@link DecisionRecorder} wrote, read
 * back, so that the same decision can be taken again, or another policy be asked.
 *
 * @module
 */
import type { LoggedRecord } from '../domain/log-record.ts'
import {
  type AccessInput,
  type Grant,
  MODES,
  type Policy,
  type Target,
} from '../domain/policy/types.ts'
import { type Principal, parsePrincipal, personOf } from '../domain/principal.ts'
import { isSamePlace } from '../domain/store-location.ts'
import { type Instant, SECOND } from '../domain/time.ts'
import { unescapeProvider, type WebIdentity } from '../domain/web-identity.ts'
import { SentinelError } from '../errors.ts'

/** A request as it was decided, and what the policy alone said to it. */
export interface LoggedAccess {
  /** The session's store is called what the policy of then called it: see {@link askedUnder}. */
  readonly input: AccessInput
  /** In full, where the session's record was, if it was anywhere. */
  readonly sessionPlace?: string
  readonly outcome: 'allow' | 'refuse'
}

/**
 * What `record` was decided on. `undefined` when it records no decision of a policy, or does not
 * say enough: it failed before it was known who asks, or a text that counts was cut.
 *
 * Of the grants that were live it has the one that lifted: of others no record tells.
 */
export function loggedAccess(record: LoggedRecord): LoggedAccess | undefined {
  const { type, effect, profile, code } = record
  if ((type !== 'issued' && type !== 'refused') || effect === undefined) return undefined
  const mode = MODES.find((known) => known === record.mode)
  const at = readTimestamp(record.decided_at ?? record.time)
  const principal = principalOf(record)
  const target = targetOf(record)
  if (!mode || !principal || !target || profile === undefined || at === undefined) return undefined
  if (isCut(profile)) return undefined

  const grant = grantOf(record, { principal, profile, target, at })
  const { tracked_in: sessionStore, session_store: sessionPlace } = record
  return {
    input: {
      principal,
      profile,
      target,
      mode,
      at,
      grants: grant ? [grant] : [],
      ...(sessionStore !== undefined && { sessionStore }),
    },
    ...(sessionStore !== undefined && sessionPlace !== undefined && { sessionPlace }),
    // All else that stops an issuance does so after the policy has allowed it.
    outcome: code === 'POLICY_DENIED' || code === 'PROFILE_UNSTAMPED' ? 'refuse' : 'allow',
  }
}

/** What was asked, as `policy` would have been asked it: that may call the same store otherwise. */
export function askedUnder(
  { stores: { sessions } }: Pick<Policy, 'stores'>,
  { input, sessionPlace = input.sessionStore }: LoggedAccess,
): AccessInput {
  if (sessionPlace === undefined || input.sessionStore === sessions) return input
  const isSame = sessions !== undefined && isSamePlace(sessions, sessionPlace)
  return { ...input, sessionStore: isSame ? sessions : sessionPlace }
}

/** Whoever the ARN and the UserId name, if that is the person that the record names too. */
function principalOf(record: LoggedRecord): Principal | undefined {
  const { principal: arn, principal_id: userId, person } = record
  if (arn === undefined || userId === undefined || person === undefined) return undefined
  const account = arn.split(':')[4] ?? ''
  try {
    const principal = parsePrincipal({ arn, userId, account }, webIdentityOf(person))
    return personOf(principal) === person ? principal : undefined
  } catch (error) {
    if (error instanceof SentinelError) return undefined
    throw error
  }
}

/** `web:PARTITION/ACCOUNT/ROLE/PROVIDER/SUBJECT`, of which only the subject may hold a `/`. */
function webIdentityOf(person: string): WebIdentity | undefined {
  if (!person.startsWith('web:')) return undefined
  const [, , , provider = '', ...subject] = person.split('/')
  return { provider: unescapeProvider(provider), subject: subject.join('/') }
}

function targetOf({ role_arn: roleArn, account, stamped }: LoggedRecord): Target | undefined {
  if (account === undefined || stamped === undefined) return undefined
  if (roleArn === undefined) return { account, stamped }
  return isCut(roleArn) ? undefined : { roleArn, account, stamped }
}

/**
 * The grant that lifted the refusal. Records of versions that did not write its life have it end
 * with the credentials, at least.
 */
function grantOf(
  record: LoggedRecord,
  { principal, profile, target, at }: Pick<AccessInput, 'principal' | 'profile' | 'target' | 'at'>,
): Grant | undefined {
  const { basis, grant_id: id, grant_rule: rule, grant_store: store } = record
  if ((basis !== 'approval' && basis !== 'break_glass') || id === undefined) return undefined
  if (target.roleArn === undefined) return undefined
  const { grant_from: from, grant_until: until, grant_automatic: isAutomatic } = record
  const approvedBy = record.grant_approved_by?.split(' ') ?? (isAutomatic ? [] : undefined)
  return {
    id,
    basis,
    person: personOf(principal),
    profile,
    roleArn: target.roleArn,
    startsAt: readTimestamp(from) ?? at,
    endsAt: readTimestamp(until) ?? readTimestamp(record.expires_at) ?? at + SECOND,
    ...(store !== undefined && { store }),
    ...(rule !== undefined && { rule }),
    ...(approvedBy && { approvedBy }),
    ...(isAutomatic && { isAutomatic }),
  }
}

/** What was too long for a record ends in an ellipsis: it names something else now. */
function isCut(text: string): boolean {
  return text.endsWith('\u2026')
}

/** `undefined` for what no writer writes, and calendars may have no days for. */
function readTimestamp(text: string | undefined): Instant | undefined {
  const isOne = text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text)
  return (isOne && Date.parse(text)) || undefined
}
