import type { Party } from '../../domain/party.ts'
import { type Principal, parsePrincipal, personOf } from '../../domain/principal.ts'
import { hasCode } from '../../errors.ts'
import { type Item, type Row, text } from './attributes.ts'

/**
 * The attributes of somebody whose UserId is in the key of the row, and whose person is elsewhere.
 */
export function partyAttributes({ user, principal }: Pick<Party, 'user' | 'principal'>): Item {
  return { user: text(user), principal: text(principal) }
}

/** Reads back who has `principalId`; as which person, the attribute `person` says. */
export function readParty(row: Row, person: string, principalId: string): Party {
  return {
    person: row.text(person),
    user: row.text('user'),
    principal: row.text('principal'),
    principalId,
  }
}

/**
 * Reads back who wrote the row under a key with their UserId. Throws `STORE_INVALID` when the
 * person is not that UserId's, as far as can be told: IAM vouches for the key, and for nothing else
 * in it.
 */
export function readAuthor(row: Row, person: string, principalId: string): Party {
  const party = readParty(row, person, principalId)
  if (isOneParty(party)) return party
  throw row.invalid(`its key is not one of ${person}`)
}

function isOneParty({ person, principal: arn, principalId: userId }: Party): boolean {
  const [, , , , account = ''] = arn.split(':')
  const principal = parsed({ arn, userId, account })
  if (principal === undefined) return false
  return person === personOf(principal) || isOfRole(person, principal)
}

/** Whom a token named is in no ARN: of a web identity only the role can be compared. */
function isOfRole(person: string, principal: Principal): boolean {
  if (principal.kind !== 'role') return false
  const { partition, account, role } = principal
  return person.startsWith(`web:${partition}/${account}/${role}/`)
}

function parsed(identity: Parameters<typeof parsePrincipal>[0]): Principal | undefined {
  try {
    return parsePrincipal(identity)
  } catch (error) {
    if (hasCode(error, 'PRINCIPAL_UNKNOWN')) return undefined
    throw error
  }
}
