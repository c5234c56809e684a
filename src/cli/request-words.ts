/**
 * What the commands about requests say: how a request stands, what comes next, and the command that
 * goes on from there.
 *
 * @module
 */
import type { Asked } from '../app/request-access.ts'
import type { Reviewed } from '../app/review-request.ts'
import { describeState, type ShownRequest } from '../app/shown-request.ts'
import type { Review } from '../domain/access-request.ts'
import { formatDuration } from '../domain/duration.ts'
import { toSeconds } from '../domain/time.ts'
import { columns } from './output.ts'
import { inOneLine } from './session-table.ts'
import { quoted } from './session-words.ts'

/** Everything about one request, a line each. */
export function describeRequest(shown: ShownRequest): string {
  const { filed, state, reviews } = shown
  const { request } = filed
  const { requester, isAutomatic, required } = request
  const rows = [
    ['id', request.id],
    ['status', state.status],
    ['requester', `${requester.user} (${requester.person})`],
    ['principal', requester.principal],
    ['profile', request.profile],
    ['role', request.roleArn],
    ['duration', formatDuration(request.duration)],
    ['justification', request.justification],
    ['rule', request.rule],
    ['approvals', isAutomatic ? 'by the rule itself' : `${state.approvals.length} of ${required}`],
    ['asked at', toSeconds(request.createdAt)],
    ...(state.status === 'pending' ? [['can be decided until', toSeconds(state.expiresAt)]] : []),
    ...(state.granted
      ? [['access', `${toSeconds(state.granted.from)} to ${toSeconds(state.granted.until)}`]]
      : []),
    ...reviews.map(({ review, isCounted }) => ['review', describeReview(review, isCounted)]),
    ...act('cancelled', filed.cancelled),
    ...act('revoked', filed.revoked),
  ]
  return columns(rows.map(([name = '', value = '']) => [name, inOneLine(value)]))
}

/** That a request was made, who may decide, and how its requester hears of it. */
export function describeCreated(
  { shown, approvers }: Extract<Asked, { outcome: 'created' }>,
  flags: string,
): string {
  const { request } = shown.filed
  const { id, profile, duration, required, isAutomatic } = request
  const asked = `request ${id} for ${profile} for ${formatDuration(duration)}`
  if (isAutomatic) return `made ${asked}\n${describeAccess(shown)}`
  const who =
    required === 1
      ? `it needs the approval of ${approvers.join(' or ') || 'somebody else'}`
      : `it needs ${required} approvals, of ${approvers.join(', ') || 'others'}`
  return [
    `made ${asked}`,
    `${who}, by ${toSeconds(shown.state.expiresAt)}:`,
    `  sentinel approve ${id}${flags}`,
    'to wait for the decision:',
    `  sentinel request show ${id} --wait${flags}`,
  ].join('\n')
}

/** That access is there, until when, and how to use it. */
export function describeAccess(shown: ShownRequest): string {
  const { id, profile } = shown.filed.request
  return `request ${id} ${describeState(shown)}\nto use it: sentinel exec ${quoted(profile)} -- COMMAND`
}

/** What a verdict came to. */
export function describeReviewed({ outcome, review, shown }: Reviewed, flags: string): string {
  const { state, filed } = shown
  const { id } = filed.request
  const did = review.verdict === 'approve' ? 'approved' : 'denied'
  const first =
    outcome === 'written'
      ? `${did} request ${id}`
      : `you ${did} request ${id} already, at ${toSeconds(review.at)}: nothing is changed`
  if (review.verdict === 'deny') return first
  const next =
    state.status === 'approved'
      ? [`to end it sooner: sentinel request revoke ${id} --reason WHY${flags}`]
      : []
  return [first, `it ${describeState(shown)}`, ...next].join('\n')
}

/** What a revocation leaves behind. */
export function describeRevokedRequest({ filed, state }: ShownRequest): string {
  const { id, requester, profile } = filed.request
  const until = state.granted ? ` until ${toSeconds(state.granted.until)}` : ''
  return [
    `revoked request ${id} of ${requester.user} for ${profile}: servers refuse within 5 seconds`,
    `credentials already handed out may work${until}: AWS knows of no revocation`,
  ].join('\n')
}

function describeReview({ verdict, reviewer, at, comment, duration }: Review, isCounted: boolean) {
  const whose = `${verdict} by ${reviewer.user} at ${toSeconds(at)}`
  const shorter = duration === undefined ? '' : ` for ${formatDuration(duration)}`
  const said = comment === undefined ? '' : `: ${comment}`
  return `${isCounted ? '' : 'DOES NOT COUNT: '}${whose}${shorter}${said}`
}

function act(name: string, done: ShownRequest['filed']['revoked']): string[][] {
  if (!done) return []
  const why = done.reason === undefined ? '' : `: ${done.reason}`
  return [[name, `by ${done.by} at ${toSeconds(done.at)}${why}`]]
}
