/**
 * A store of one request, as naive as can be: a function from what there is and an order to what
 * there is then and the answer. What a real store answers to several orders at once must be what
 * this one answers to them in some order.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { AccessRequest, Act, Review } from '../../src/domain/access-request.ts'
import type { Notification } from '../../src/domain/notification.ts'

export interface Kept {
  readonly request?: AccessRequest
  readonly reviews: readonly Review[]
  readonly cancelled?: Act
  readonly revoked?: Act
  readonly isPending: boolean
  /** The ids in the outbox. */
  readonly announced: readonly string[]
}

export const NOTHING: Kept = { reviews: [], isPending: false, announced: [] }

/** Something to be done, with what is announced of it. */
export type Order = { readonly news: Notification } & (
  | { readonly verb: 'create'; readonly request: AccessRequest }
  | { readonly verb: 'review'; readonly review: Review }
  | { readonly verb: 'cancel' | 'revoke'; readonly act: Act }
  | { readonly verb: 'settle' }
)

interface Step {
  readonly kept: Kept
  /** For a rejection its code. */
  readonly answer: unknown
}

/** What there is after `order`, and what a store answers. */
export function obey(kept: Kept, order: Order): Step {
  const announced = [...kept.announced, order.news.id]
  switch (order.verb) {
    case 'create': {
      const { request } = order
      if (!kept.request) {
        const isPending = !request.isAutomatic
        return { kept: { ...kept, request, isPending, announced }, answer: undefined }
      }
      const isSame = isDeepStrictEqual(kept.request, request)
      return { kept, answer: isSame ? undefined : 'REQUEST_EXISTS' }
    }
    case 'review': {
      const { principalId } = order.review.reviewer
      const found = kept.reviews.find(({ reviewer }) => reviewer.principalId === principalId)
      if (found) return { kept, answer: found }
      const reviews = [...kept.reviews, order.review]
      return { kept: { ...kept, reviews, announced }, answer: 'written' }
    }
    case 'cancel':
    case 'revoke': {
      const latch = order.verb === 'cancel' ? 'cancelled' : 'revoked'
      if (!kept.request) return { kept, answer: 'missing' }
      if (kept[latch]) return { kept, answer: 'already' }
      const latched = { ...kept, [latch]: order.act, isPending: false, announced }
      return { kept: latched, answer: 'written' }
    }
    case 'settle':
      if (!kept.isPending) return { kept, answer: false }
      return { kept: { ...kept, isPending: false, announced }, answer: true }
  }
}
