/**
 * What the commands about break-glass events say: what holds now and until when, who was told, who
 * reviews it, and the command that goes on from there.
 *
 * @module
 */
import { reviewersOf } from '../app/event-reviewers.ts'
import type { BreakGlassPlan } from '../app/plan-break-glass.ts'
import type { ShownEvent } from '../app/shown-event.ts'
import type { Act } from '../domain/access-request.ts'
import type { BreakGlassReview } from '../domain/break-glass.ts'
import { formatDuration } from '../domain/duration.ts'
import { announcements, receiverOf } from '../domain/notification.ts'
import type { Mode, Policy } from '../domain/policy/types.ts'
import { SECOND, toSeconds } from '../domain/time.ts'
import { columns } from './output.ts'
import { inOneLine } from './session-table.ts'
import { describeRemains, quoted } from './session-words.ts'

/** Who hears that an event began, without repeats: `webhook hooks.example`. */
export function listenersOf(policy: Policy): readonly string[] {
  const news = { event: 'break_glass.started', at: 0, fields: {} } as const
  const targets = announcements(policy, news, () => '').map(({ target }) => receiverOf(target))
  return [...new Set(targets)]
}

/** What the invoker is about to do, to be answered with the profile's name. */
export function describeIntent(
  { rule, roleArn, duration }: BreakGlassPlan,
  { user, profile, policy }: { readonly user: string; readonly profile: string; policy: Policy },
): string {
  const text = [
    `Break glass: ${user} into ${profile} for ${formatDuration(duration)}`,
    `as ${roleArn}; announced to ${listed(listenersOf(policy), 'nobody')}`,
    `and reviewed afterwards by ${listed(reviewerNames(policy, rule.name, profile), 'nobody')}.`,
    `Type ${profile}:`,
  ]
  return inOneLine(text.join(' '))
}

/** Loudly: what holds now. `flags` are `breakGlassFlags`. */
export function describeBegun({ filed, state }: ShownEvent, policy: Policy, flags: string): string {
  const { id, invoker, profile, roleArn, reasonCode, justification, rule, duration } = filed.event
  const due =
    state.reviewBy === undefined ? 'when it is over' : `until ${toSeconds(state.reviewBy)}`
  const reviewers = reviewerNames(policy, rule, profile)
  const until = `until ${toSeconds(state.endsAt)} (${formatDuration(duration)})`
  const rows = [
    ['event', `${id}, by rule "${rule}"`],
    ['role', roleArn],
    ['reason', `${reasonCode}: ${justification}`],
    ['announced', `to ${listed(listenersOf(policy), 'nobody: the policy notifies of it nowhere')}`],
    ['review', `by ${listed(reviewers, 'nobody: the policy names no reviewers')}, ${due}`],
    ['use it', `sentinel exec ${quoted(profile)} -- COMMAND`],
    ['close it', `sentinel breakglass close ${id}${flags}`],
  ]
  return [`BREAK-GLASS: ${inOneLine(invoker.user)} is let into ${inOneLine(profile)} ${until}`]
    .concat(columns(rows.map(([name = '', value = '']) => [`  ${name}`, inOneLine(value)])))
    .join('\n')
}

/** How to use what the policy allows in `modes`. */
export function describeWay(profile: string, modes: readonly Mode[]): string {
  const word = quoted(profile)
  if (modes.includes('cli')) return `sentinel exec ${word} -- COMMAND`
  if (modes.includes('server')) return `sentinel exec ${word} --server -- COMMAND`
  return `sentinel credentials --profile ${word}`
}

/** What an event's early end leaves behind. */
export function describeClosed(
  { filed, state }: ShownEvent,
  { policy, flags }: { readonly policy: Policy; readonly flags: string },
): string {
  const { id, invoker, profile, rule, startedAt, duration } = filed.event
  const due = state.reviewBy === undefined ? '' : `, until ${toSeconds(state.reviewBy)}`
  const reviewers = listed(reviewerNames(policy, rule, profile), 'somebody else')
  return [
    `closed break-glass event ${id} of ${invoker.user} for ${profile}`,
    'servers refuse within 5 seconds, while they reach the store',
    describeRemains(startedAt + duration * SECOND, state.endsAt),
    `it is to be reviewed by ${reviewers}${due}:`,
    `  ${reviewCommand(id, flags)}`,
  ].join('\n')
}

/** What a review came to. */
export function describeReviewed(
  outcome: 'reviewed' | 'already reviewed',
  { filed, state }: ShownEvent,
): string {
  const { id, invoker, profile } = filed.event
  const which = `break-glass event ${id} of ${invoker.user} for ${profile}`
  const { review } = state
  const said = review ? ` as ${review.outcome} by ${review.reviewer.user}` : ''
  if (outcome === 'reviewed') return `reviewed ${which}${said}`
  const when = review ? ` at ${toSeconds(review.at)}` : ''
  return `${which} was reviewed already${said}${when}: nothing is changed`
}

/** Everything about one event, a line each. */
export function describeEvent({ filed, state, reviews }: ShownEvent): string {
  const { event, closed } = filed
  const { invoker } = event
  const rows = [
    ['id', event.id],
    ['status', state.status],
    ['invoker', `${invoker.user} (${invoker.person})`],
    ['principal', invoker.principal],
    ['profile', event.profile],
    ['role', event.roleArn],
    ['reason', event.reasonCode],
    ['justification', event.justification],
    ['duration', formatDuration(event.duration)],
    ['rule', event.rule],
    ['started at', toSeconds(event.startedAt)],
    [state.status === 'live' ? 'ends at' : 'ended at', toSeconds(state.endsAt)],
    ...(closed ? [['closed', describeAct(closed)]] : []),
    ...(state.reviewBy === undefined ? [] : [['review by', toSeconds(state.reviewBy)]]),
    ...reviews.map(({ review, isCounted }) => ['review', describeReview(review, isCounted)]),
  ]
  return columns(rows.map(([name = '', value = '']) => [name, inOneLine(value)]))
}

/** What is to be done about an event next, if anything is. */
export function describeNext(
  { filed, state }: ShownEvent,
  { policy, flags }: { readonly policy: Policy; readonly flags: string },
): string | undefined {
  const { id, rule, profile } = filed.event
  if (state.status === 'live') return `to end it: sentinel breakglass close ${id}${flags}`
  if (state.status !== 'unreviewed' && state.status !== 'overdue') return undefined
  const reviewers = listed(reviewerNames(policy, rule, profile), 'somebody else')
  return `to be reviewed by ${reviewers}: ${reviewCommand(id, flags)}`
}

/** That the review of an event is overdue. */
export function describeOverdue({ filed: { event }, state }: ShownEvent): string {
  const { id, invoker, profile } = event
  const until = toSeconds(state.reviewBy ?? state.endsAt)
  return `break-glass event ${id} of ${invoker.user} for ${profile} was to be reviewed until ${until}`
}

/** The command that reviews event `id`. */
export function reviewCommand(id: string, flags: string): string {
  return `sentinel breakglass review ${id} --outcome OUTCOME --comment WHY${flags}`
}

/** Who reviews events of `rule` for `profile`, as the policy writes them. */
export function reviewerNames(policy: Policy, rule: string, profile: string): readonly string[] {
  return reviewersOf(policy, { rule, profile }).map(({ text }) => text)
}

function describeReview({ outcome, reviewer, at, comment }: BreakGlassReview, isCounted: boolean) {
  const whose = `${outcome}, by ${reviewer.user} at ${toSeconds(at)}: ${comment}`
  return `${isCounted ? '' : 'DOES NOT COUNT: '}${whose}`
}

function describeAct({ by, at, reason }: Act): string {
  return `by ${by} at ${toSeconds(at)}${reason === undefined ? '' : `: ${reason}`}`
}

function listed(names: readonly string[], none: string): string {
  return names.length === 0 ? none : names.join(', ')
}
