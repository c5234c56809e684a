/**
 * Holds the decision log against CloudTrail: sessions of protected roles that Sentinel did not
 * make, and issuances that CloudTrail knows nothing of.
 *
 *     CloudTrail                        log
 *     AssumeRole… of protected role ──▶ issued by that key, or that request    managed
 *                                       stamped caller, request in the log     chained
 *                                       a stamp the log does not vouch for     claimed
 *                                       no stamp                               unmanaged
 *     seen made ◀────────────────────── issuance
 *     calls by its key ◀─────────────── issuance not seen made: used, or never seen
 *
 * @module
 */
import { type Instant, MINUTE } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import type { LogArchive, ReadOptions } from '../ports/log-archive.ts'
import type { Trail, TrailEvent } from '../ports/trail.ts'
import { type Issuance, Issuances } from './issuances.ts'
import { type Judgement, judgeSession, requestsOf } from './judge-session.ts'
import { createRoleOwners, type RoleOwner } from './protected-roles.ts'

/** The calls that make sessions of roles. */
const MAKERS = ['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity']

/** CloudTrail shows a call within 15 minutes, usually; a little more is waited for. */
const DELIVERY = 20 * MINUTE
/** How far a call may be from its record, at the ends of the period. */
const MARGIN = MINUTE
/** What is in memory of CloudTrail: a hundred MB or so. */
const MOST_SESSIONS = 100_000

/** A session of a protected role, or an issuance that no such session was seen of. */
export type JoinedSession =
  | (Judgement & { readonly event: TrailEvent })
  | {
      /**
       * `used`: CloudTrail saw calls by its key. `never_seen`: it saw none. `unchecked`: that was
       * not asked. `pending`: it is too young to be missed.
       */
      readonly status: 'used' | 'never_seen' | 'unchecked' | 'pending'
      readonly issuance: Issuance
    }

export interface JoinedTrail {
  /** Newest first. */
  readonly sessions: readonly JoinedSession[]
  readonly events: number
  /** Calls for protected roles that failed, and so made no session. */
  readonly failed: number
  /** Sessions of roles of AWS's own, which a pattern reaches but does not name. */
  readonly ownedByAWS: number
  /** Events that could not be understood: each may have been anything. */
  readonly unreadable: number
  /** Issuances between other accounts than the one whose trail this is. */
  readonly elsewhere: number
}

/** Both ends are of it. */
export interface Period {
  readonly since: Instant
  readonly until: Instant
}

export interface JoinQuestion extends Period {
  readonly now: Instant
  readonly regions: readonly string[]
  /** Whose trail it is. */
  readonly account: string
  /** ARNs of protected roles, or globs over them. */
  readonly roles: readonly string[]
  /** At most so many issuances are looked up by their access keys, the newest. */
  readonly lookups: number
}

export interface JoinDeps {
  readonly trail: Trail
  readonly archive: Pick<LogArchive, 'records'>
  /** As `issuancesOf` reads them. What CloudTrail refers to besides is read later. */
  readonly issuances: Issuances
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

interface Sightings {
  readonly sessions: TrailEvent[]
  events: number
  failed: number
  ownedByAWS: number
  unreadable: number
}

/**
 * Reads those of `period`. Rejects with `USAGE` when they are too many, and as the archive does.
 */
export async function issuancesOf(
  { since, until }: Period,
  archive: Pick<LogArchive, 'records'>,
  options: ReadOptions,
): Promise<Issuances> {
  const issuances = new Issuances()
  const isWanted = ({ at }: Issuance) => since - MARGIN <= at && at <= until + MARGIN
  await issuances.read(archive, isWanted, options)
  return issuances
}

/**
 * Rejects with `TRAIL_UNAVAILABLE`, with `USAGE` when there is too much for one look, and as the
 * archive does.
 */
export async function joinTrail(deps: JoinDeps, question: JoinQuestion): Promise<JoinedTrail> {
  const { issuances } = deps
  const { since, until, account } = question
  const inPeriod = (at: Instant) => since <= at && at <= until
  const wanted = [...issuances.all()].filter(({ at }) => inPeriod(at))
  const { sessions, ...counts } = await findSessions(deps, question)
  await readMissing(deps, sessions)

  const judged = sessions.map((event) => ({ event, ...judgeSession(event, issuances) }))
  const seen = new Set(judged.map((session) => 'issuance' in session && session.issuance))
  const unseen = wanted.filter((issuance) => issuance.issued && !seen.has(issuance))
  const here = unseen.filter(({ accounts }) => accounts.length === 0 || accounts.includes(account))
  return {
    sessions: [
      ...judged.filter((session) => inPeriod(timeOf(session))),
      ...(await lookUp(deps, question, here)),
    ].toSorted((a, b) => timeOf(b) - timeOf(a)),
    ...counts,
    elsewhere: unseen.length - here.length,
  }
}

/** When it was made: for one of Sentinel's, as the log says. */
export function timeOf(session: JoinedSession): Instant {
  if ('event' in session && session.status !== 'managed') return session.event.at
  return session.issuance.at
}

/** Every session that was made of a protected role, and a little before and after. */
async function findSessions(
  { trail, issuances, signal, onProgress }: JoinDeps,
  { since, until, regions, roles }: JoinQuestion,
): Promise<Sightings> {
  // A role whose credentials are served as they are is for others to enter as well.
  const issued = [...issuances.all()].filter(({ isStamped }) => isStamped)
  const ownerOf = createRoleOwners([...roles, ...issued.flatMap(({ roleArn }) => roleArn ?? [])])
  const found: Sightings = { sessions: [], events: 0, failed: 0, ownedByAWS: 0, unreadable: 0 }
  const observer = {
    onPage(events: number) {
      found.events += events
      const sessions = counted(found.sessions.length, 'session')
      onProgress(`${counted(found.events, 'event')} looked at, ${sessions} of protected roles`)
    },
    onUnreadable() {
      found.unreadable += 1
    },
  }
  const period = { since: since - MARGIN, until: until + MARGIN }
  await allOf(regions, signal, async (region, ending) => {
    for (const eventName of MAKERS) {
      const query = { ...period, region, by: { eventName } }
      for await (const event of trail.lookup(query, ending, observer)) sort(event, ownerOf, found)
    }
  })
  return found
}

function sort(event: TrailEvent, ownerOf: (roleArn: string) => RoleOwner, found: Sightings): void {
  if (event.roleArn === undefined) {
    // What failed early enough has no role; a session always has one.
    if (event.errorCode === undefined) found.unreadable += 1
    return
  }
  const owner = ownerOf(event.roleArn)
  if (owner === 'anybody') return
  if (owner === 'aws') found.ownedByAWS += event.errorCode === undefined ? 1 : 0
  else if (event.errorCode !== undefined) found.failed += 1
  else found.sessions.push(event)
  if (found.sessions.length <= MOST_SESSIONS) return
  throw new SentinelError('USAGE', `CloudTrail has more than ${MOST_SESSIONS} such sessions`, {
    hint: 'look at a shorter time, with --since and --until',
  })
}

/** Reads what is older in the log than the period: a chain may go on for long. */
async function readMissing(
  { archive, issuances, signal, onProgress }: JoinDeps,
  sessions: readonly TrailEvent[],
): Promise<void> {
  const missing = new Set(
    sessions.flatMap(requestsOf).filter((requestId) => !issuances.byRequest(requestId)),
  )
  if (missing.size === 0) return
  onProgress(`looking for ${counted(missing.size, 'request')} in the log`)
  await issuances.read(archive, ({ requestId }) => missing.has(requestId), { signal })
}

/** Asks CloudTrail for calls by the keys of `issuances`, whose making it did not show. */
async function lookUp(
  deps: JoinDeps,
  { now, lookups, regions }: JoinQuestion,
  issuances: readonly Issuance[],
): Promise<JoinedSession[]> {
  const isYoung = ({ at }: Issuance) => now - at < DELIVERY
  const due = issuances.filter((one) => !isYoung(one)).toSorted((a, b) => b.at - a.at)
  const wanted = due.slice(0, lookups)
  const found: JoinedSession[] = []
  for (const [index, issuance] of wanted.entries()) {
    deps.onProgress(`looking up access key ${index + 1} of ${wanted.length}`)
    const isUsed = await isSeenUsed(deps, issuance, { regions, now })
    found.push({ status: isUsed ? 'used' : 'never_seen', issuance })
  }
  return [
    ...found,
    ...due.slice(lookups).map((issuance) => ({ status: 'unchecked', issuance }) as const),
    ...issuances.filter(isYoung).map((issuance) => ({ status: 'pending', issuance }) as const),
  ]
}

async function isSeenUsed(
  { trail, signal }: JoinDeps,
  { issued, at }: Issuance,
  { regions, now }: Pick<JoinQuestion, 'regions' | 'now'>,
): Promise<boolean> {
  if (!issued) return false
  const by = { accessKeyId: issued.accessKeyId }
  let isUsed = false
  const observer = {
    // That one is there is enough, even one that cannot be understood.
    onPage(events: number) {
      isUsed ||= events > 0
    },
  }
  await allOf(regions, signal, async (region, ending) => {
    const query = { region, since: at - MARGIN, until: now, by }
    for await (const _ of trail.lookup(query, ending, observer)) return
  })
  return isUsed
}

/**
 * Each region has a rate of its own: all at once. The first failure is that of the whole, and ends
 * the others.
 */
async function allOf(
  regions: readonly string[],
  signal: AbortSignal,
  work: (region: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController()
  const ending = AbortSignal.any([signal, end.signal])
  try {
    await Promise.all(regions.map((region) => work(region, ending)))
  } finally {
    end.abort()
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
