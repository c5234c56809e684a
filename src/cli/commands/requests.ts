import { listRequests, type RequestFilter } from '../../app/list-requests.ts'
import type { Deps } from '../../deps.ts'
import type { Instant } from '../../domain/time.ts'
import { SentinelError } from '../../errors.ts'
import { defineCommand, type Input } from '../command.ts'
import { readTime } from '../read-time.ts'
import { REQUEST_OPTIONS, readLimit, readRequestStatus } from '../request-options.ts'
import { REQUEST_ROWS } from '../request-table.ts'
import { FORMAT_OPTIONS, readFormat } from '../row-format.ts'
import { openRowWriter } from '../row-writer.ts'
import type { RowFormat } from '../session-table.ts'

const OPTIONS = {
  mine: { type: 'boolean', summary: 'Only your own, decided ones as well' },
  'to-approve': { type: 'boolean', summary: 'Only those that wait for you to decide' },
  status: {
    type: 'string',
    value: 'STATUS',
    summary: 'Only pending, approved, ended, revoked, denied, cancelled or expired ones',
  },
  profile: {
    type: 'string',
    value: 'PROFILE',
    summary: 'Only those for this profile, over ones as well',
  },
  requester: {
    type: 'string',
    value: 'USER',
    summary: 'Only those of this user, decided ones as well: alice, or sso:alice',
  },
  since: { type: 'string', value: 'TIME', summary: 'Only those made since then: 2h, or a time' },
  limit: { type: 'string', value: 'N', summary: 'At most so many, the newest' },
  ...FORMAT_OPTIONS,
  ...REQUEST_OPTIONS,
} as const

type Options = Input<typeof OPTIONS>['options']
type Requests = Awaited<ReturnType<Deps['openRequests']>>

export default defineCommand({
  usage: 'requests',
  summary: 'List access requests: without a filter, those that wait for a decision',
  examples: ['requests --to-approve', 'requests --mine --since 7d', 'requests --format csv'],
  options: OPTIONS,

  async run({ options }, deps) {
    assertNoContradiction(options)
    const format = readFormat(options.format, deps.out)
    const filter = readFilter(options, deps.clock.aws())
    await using requests = await deps.openRequests(options)
    const wanted = { ...filter, ...(await whose(options, requests)) }
    const count = await print(requests, { wanted, format }, deps)
    if (count === 0) {
      const isFiltered = Object.keys(wanted).length > 0
      const none = isFiltered ? 'no request that matches' : 'no request that waits for a decision'
      deps.notices.info(`${requests.store.location} has ${none}`)
    }
    await requests.deliver()
    return undefined
  },
})

function assertNoContradiction({ mine, requester, 'to-approve': toApprove }: Options): void {
  const other = toApprove ? '--to-approve' : requester !== undefined ? '--requester' : undefined
  if (!mine || other === undefined) return
  throw new SentinelError('USAGE', `--mine and ${other} contradict each other`, {
    hint: toApprove
      ? 'nobody decides about their own requests: give one of them'
      : 'leave one of them out',
  })
}

function readFilter(
  { status, profile, requester, since, limit }: Options,
  now: Instant,
): RequestFilter {
  return {
    ...(status !== undefined && { status: readRequestStatus(status) }),
    ...(profile !== undefined && { profile }),
    ...(requester !== undefined && { requester }),
    ...(since !== undefined && { since: readTime('--since', since, now, 'ago') }),
    ...(limit !== undefined && { limit: readLimit(limit) }),
  }
}

/** Who asks is identified only where it matters. */
async function whose(
  { mine, 'to-approve': toApprove }: Options,
  requests: Requests,
): Promise<RequestFilter> {
  if (mine) return { mine: (await requests.operator()).party }
  return toApprove ? { forReviewer: await requests.operator() } : {}
}

/** Prints every request that `wanted` lets through. Resolves to how many there were. */
async function print(
  { store, policy: { policy } }: Requests,
  { wanted, format }: { readonly wanted: RequestFilter; readonly format: RowFormat },
  deps: Deps,
): Promise<number> {
  const { out } = deps
  const rows = openRowWriter(out, format, REQUEST_ROWS)
  let count = 0
  const onPage = (seen: number) => out.progress(`${seen} requests looked at, ${count} listed`)
  try {
    for await (const shown of listRequests({ ...deps, store, policy }, wanted, onPage)) {
      count += 1
      if (!(await rows.write(shown))) return count
    }
  } finally {
    out.progress('')
  }
  await rows.end()
  return count
}
