import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { FiledRequest, Review } from '../../src/domain/access-request.ts'
import type { Notification } from '../../src/domain/notification.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import type { RequestStore } from '../../src/ports/request-store.ts'
import { pick, random } from '../fixtures/random.ts'
import { type Kept, NOTHING, type Order, obey } from './request-model.ts'
import {
  aParty,
  aRequest,
  aReview,
  byAnotherSet,
  type OpenRequestStoreUnderTest,
  type RequestStoreUnderTest,
  waiting,
} from './request-under-test.ts'
import { aNotification, eventually, NOW, openIn, WAITING } from './store-under-test.ts'

interface ModelOptions {
  /** How many lives of a request to play. Each has a seed of its own: 1, 2, 3… */
  readonly interleavings: number
}

/** What a life is made of, the usual more often. */
const VERBS = ['review', 'review', 'review', 'cancel', 'revoke', 'settle', 'create'] as const

/** So many lives are played at a time, so that they meet in the store too. */
const LANES = 8

/**
 * Plays random lives of requests on a store, several orders at a time and from two handles, and
 * holds every answer, every record and every announcement to what a naive model allows.
 */
export function modelRequestStore(
  backend: string,
  open: OpenRequestStoreUnderTest,
  { interleavings }: ModelOptions,
): void {
  test(`RequestStore: ${backend}: ${interleavings} interleavings, as the model says`, async (t) => {
    const place = await openIn(t, open)
    let seed = 0
    const lane = async () => {
      while (seed < interleavings) {
        seed += 1
        await new Life(place, seed).play()
      }
    }

    await Promise.all(Array.from({ length: LANES }, lane))
  })
}

/** One request, from before its creation on. */
class Life {
  readonly #place: RequestStoreUnderTest
  readonly #seed: number
  readonly #next: () => number
  readonly #request = aRequest()
  readonly #reviewers = [aParty('bob'), aParty('carol')].flatMap((party) => [
    party,
    byAnotherSet(party),
  ])
  readonly #trace: string[] = []
  readonly #news: Notification[] = []
  #kept: Kept = NOTHING

  constructor(place: RequestStoreUnderTest, seed: number) {
    this.#place = place
    this.#seed = seed
    this.#next = random(seed)
  }

  async play(): Promise<void> {
    const batches = 2 + Math.floor(this.#next() * 3)
    for (let batch = 0; batch < batches; batch += 1) {
      // Mostly the creation comes first. Where it does not, everything else meets no row.
      const isBirth = batch === 0 && this.#next() < 0.9
      const orders: Order[] = isBirth ? [this.#order('create')] : []
      while (orders.length === 0 || this.#next() < 0.5) orders.push(this.#order())
      await this.#check(orders.slice(0, 4))
    }
    for (const { id } of this.#news) await this.#place.store.remove(id, WAITING)
  }

  /** Gives the orders at once; asserts that they, and what they left, fit some order of them. */
  async #check(orders: readonly Order[]): Promise<void> {
    const { store, peer } = this.#place
    const handles = this.#next() < 0.5 ? [store, peer] : [peer, store]
    const answers = await Promise.all(
      orders.map((order, n) => this.#give(handles[n % 2]!, order).catch(codeOf)),
    )
    this.#trace.push(...orders.map((order, n) => `${show(order)} → ${show(answers[n])}`), '')

    const possible = permutations(orders.map((_, n) => n)).flatMap((sequence) => {
      let kept = this.#kept
      const isAnswered = sequence.every((n) => {
        const step = obey(kept, orders[n]!)
        kept = step.kept
        return isDeepStrictEqual(step.answer, answers[n])
      })
      return isAnswered ? [kept] : []
    })
    await eventually(this.#place, async () => {
      const after = await this.#look(handles[0]!)
      const fitting = possible.find((kept) => isDeepStrictEqual(shown(kept), after))
      if (fitting) this.#kept = fitting
      else this.#fail(`no order of these gives that, from ${show(this.#kept)} to ${show(after)}`)
    })
  }

  #give(handle: RequestStore, order: Order): Promise<unknown> {
    const { id } = this.#request
    switch (order.verb) {
      case 'create':
        return handle.create(order.request, [order.news], WAITING)
      case 'review':
        return handle.review(order.review, [order.news], WAITING)
      case 'cancel':
      case 'revoke':
        return handle[order.verb](id, order.act, [order.news], WAITING)
      case 'settle':
        return handle.settle(id, [order.news], WAITING)
    }
  }

  async #look(handle: RequestStore): Promise<Shown> {
    const filed = await handle.get(this.#request.id, WAITING)
    const announced = await waiting(handle, this.#news)
    return { filed: filed && inOrder(filed), announced: announced.toSorted() }
  }

  #order(verb: Order['verb'] = pick(this.#next, VERBS)): Order {
    const news = aNotification()
    this.#news.push(news)
    const n = this.#news.length
    const act = { at: NOW + n, by: `user-${n}`, ...(this.#next() < 0.5 && { reason: `no. ${n}` }) }
    switch (verb) {
      case 'create': {
        const isOther = this.#next() < 0.2
        const request = isOther ? { ...this.#request, duration: 900 } : this.#request
        return { verb, news, request }
      }
      case 'review': {
        const reviewer = pick(this.#next, this.#reviewers)
        const verdict = this.#next() < 0.8 ? 'approve' : 'deny'
        const at = NOW + MINUTE + n
        return { verb, news, review: aReview(this.#request, { reviewer, verdict, at }) }
      }
      case 'cancel':
      case 'revoke':
        return { verb, news, act }
      case 'settle':
        return { verb, news }
    }
  }

  #fail(what: string): never {
    assert.fail(`seed ${this.#seed}: ${what}\n${this.#trace.join('\n')}`)
  }
}

/** What can be seen of what is kept: reviews of no request cannot. */
interface Shown {
  readonly filed: FiledRequest | undefined
  readonly announced: readonly string[]
}

function shown({ request, reviews, cancelled, revoked, announced }: Kept): Shown {
  const filed = request && {
    request,
    reviews,
    ...(cancelled && { cancelled }),
    ...(revoked && { revoked }),
  }
  return { filed: filed && inOrder(filed), announced: announced.toSorted() }
}

function inOrder(filed: FiledRequest): FiledRequest {
  const key = ({ reviewer }: Review) => reviewer.principalId
  return {
    ...filed,
    reviews: filed.reviews.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
  }
}

function codeOf(error: unknown): unknown {
  if (hasCode(error, 'REQUEST_EXISTS')) return error.code
  throw error
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item, n) =>
    permutations(items.toSpliced(n, 1)).map((rest) => [item, ...rest]),
  )
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
