/**
 * Whether a break-glass event may begin (design § 8), by the rule that allows it and the events
 * before it. Meant for the transaction that begins the event: of two at the same time, the second
 * is held against the first.
 *
 * | | whose events count | until |
 * |---|---|---|
 * | overdue review | the person's, on any profile | it is reviewed |
 * | `max_per_user` | the person's, on all that the rule covers | the oldest leaves the window |
 * | `max_per_profile` | everybody's on the profile | likewise |
 * | live | the person's on the profile | it ends |
 * | cooldown | likewise | that long after the last one's end |
 *
 * A quota counts starts, whichever rule they were allowed by. The end of each of these times is
 * exclusive: at that very millisecond the event may begin.
 *
 * @module
 */
import { SentinelError } from '../errors.ts'
import type { Digest } from './access-request.ts'
import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  eventEnd,
  eventState,
  type FiledEvent,
} from './break-glass.ts'
import { formatDuration } from './duration.ts'
import { isSameParty } from './party.ts'
import { matchesGlob } from './policy/glob.ts'
import type { BreakGlassRule } from './policy/types.ts'
import { type Instant, SECOND, toSeconds } from './time.ts'

/** Something that passes with time. */
interface Obstacle {
  readonly why: string
  readonly until: Instant
}

/**
 * Throws `BREAK_GLASS_LIVE` when the person has a live event for the profile and nothing else is in
 * the way; `BREAK_GLASS_REFUSED` for an overdue review, a quota, or the cooldown. The time that is
 * told is when nothing of what is known now will be in the way any more.
 */
export function assertAdmitted(
  event: BreakGlassEvent,
  history: BreakGlassHistory,
  rule: BreakGlassRule,
  { now, digest }: { readonly now: Instant; readonly digest: Digest },
): void {
  const known = allOf(history)
  const own = known.filter((filed) => isSameParty(filed.event.invoker, event.invoker))
  if (rule.blockWhenOverdue) assertReviewed(own, digest, now)

  const here = known.filter((filed) => filed.event.profile === event.profile)
  const ownHere = own.filter((filed) => here.includes(filed))
  const live = ownHere.find((filed) => now < eventEnd(filed))
  const quotas = [...perUser(event, own, rule, now), ...perProfile(event, here, rule, now)]
  const cooldown = coolingDown(event, ownHere, rule, now)
  // Who waits for a live event to end would still find a quota used up: that is told first.
  if (live && quotas.length === 0) throw alreadyLive(live)
  const [last] = [...quotas, ...cooldown].toSorted((a, b) => b.until - a.until)
  if (last) throw refused(last, live)
}

/** Each once: what a person did on the profile is in both lists. */
function allOf({ ofPerson, ofProfile }: BreakGlassHistory): readonly FiledEvent[] {
  return [...new Map([...ofPerson, ...ofProfile].map((filed) => [filed.event.id, filed])).values()]
}

function assertReviewed(own: readonly FiledEvent[], digest: Digest, now: Instant): void {
  for (const filed of own) {
    const { status, reviewBy = now } = eventState(filed, digest, now)
    if (status !== 'overdue') continue
    const { id, invoker, profile } = filed.event
    const which = `break-glass event ${id} of ${invoker.user} for ${profile}`
    const command = `sentinel breakglass review ${id} --outcome justified|misuse --comment TEXT`
    throw new SentinelError(
      'BREAK_GLASS_REFUSED',
      `${which} was to be reviewed until ${toSeconds(reviewBy)}, and no other may begin before it is`,
      { hint: `have a reviewer run: ${command}` },
    )
  }
}

function perUser(
  { invoker }: BreakGlassEvent,
  own: readonly FiledEvent[],
  { name, profiles, maxPerUser }: BreakGlassRule,
  now: Instant,
): readonly Obstacle[] {
  if (!maxPerUser) return []
  const covered = own.filter(({ event: { profile } }) =>
    profiles.some((pattern) => matchesGlob(pattern, profile)),
  )
  const until = usedUpUntil(covered, maxPerUser, now)
  const why = `rule ${name} lets ${invoker.user} break glass ${often(maxPerUser)}`
  return until === undefined ? [] : [{ why, until }]
}

function perProfile(
  { profile }: BreakGlassEvent,
  here: readonly FiledEvent[],
  { name, maxPerProfile }: BreakGlassRule,
  now: Instant,
): readonly Obstacle[] {
  if (!maxPerProfile) return []
  const until = usedUpUntil(here, maxPerProfile, now)
  const why = `rule ${name} lets all together break glass for ${profile} ${often(maxPerProfile)}`
  return until === undefined ? [] : [{ why, until }]
}

type Quota = NonNullable<BreakGlassRule['maxPerUser']>

/** When fewer than `count` starts will be within the window; `undefined`: they are now. */
function usedUpUntil(
  events: readonly FiledEvent[],
  { count, window }: Quota,
  now: Instant,
): Instant | undefined {
  const within = events
    .map(({ event }) => event.startedAt + window * SECOND)
    .filter((leaves) => now < leaves)
    .toSorted((a, b) => b - a)
  return within[count - 1]
}

function often({ count, window }: Quota): string {
  return `${count === 1 ? 'once' : `${count} times`} in ${formatDuration(window)}`
}

/** From the last end on: from one that is still to come, where an event is live. */
function coolingDown(
  { invoker, profile }: BreakGlassEvent,
  ownHere: readonly FiledEvent[],
  { name, cooldown = 0 }: BreakGlassRule,
  now: Instant,
): readonly Obstacle[] {
  const until = Math.max(...ownHere.map(eventEnd)) + cooldown * SECOND
  const pause = cooldown === 0 ? 'no overlap' : formatDuration(cooldown)
  const why = `rule ${name} wants ${pause} between two events of ${invoker.user} for ${profile}`
  return now < until ? [{ why, until }] : []
}

function alreadyLive(live: FiledEvent): SentinelError {
  const { id, invoker, profile } = live.event
  const until = toSeconds(eventEnd(live))
  return new SentinelError(
    'BREAK_GLASS_LIVE',
    `break-glass event ${id} of ${invoker.user} for ${profile} is live until ${until}`,
    { hint: `use it, or end it with: sentinel breakglass close ${id}` },
  )
}

function refused({ why, until }: Obstacle, live: FiledEvent | undefined): SentinelError {
  const time = toSeconds(Math.ceil(until / SECOND) * SECOND)
  const meanwhile = live ? `use event ${live.event.id}, which is live, or ` : ''
  return new SentinelError('BREAK_GLASS_REFUSED', `${why}: not again before ${time}`, {
    hint: `${meanwhile}try again at ${time}`,
  })
}
