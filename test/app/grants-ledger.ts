import assert from 'node:assert/strict'
import type { AccessRequest, Review } from '../../src/domain/access-request.ts'
import type { BreakGlassEvent } from '../../src/domain/break-glass.ts'
import type { BreakGlassRule, Grant } from '../../src/domain/policy/types.ts'
import type { Principal } from '../../src/domain/principal.ts'
import { SECOND } from '../../src/domain/time.ts'

/** A request, and what commands said became of it. */
interface KnownRequest {
  readonly request: AccessRequest
  readonly approvals: Review[]
  /** Who has tried to approve it, whatever came of it, or will. */
  readonly tried: Set<string>
  isWithdrawn: boolean
}

interface KnownEvent {
  readonly event: BreakGlassEvent
  closedAt?: number
}

/** How long ago a request may have been made that is approved. */
const A_DAY = 24 * 3600 * SECOND

/**
 * What a team has done, by what its commands said: the naive truth that grants are held to. It
 * knows nothing of stores, hashes, seals or transactions.
 */
export class Ledger {
  readonly requests = new Map<string, KnownRequest>()
  readonly events = new Map<string, KnownEvent>()

  created(request: AccessRequest): void {
    this.requests.set(request.id, {
      request,
      approvals: [],
      tried: new Set(),
      isWithdrawn: false,
    })
  }

  begun(event: BreakGlassEvent): void {
    this.events.set(event.id, { event })
  }

  /** What is over for good, by commands that have said so: of requests and of events. */
  withdrawn(): ReadonlySet<string> {
    const requests = [...this.requests].filter(([, { isWithdrawn }]) => isWithdrawn)
    const events = [...this.events].filter(([, { closedAt }]) => closedAt !== undefined)
    return new Set([...requests, ...events].map(([id]) => id))
  }

  /** Which grants `person` has for `profile` at `now`, when nothing is under way. */
  live(person: string, profile: string, now: number): string[] {
    const approved = [...this.requests.values()].filter(
      ({ request, isWithdrawn }) =>
        request.requester.person === person && request.profile === profile && !isWithdrawn,
    )
    const broken = [...this.events.values()].filter(
      ({ event, closedAt }) =>
        event.invoker.person === person &&
        event.profile === profile &&
        closedAt === undefined &&
        now < endOf({ event }),
    )
    return [
      ...approved.filter((known) => now < grantedUntil(known)).map(({ request }) => request.id),
      ...broken.map(({ event }) => event.id),
    ].toSorted()
  }

  /**
   * Asserts that `grant`, found by a look that began at `since`, may be one, while commands are
   * under way that have not said yet what came of them.
   */
  assertPossible(grant: Grant, person: string, since: number, about: string): void {
    assert.equal(grant.person, person, about)
    assert.ok(grant.endsAt > since, `${about}: ${grant.id} was over`)
    const known = this.requests.get(grant.id)
    if (grant.basis === 'break_glass' || !known) return
    const { request, tried } = known
    const others = [...tried].filter((one) => one !== request.requester.person)
    const isEnough = request.isAutomatic || others.length >= request.required
    assert.ok(isEnough, `${about}: ${grant.id} was approved by ${others.length} others`)
    assert.ok(grant.startsAt < request.createdAt + A_DAY, `${about}: ${grant.id} had expired`)
    assert.ok(grant.endsAt <= grant.startsAt + request.duration * SECOND, about)
  }

  /** Asserts that events keep apart, and within what `rule` allows. */
  assertQuotas({ cooldown = 0, maxPerUser, maxPerProfile }: BreakGlassRule, about: string): void {
    const events = [...this.events.values()]
    for (const { event } of events) {
      const before = events.filter((other) => other.event.startedAt < event.startedAt)
      const within = ({ window }: { readonly window: number }) =>
        before.filter((other) => other.event.startedAt > event.startedAt - window * SECOND)
      const isOwn = (other: KnownEvent) => other.event.invoker.person === event.invoker.person
      const isHere = (other: KnownEvent) => other.event.profile === event.profile
      for (const other of before.filter(isOwn).filter(isHere)) {
        const isApart = event.startedAt >= endOf(other) + cooldown * SECOND
        assert.ok(isApart, `${about}: ${event.id} began too early after ${other.event.id}`)
      }
      if (maxPerUser) {
        assert.ok(within(maxPerUser).filter(isOwn).length < maxPerUser.count, `${about}: a quota`)
      }
      if (maxPerProfile) {
        const here = within(maxPerProfile).filter(isHere)
        assert.ok(here.length < maxPerProfile.count, `${about}: a profile's quota`)
      }
    }
  }
}

/** The same person, by another permission set. */
export function byAnotherSet(principal: Principal): Principal {
  if (principal.kind !== 'sso') throw new TypeError(`${principal.arn} has no permission set`)
  const [permissionSet, role] = ['Admin', 'AWSReservedSSO_Admin_0123456789abcdef']
  return {
    ...principal,
    permissionSet,
    role,
    uniqueId: `AROAADMIN:${principal.name}`,
    arn: `arn:aws:sts::${principal.account}:assumed-role/${role}/${principal.name}`,
  }
}

function endOf({ event, closedAt = Infinity }: KnownEvent): number {
  return Math.min(event.startedAt + event.duration * SECOND, closedAt)
}

/** Never, when it was not approved. */
function grantedUntil({ request, approvals }: KnownRequest): number {
  const { isAutomatic, createdAt, duration, required, requester } = request
  if (isAutomatic) return createdAt + duration * SECOND
  const people = new Map<string, Review>()
  for (const review of approvals.toSorted((a, b) => a.at - b.at)) {
    const { person } = review.reviewer
    assert.notEqual(person, requester.person)
    if (!people.has(person)) people.set(person, review)
    if (people.size < required) continue
    const durations = [...people.values()].map((one) => one.duration ?? duration)
    return review.at + Math.min(...durations) * SECOND
  }
  return -Infinity
}
