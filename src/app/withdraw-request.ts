import type { Act, FiledRequest } from '../domain/access-request.ts'
import { isSameParty } from '../domain/party.ts'
import { SentinelError } from '../errors.ts'
import { findRequest, requestNotFound } from './find-request.ts'
import { patience } from './patience.ts'
import type { Actor, RequestDeps } from './request-deps.ts'
import { announce } from './request-news.ts'
import { recordOf } from './request-record.ts'
import { assertMayRevoke } from './review-rights.ts'
import { describeState, type ShownRequest, showRequest } from './shown-request.ts'

/** Who withdraws what. */
export interface Withdrawal {
  /** The id, or the beginning of it. */
  readonly request: string
  readonly actor: Actor
}

export interface Withdrawn {
  /** `already`: it was so before. */
  readonly outcome: 'written' | 'already'
  readonly shown: ShownRequest
}

/**
 * Takes a request back that is not decided yet. Rejects with `REVIEW_REFUSED` for anybody but the
 * requester, and with `REQUEST_DECIDED` when it is too late.
 */
export async function cancelRequest(
  deps: RequestDeps,
  { request: text, actor }: Withdrawal,
): Promise<Withdrawn> {
  const { store, digest, clock, log } = deps
  const filed = await findRequest(store, text)
  const { id, requester } = filed.request
  if (!isSameParty(actor.party, requester)) {
    throw new SentinelError(
      'REVIEW_REFUSED',
      `request ${id} is not yours: ${requester.user} made it`,
      {
        hint: `deny it instead: sentinel deny ${id} --comment WHY`,
      },
    )
  }
  const before = showRequest(filed, digest, clock.aws())
  if (before.state.status === 'cancelled') return { outcome: 'already', shown: before }
  if (before.state.status !== 'pending') {
    throw decided(before, `end it with: sentinel request revoke ${id} --reason WHY`)
  }

  const cancelled = { at: clock.aws(), by: actor.party.user }
  const after = showRequest({ ...filed, cancelled }, digest, cancelled.at)
  const notifications = announce(deps, { event: 'request.cancelled', ...cancelled }, after)
  const outcome = await store.cancel(id, cancelled, notifications, patience())
  if (outcome !== 'written')
    return { outcome: 'already', shown: await lookAgain(deps, filed, outcome) }
  await log.write({ type: 'request.cancelled', ...recordOf(after) })
  return { outcome, shown: after }
}

/**
 * Ends what was approved, for good. Rejects with `REVIEW_REFUSED` for anybody but the requester and
 * the approvers, and with `REQUEST_DECIDED` when nothing is left, or was yet, to end.
 */
export async function revokeRequest(
  deps: RequestDeps,
  { request: text, actor, reason }: Withdrawal & { readonly reason: string },
): Promise<Withdrawn> {
  const { store, policy, digest, clock, log } = deps
  const filed = await findRequest(store, text)
  const { id } = filed.request
  assertMayRevoke(policy, filed.request, actor)
  const before = showRequest(filed, digest, clock.aws())
  if (before.state.status === 'revoked') return { outcome: 'already', shown: before }
  if (before.state.status !== 'approved') throw decided(before, revokeHint(before, actor))

  const revoked: Act = { at: clock.aws(), by: actor.party.user, reason }
  const after = showRequest({ ...filed, revoked }, digest, revoked.at)
  const happening = { event: 'request.revoked', ...revoked, comment: reason } as const
  const outcome = await store.revoke(id, revoked, announce(deps, happening, after), patience())
  if (outcome !== 'written')
    return { outcome: 'already', shown: await lookAgain(deps, filed, outcome) }
  await log.write({ type: 'request.revoked', ...recordOf(after), reason })
  return { outcome, shown: after }
}

/** What is there, now that somebody else was quicker. */
async function lookAgain(
  { store, digest, clock }: RequestDeps,
  { request: { id } }: FiledRequest,
  outcome: 'already' | 'missing',
): Promise<ShownRequest> {
  const filed = outcome === 'missing' ? undefined : await store.get(id, patience())
  if (filed === undefined) throw requestNotFound(id)
  return showRequest(filed, digest, clock.aws())
}

function decided(shown: ShownRequest, hint: string): SentinelError {
  const { id } = shown.filed.request
  return new SentinelError('REQUEST_DECIDED', `request ${id} ${describeState(shown)}`, {
    hint: shown.state.status === 'approved' || shown.state.status === 'pending' ? hint : undefined,
  })
}

/** How to stop a request that gives nothing yet. */
function revokeHint({ filed: { request } }: ShownRequest, { party }: Actor): string {
  return isSameParty(party, request.requester)
    ? `take it back with: sentinel cancel ${request.id}`
    : `deny it with: sentinel deny ${request.id} --comment WHY`
}
