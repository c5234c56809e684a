import { hasCode } from '../errors.ts'
import { type Principal, parsePrincipal, personOf } from './principal.ts'

/** Somebody who asked, decided or acted, as STS named them then. */
export interface Party {
  /** As `personOf` writes it: what must differ between who asks and who decides. */
  readonly person: string
  /** The user part of the SourceIdentity. */
  readonly user: string
  /** ARN. */
  readonly principal: string
  /** GetCallerIdentity's UserId, IAM's `aws:userid`: what keys of their own end in. */
  readonly principalId: string
}

export function partyOf(principal: Principal, user: string): Party {
  return {
    person: personOf(principal),
    user,
    principal: principal.arn,
    principalId: principal.uniqueId,
  }
}

/** Whether two may be one human being: the same person, or by any chance the same principal. */
export function isSameParty(a: Party, b: Party): boolean {
  return a.person === b.person || a.principalId === b.principalId || a.principal === b.principal
}

/**
 * The principal that `party` was; `undefined` when what was kept of it does not fit together, as it
 * does only where somebody wrote it by hand.
 */
export function principalOf({ principal: arn, principalId, person }: Party): Principal | undefined {
  try {
    const principal = parsePrincipal({ arn, userId: principalId, account: arn.split(':')[4] ?? '' })
    return personOf(principal) === person ? principal : undefined
  } catch (error) {
    if (hasCode(error, 'PRINCIPAL_UNKNOWN')) return undefined
    throw error
  }
}
