import { hash } from 'node:crypto'
import {
  type AccessRequest,
  type AccessRequestId,
  type Digest,
  type FiledRequest,
  type Review,
  requestText,
  reviewText,
} from '../../src/domain/access-request.ts'
import type { Notification } from '../../src/domain/notification.ts'
import type { Party } from '../../src/domain/party.ts'
import { MINUTE } from '../../src/domain/time.ts'
import type { RequestQuery, RequestStore } from '../../src/ports/request-store.ts'
import { anId, collect, NOW, WAITING } from './store-under-test.ts'

/** What a backend gives to be held to the contract: the place may be shared with other tests. */
export interface RequestStoreUnderTest {
  readonly store: RequestStore
  /** Another handle on the same place, as another process has one. */
  readonly peer: RequestStore
  /** How long `list`, `find`, `due` and reviews may lag behind what was written. Absent: not. */
  readonly indexLagMs?: number
}

/** Opens a place for one test, which closes `store` and `peer`: closing twice must be harmless. */
export type OpenRequestStoreUnderTest = () => Promise<RequestStoreUnderTest>

export const sha256: Digest = (text) => hash('sha256', text)

/** Somebody of that name in Identity Center, whom no other test has. */
export function aParty(name = 'alice', permissionSet = 'Ops'): Party {
  const role = `AWSReservedSSO_${permissionSet}_0123456789abcdef`
  const session = `${name}-${anId().slice(0, 8)}@corp.example`
  return {
    person: `sso:${session}`,
    user: session,
    principal: `arn:aws:sts::111122223333:assumed-role/${role}/${session}`,
    principalId: `AROA${permissionSet.toUpperCase()}:${session}`,
  }
}

/** The same person, come by another permission set. */
export function byAnotherSet({ user, person }: Party): Party {
  const principal = `arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/${user}`
  return { user, person, principal, principalId: `AROAADMIN:${user}` }
}

/** A request of a person and for a profile of its own, unless told. */
export function aRequest(overrides: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id: anId() as AccessRequestId,
    requester: aParty(),
    profile: `prod ${anId().slice(0, 8)}`,
    roleArn: 'arn:aws:iam::444455556666:role/Prod',
    justification: 'migrate the database',
    duration: 3600,
    rule: 'prod-approvers',
    required: 1,
    createdAt: NOW,
    isAutomatic: false,
    ...overrides,
  }
}

/** A review of `request` that counts, unless told otherwise: sealed as it is. */
export function aReview(request: AccessRequest, overrides: Partial<Review> = {}): Review {
  const review = {
    requestId: request.id,
    reviewer: aParty('bob'),
    verdict: 'approve',
    at: request.createdAt + MINUTE,
    requestHash: sha256(requestText(request)),
    ...overrides,
  } as const
  return { ...review, seal: overrides.seal ?? sha256(reviewText(review)) }
}

/** What a new request is in a store. */
export function filed(request: AccessRequest): FiledRequest {
  return { request, reviews: [] }
}

export function listed(store: RequestStore, query: RequestQuery): Promise<FiledRequest[]> {
  return collect(store.list(query, WAITING))
}

/** The same, in one order: a store may give reviews in any. */
export function sorted(filed: FiledRequest | undefined): FiledRequest | undefined {
  return filed && { ...filed, reviews: filed.reviews.toSorted((a, b) => a.at - b.at) }
}

/** Which of `news` wait in the outbox. */
export async function waiting(
  store: RequestStore,
  news: readonly Notification[],
): Promise<string[]> {
  const ids = new Set(news.map(({ id }) => id))
  const due = await store.due(NOW, 1000, WAITING)
  return due.map(({ id }) => id).filter((id) => ids.has(id))
}
