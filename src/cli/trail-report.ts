/**
 * What is said of a look at CloudTrail besides its rows: what was looked at, and what that cannot
 * show.
 *
 * @module
 */
import type { JoinedTrail, Period } from '../app/join-trail.ts'
import type { OpenedTrail } from '../audit-deps.ts'
import type { Deps, PolicyFlags } from '../deps.ts'
import type { Policy } from '../domain/policy/types.ts'
import { toSeconds } from '../domain/time.ts'
import { hasCode, SentinelError } from '../errors.ts'
import type { Notices } from '../ports/notices.ts'
import { countsOf } from './trail-table.ts'

/**
 * The roles that the policy binds. Without a policy the log and `--role` have to do, unless one was
 * named on the command line: then rejects as reading it does.
 */
export async function policyRoles(
  { policy: path, 'policy-parameter': parameter }: PolicyFlags,
  { checkPolicy, notices }: Pick<Deps, 'checkPolicy' | 'notices'>,
): Promise<NonNullable<Policy['profiles']>> {
  try {
    const flags = { policy: path, 'policy-parameter': parameter }
    const { policy, problems, reference } = await checkPolicy(flags, undefined)
    const [problem] = problems
    if (problem) throw new SentinelError('POLICY_INVALID', `${reference}: ${problem.message}`)
    return policy?.profiles ?? []
  } catch (error) {
    const isAsked = path !== undefined || parameter !== undefined
    if (!(error instanceof SentinelError) || hasCode(error, 'INTERRUPTED') || isAsked) throw error
    notices.warn(
      `the policy's roles are left out: ${error.message}`,
      'name roles with --role, or a policy with --policy',
    )
    return []
  }
}

/** Says which of `roles` the trail shows a part of only. */
export function tellScope(
  roles: readonly string[],
  { account }: OpenedTrail,
  notices: Notices,
): void {
  const accounts = new Set(roles.map((role) => role.split(':')[4] ?? ''))
  const others = [...accounts].filter((other) => /^\d{12}$/.test(other) && other !== account)
  if (others.length === 0) return
  notices.warn(
    `this is the trail of account ${account}: of roles in ${others.join(', ')} it shows only ` +
      'what its own principals did',
    'look with credentials of those accounts as well: --aws-profile PROFILE',
  )
}

/** Says what was found, and what the rows leave open. */
export function tellFindings(
  joined: JoinedTrail,
  { account, regions, since, until }: OpenedTrail & Period,
  notices: Notices,
): void {
  const { sessions, events, failed, ownedByAWS, elsewhere } = joined
  notices.info(
    [
      countsOf(sessions),
      ...(failed > 0 ? [`${counted(failed, 'call')} that failed`] : []),
      ...(ownedByAWS > 0 ? [`${counted(ownedByAWS, 'session')} of AWS's own roles left out`] : []),
      ...(elsewhere > 0 ? [`${counted(elsewhere, 'issuance')} of other accounts left out`] : []),
    ].join('; '),
  )
  notices.info(
    `looked at ${counted(events, 'event')} of ${account} in ${regions.join(', ')}, ` +
      `${toSeconds(since)} to ${toSeconds(until)}`,
  )
  tellDoubts(joined, notices)
}

function tellDoubts({ sessions, unreadable }: JoinedTrail, notices: Notices): void {
  const count = (wanted: string) => sessions.filter(({ status }) => status === wanted).length
  const claimed = count('claimed')
  if (claimed > 0) {
    notices.warn(
      `${counted(claimed, 'session')} with a stamp for which the log does not vouch: another ` +
        "machine's log may, or it is forged",
      'give the logs of other machines too: sentinel audit cloudtrail FILE…',
    )
  }
  const unchecked = count('unchecked')
  if (unchecked > 0) {
    notices.warn(
      `${counted(unchecked, 'issuance')} not seen made, and not looked up`,
      'look more up with --limit-lookups: each takes half a second',
    )
  }
  if (unreadable > 0) {
    notices.warn(
      `${counted(unreadable, 'event')} could not be read, and may be unmanaged sessions`,
      'look at them in the event history of CloudTrail, and report the kind to us',
    )
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
