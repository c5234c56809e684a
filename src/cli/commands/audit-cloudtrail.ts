import {
  issuancesOf,
  type JoinedSession,
  type JoinedTrail,
  joinTrail,
  type Period,
} from '../../app/join-trail.ts'
import type { ArchiveSelection, OpenedTrail } from '../../audit-deps.ts'
import type { Deps } from '../../deps.ts'
import { SentinelError } from '../../errors.ts'
import { ARCHIVE_OPTIONS, readArchive } from '../audit-options.ts'
import { showReading } from '../audit-progress.ts'
import { defineCommand, type Input } from '../command.ts'
import { POLICY_OPTIONS } from '../issue-options.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import { openRowWriter } from '../row-writer.ts'
import type { RowFormat } from '../session-table.ts'
import {
  readLookups,
  readRegions,
  readRoles,
  readTrailPeriod,
  TRAIL_OPTIONS,
} from '../trail-options.ts'
import { policyRoles, tellFindings, tellScope } from '../trail-report.ts'
import { byRank, TRAIL_ROWS } from '../trail-table.ts'

const OPTIONS = {
  ...TRAIL_OPTIONS,
  ...FORMAT_OPTIONS,
  ...ARCHIVE_OPTIONS,
  policy: { ...POLICY_OPTIONS.policy, summary: 'Protect the roles that this policy binds' },
  'policy-parameter': {
    ...POLICY_OPTIONS['policy-parameter'],
    summary: 'Protect the roles that the policy in this SSM parameter binds',
  },
} as const

export default defineCommand({
  usage: 'audit cloudtrail [...files]',
  summary: 'Find sessions that Sentinel did not make, and issuances that CloudTrail never saw',
  examples: [
    'audit cloudtrail',
    'audit cloudtrail --since 7d --format json',
    'audit cloudtrail --role arn:aws:iam::444455556666:role/Prod --aws-profile auditor',
  ],
  statuses: {
    0: 'nobody went around Sentinel, as far as the trail shows',
    1: 'a session is unmanaged, or claims a stamp that no log vouches for',
    6: 'CloudTrail did not answer, or an event could not be read',
  },
  options: OPTIONS,

  async run({ args, options }, deps) {
    const format = readFormat(options.format, deps.out)
    const now = deps.clock.aws()
    const asked = {
      ...readTrailPeriod(options, now),
      now,
      roles: readRoles(options),
      regions: readRegions(options),
      lookups: readLookups(options),
    }
    const selection = readArchive(args, options)
    return await deps.interruptibly(async (signal) => {
      const { joined, scope } = await look({ ...asked, selection, options, signal }, deps)
      await print(joined.sessions, format, deps.out)
      tellFindings(joined, { ...asked, ...scope }, deps.notices)
      return { status: statusOf(joined) }
    })
  },
})

interface Look extends Period {
  readonly now: number
  readonly roles: readonly string[]
  readonly regions: readonly string[] | undefined
  readonly lookups: number
  readonly selection: ArchiveSelection
  readonly options: Input<typeof OPTIONS>['options']
  readonly signal: AbortSignal
}

async function look(
  { selection, options, signal, ...asked }: Look,
  deps: Deps,
): Promise<{ joined: JoinedTrail; scope: OpenedTrail }> {
  const { out } = deps
  const bound = await policyRoles(options, deps)
  const archive = await deps.openArchive(selection)
  try {
    const reading = { signal, onProgress: showReading(out) }
    const issuances = await issuancesOf(asked, archive, reading)
    const known = [...issuances.all()]
    const roles = [...asked.roles, ...bound.map(({ role }) => role)]
    const stamped = known.filter(({ isStamped }) => isStamped)
    if (roles.length === 0 && stamped.length === 0) throw nothingProtected()
    const profiles = profilesOf([...known, ...bound])
    const scope = await deps.openTrail({ regions: asked.regions, profiles, signal })
    const issued = stamped.flatMap(({ roleArn }) => roleArn ?? [])
    tellScope([...roles, ...issued], scope, deps.notices)
    const join = { ...scope, archive, issuances, signal, onProgress: out.progress.bind(out) }
    const joined = await joinTrail(join, { ...asked, ...scope, roles })
    return { joined, scope }
  } finally {
    out.progress('')
  }
}

/** Names of profiles, each once, without globs over names. */
function profilesOf(named: readonly { readonly profile?: string }[]): string[] {
  const names = named.flatMap(({ profile }) => profile ?? [])
  return [...new Set(names)].filter((name) => !name.includes('*'))
}

/** A check that looks at nothing would say that nothing is wrong. */
function nothingProtected(): SentinelError {
  return new SentinelError('USAGE', 'no role is known that is to be entered through Sentinel', {
    hint: 'name one with --role, or a policy that binds profiles to roles with --policy',
  })
}

async function print(
  sessions: readonly JoinedSession[],
  format: RowFormat,
  out: Deps['out'],
): Promise<void> {
  const rows = openRowWriter(out, format, TRAIL_ROWS)
  for (const session of byRank(sessions)) {
    if (!(await rows.write(session))) return
  }
  await rows.end()
}

/** What could not be read may have been anything: that is no yes. */
function statusOf({ sessions, unreadable }: JoinedTrail): number {
  const isFound = sessions.some(({ status }) => status === 'unmanaged' || status === 'claimed')
  if (isFound) return 1
  return unreadable > 0 ? 6 : 0
}
