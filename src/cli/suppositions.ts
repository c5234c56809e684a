/**
 * What `policy explain` is told to suppose: a grant that is live, a session that is tracked.
 *
 * @module
 */
import { grantAsIf } from '../domain/policy/lifting.ts'
import type { AccessInput, Grant, Mode, Policy } from '../domain/policy/types.ts'
import { isSamePlace, parseStoreLocation, STORE_FORMS } from '../domain/store-location.ts'
import { toSeconds } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { readChoice } from './audit-options.ts'

/** What `--grant` takes. */
export const GRANT_WORDS = ['approval', 'break-glass'] as const

/**
 * `input` with the grant that `--grant` supposes. Throws `REQUEST_REFUSED` or `BREAK_GLASS_REFUSED`
 * where no rule of `policy` gives one.
 */
export function supposeGrant(
  word: string | undefined,
  policy: Policy,
  input: AccessInput,
): AccessInput {
  if (word === undefined) return input
  const { profile, target } = input
  const basis = readChoice('grant', word, GRANT_WORDS) === 'approval' ? 'approval' : 'break_glass'
  const grant = grantAsIf(basis, policy, input)
  if (grant) return { ...input, grants: [grant] }
  const what = basis === 'approval' ? 'an approval' : 'a break-glass event'
  const why = target.stamped
    ? `no ${basis === 'approval' ? 'approvals' : 'break_glass'} rule covers ${profile} for this caller and role`
    : `${what} is for a role, and ${profile} has none for Sentinel to assume`
  throw new SentinelError(
    basis === 'approval' ? 'REQUEST_REFUSED' : 'BREAK_GLASS_REFUSED',
    `there is no such grant to suppose: ${why}`,
    { hint: 'leave --grant out to see what decides, and what would change it' },
  )
}

/**
 * The store that `--session-store` supposes, in the words of `policy` where that names the same
 * place. Throws `USAGE`.
 */
export function supposeSession(
  location: string | undefined,
  { stores }: Policy,
  mode: Mode,
): Pick<AccessInput, 'sessionStore'> {
  if (location === undefined) return {}
  if (mode !== 'server') {
    throw new SentinelError(
      'USAGE',
      '--session-store is given, and nothing is tracked in this mode',
      {
        hint: 'add --mode server',
      },
    )
  }
  if (parseStoreLocation(location) === undefined) {
    throw new SentinelError('USAGE', `--session-store is no location of a store: "${location}"`, {
      hint: `write ${STORE_FORMS}`,
    })
  }
  // What is in one process alone can be revoked by nobody, and counts as not tracked.
  if (location === 'memory:') return {}
  const { sessions } = stores
  const isNamed = sessions !== undefined && isSamePlace(sessions, location)
  return { sessionStore: isNamed ? sessions : location }
}

/** What is supposed of `input`, a line each. */
export function describeSuppositions({ grants: [grant], sessionStore }: AccessInput): string[] {
  return [
    ...(grant
      ? [
          `as if ${describeBasis(grant)} by rule "${grant.rule}" were live until ${toSeconds(grant.endsAt)}`,
        ]
      : []),
    ...(sessionStore === undefined ? [] : [`as if its session were tracked in ${sessionStore}`]),
  ]
}

function describeBasis({ basis }: Grant): string {
  return basis === 'approval' ? 'an approval' : 'a break-glass event'
}
