/**
 * The question that a record of the decision log answers: what {@link DecisionRecorder} wrote, read
 * back, so that the same decision can be taken again, or another policy be asked.
 *
 * @module
 */
import type { LoggedRecord } from '../domain/log-record.ts'
import { type AccessInput, type Grant, MODES, type Target } from '../domain/policy/types.ts'
import { type Principal, parsePrincipal, personOf } from '../domain/principal.ts'
import { SECOND } from '../domain/time.ts'
import { unescapeProvider, type WebIdentity } from '../domain/web-identity.ts'
import { SentinelError } from '../errors.ts'

/** A request as it was decided, and what the policy alone said to it. */
export interface LoggedAccess {
  readonly input: AccessInput
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
  const at = Date.parse(record.decided_at ?? record.time)
  const principal = principalOf(record)
  const target = targetOf(record)
  if (!mode || !principal || !target || profile === undefined || Number.isNaN(at)) return undefined
  if (isCut(profile)) return undefined

  const grant = grantOf(record, { principal, profile, target, at })
  const { tracked_in: sessionStore } = record
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
    // All else that stops an issuance does so after the policy has allowed it.
    outcome: code === 'POLICY_DENIED' || code === 'PROFILE_UNSTAMPED' ? 'refuse' : 'allow',
  }
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
  if (basis === undefined || basis === 'policy' || id === undefined) return undefined
  if (target.roleArn === undefined) return undefined
  const { grant_from: from, grant_until: until, grant_automatic: isAutomatic } = record
  const approvedBy = record.grant_approved_by?.split(' ') ?? (isAutomatic ? [] : undefined)
  return {
    id,
    basis,
    person: personOf(principal),
    profile,
    roleArn: target.roleArn,
    startsAt: from === undefined ? at : Date.parse(from),
    endsAt:
      until === undefined ? Date.parse(record.expires_at ?? '') || at + SECOND : Date.parse(until),
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
