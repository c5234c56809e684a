import { type Reviewed, reviewRequest } from '../app/review-request.ts'
import { describeAsk, type ShownRequest } from '../app/shown-request.ts'
import type { Deps, GrantFlags } from '../deps.ts'
import type { Review } from '../domain/access-request.ts'
import { SentinelError } from '../errors.ts'
import { openRequestDeps } from './open-request-deps.ts'
import { printable } from './output.ts'
import { requestFields } from './request-fields.ts'
import { readAccessDuration, readComment, requestFlags } from './request-options.ts'
import { describeRequest, describeReviewed } from './request-words.ts'
import { warnOfShortGrant } from './warn-of-short-grant.ts'

/** What `approve` and `deny` were given. */
interface Given {
  /** The id, or the beginning of it. */
  readonly id: string
  readonly verdict: Review['verdict']
  readonly comment: string | undefined
  readonly duration: string | undefined
  /** Nobody need be asked. */
  readonly isSure: boolean
}

const WORDS = {
  approve: { verb: 'Approve', done: 'approved' },
  deny: { verb: 'Deny', done: 'denied' },
} as const

/** Decides about a request: shows it first, and on a terminal asks for a yes. */
export async function review(given: Given, flags: GrantFlags, deps: Deps): Promise<void> {
  const { id, verdict, isSure } = given
  const comment = readComment(given.comment)
  const duration = readAccessDuration(given.duration)
  await using requests = await deps.openRequests(flags)
  const reviewer = await requests.operator()
  const tools = openRequestDeps(requests, reviewer, deps)
  const decision = { request: id, reviewer, verdict, comment, duration }

  const reviewed = await reviewRequest(tools, decision, async (shown) => {
    const isText = deps.out.form.value === 'text'
    if (isText) await deps.out.stream(`${printable(describeRequest(shown))}\n\n`)
    if (!isSure && deps.out.window() !== undefined) await ask(shown, verdict, deps)
  })

  deps.out.print(describeReviewed(reviewed, requestFlags(flags)), {
    outcome: outcomeOf(reviewed),
    request: requestFields(reviewed.shown),
  })
  if (duration !== undefined) warnOfShortGrant(duration, deps.notices)
  await requests.deliver()
  tools.log.assertWritten()
}

/** Where results go to a program, the command itself is the yes. */
async function ask(
  shown: ShownRequest,
  verdict: Review['verdict'],
  { confirm }: Pick<Deps, 'confirm'>,
): Promise<void> {
  const question = printable(`${WORDS[verdict].verb} the request of ${describeAsk(shown)}?`)
  if (await confirm(question, '--yes')) return
  throw new SentinelError('INTERRUPTED', 'nothing was decided', {
    hint: 'answer yes, or give --yes',
  })
}

function outcomeOf({ outcome, review: { verdict } }: Reviewed): string {
  return `${outcome === 'already' ? 'already ' : ''}${WORDS[verdict].done}`
}
