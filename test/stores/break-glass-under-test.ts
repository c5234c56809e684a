import {
  type BreakGlassEvent,
  type BreakGlassHistory,
  type BreakGlassId,
  type BreakGlassReview,
  eventReviewText,
  eventText,
  type FiledEvent,
} from '../../src/domain/break-glass.ts'
import type { Notification } from '../../src/domain/notification.ts'
import { HOUR } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { BreakGlassStore } from '../../src/ports/break-glass-store.ts'
import { aParty, sha256 } from './request-under-test.ts'
import { aNotification, anId, NOW, WAITING } from './store-under-test.ts'

/** What a backend gives to be held to the contract: the place may be shared with other tests. */
export interface BreakGlassUnderTest {
  readonly store: BreakGlassStore
  /** Another handle on the same place, as another process has one. */
  readonly peer: BreakGlassStore
  /** How long lists, `find`, `due` and reviews may lag behind what was written. Absent: not. */
  readonly indexLagMs?: number
}

/** Opens a place for one test, which closes `store` and `peer`: closing twice must be harmless. */
export type OpenBreakGlassUnderTest = () => Promise<BreakGlassUnderTest>

export function anEventId(): BreakGlassId {
  return anId() as BreakGlassId
}

export function aProfile(): string {
  return `prod ${anId().slice(0, 8)}`
}

/** An event of a person and on a profile of its own unless told, live for an hour from `NOW`. */
export function anEvent(overrides: Partial<BreakGlassEvent> = {}): BreakGlassEvent {
  return {
    id: anEventId(),
    invoker: aParty(),
    profile: aProfile(),
    roleArn: 'arn:aws:iam::444455556666:role/Prod',
    reasonCode: 'incident',
    justification: `it's "down" since 09:00 — pager 🔥\n${'x'.repeat(900)}`,
    duration: 3600,
    rule: 'on-call',
    startedAt: NOW,
    reviewWithin: 72 * 3600,
    ...overrides,
  }
}

/** As `breakglass review` makes one: of this very event, and sealed. */
export function aReview(
  event: BreakGlassEvent,
  overrides: Partial<Omit<BreakGlassReview, 'seal'>> = {},
): BreakGlassReview {
  const review = {
    eventId: event.id,
    reviewer: aParty(),
    outcome: 'justified',
    at: event.startedAt + 2 * HOUR,
    comment: 'the pager said so: "db-1" 🗝',
    eventHash: sha256(eventText(event)),
    ...overrides,
  } as const
  return { ...review, seal: sha256(eventReviewText(review)) }
}

/** An announcement about an event. */
export function news(): Notification {
  return aNotification({ event: 'break_glass.started', fields: { profile: 'prod' } })
}

/** Lets everybody in. */
export function admitAll(): void {}

/** What an admission that lets nobody in throws. */
export const REFUSAL = new SentinelError('BREAK_GLASS_REFUSED', 'not again before tomorrow')

export function admitNobody(): never {
  throw REFUSAL
}

/** Begins what nothing is held against. */
export async function begun(
  store: BreakGlassStore,
  overrides: Partial<BreakGlassEvent> = {},
): Promise<BreakGlassEvent> {
  const event = anEvent(overrides)
  await store.begin(event, admitAll, [], WAITING)
  return event
}

/** What `event` would be held against, were it to begin now. */
export async function historyFor(
  store: BreakGlassStore,
  event: BreakGlassEvent,
): Promise<BreakGlassHistory> {
  let shown: BreakGlassHistory | undefined
  const look = (history: BreakGlassHistory) => {
    shown = history
    throw REFUSAL
  }
  await store.begin(event, look, [], WAITING).catch((error) => {
    if (error !== REFUSAL) throw error
  })
  if (!shown) throw new Error('nobody was asked whether the event may begin')
  return { ofPerson: byId(shown.ofPerson), ofProfile: byId(shown.ofProfile) }
}

/** In an order that does not depend on the store. */
export function byId(filed: readonly FiledEvent[]): FiledEvent[] {
  return filed.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1))
}

/** The ids of those of `ours` that wait to be delivered, sorted. */
export async function waiting(
  store: BreakGlassStore,
  ours: readonly Notification[],
): Promise<readonly string[]> {
  const due = await store.due(NOW + 1, 1000, WAITING)
  const ids = new Set(ours.map(({ id }) => id))
  return due.map(({ id }) => id).filter((id) => ids.has(id))
}
