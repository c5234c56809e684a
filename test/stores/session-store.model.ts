import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { SessionEnd, SessionProgress, SessionStart } from '../../src/domain/session.ts'
import { HOUR } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import type { SessionStore } from '../../src/ports/session-store.ts'
import { pick, random } from '../fixtures/random.ts'
import { type Kept, type Order, obey } from './session-model.ts'
import {
  aLock,
  aSession,
  NOW,
  type OpenStoreUnderTest,
  openIn,
  progress,
  type StoreUnderTest,
  WAITING,
} from './store-under-test.ts'

interface ModelOptions {
  /** How many lives of a session to play. Each has a seed of its own: 1, 2, 3… */
  readonly interleavings: number
}

/** What a life is made of, the usual more often. */
const VERBS = [
  ...['touch', 'touch', 'touch', 'touch', 'settle', 'revoke', 'revoke', 'end'],
  ...['create', 'create', 'delete', 'lock', 'unlock'],
] as Order['verb'][]

/** So many lives are played at a time, so that they meet in the store too. */
const LANES = 8

/**
 * Plays random lives of sessions on a store, several orders at a time and from two handles, and
 * holds every answer and every record to what a naive model allows.
 */
export function modelSessionStore(
  backend: string,
  open: OpenStoreUnderTest,
  { interleavings }: ModelOptions,
): void {
  test(`SessionStore: ${backend}: ${interleavings} interleavings, as the model says`, async (t) => {
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

/** One session, and a lock on its user, from before the creation on. */
class Life {
  readonly #place: StoreUnderTest
  readonly #seed: number
  readonly #next: () => number
  readonly #session = aSession()
  readonly #trace: string[] = []
  #kept: Kept = {}
  /** What the server has handed out by now. */
  #count = 0
  #at = NOW

  constructor(place: StoreUnderTest, seed: number) {
    this.#place = place
    this.#seed = seed
    this.#next = random(seed)
  }

  async play(): Promise<void> {
    const batches = 3 + this.#below(4)
    for (let batch = 0; batch < batches; batch += 1) {
      this.#count += this.#below(3)
      // Mostly the creation comes first. Where it does not, everything else meets no row.
      const isBirth = batch === 0 && this.#next() < 0.9
      const orders: Order[] = isBirth ? [{ verb: 'create', session: this.#session }] : []
      while (orders.length === 0 || this.#next() < 0.45) orders.push(this.#order())
      await this.#check(orders.slice(0, 4))
    }
    await this.#place.store.unlock({ kind: 'user', name: this.#session.user }, WAITING)
  }

  /** Gives the orders at once; asserts that they, and what they left, fit some order of them. */
  async #check(orders: readonly Order[]): Promise<void> {
    const { store, peer } = this.#place
    const handles = this.#next() < 0.5 ? [store, peer] : [peer, store]
    const answers = await Promise.all(
      orders.map((order, n) => this.#give(handles[n % 2]!, order).catch(codeOf)),
    )
    const after = await this.#look(handles[0]!)
    this.#trace.push(...orders.map((order, n) => `${show(order)} → ${show(answers[n])}`), '')

    this.#assertLatched(after, orders)
    const isAllowed = permutations(orders.map((_, n) => n)).some((sequence) => {
      let kept = this.#kept
      return (
        sequence.every((n) => {
          const step = obey(kept, orders[n]!)
          kept = step.kept
          return isDeepStrictEqual(step.answer, answers[n])
        }) && isDeepStrictEqual(kept, after)
      )
    })
    if (!isAllowed) {
      this.#fail(`no order of these gives that, from ${show(this.#kept)} to ${show(after)}`)
    }
    this.#kept = after
  }

  /** What must hold whatever the model says. */
  #assertLatched({ session }: Kept, orders: readonly Order[]): void {
    const before = this.#kept.session
    const verbs = new Set(orders.map(({ verb }) => verb))
    if (session && !before && !verbs.has('create')) this.#fail('a row came from nowhere')
    if (!session && before && !verbs.has('delete')) this.#fail('a row is gone')
    if (!session || !before || verbs.has('delete')) return

    if (!isDeepStrictEqual(before.revocation ?? session.revocation, session.revocation)) {
      this.#fail('a revocation was undone, or changed')
    }
    if (session.requestCount < before.requestCount) this.#fail('the count went down')
  }

  #give(handle: SessionStore, order: Order): Promise<unknown> {
    const { id, user } = this.#session
    switch (order.verb) {
      case 'create':
        return handle.create(order.session, WAITING)
      case 'touch':
      case 'settle':
        return handle[order.verb](id, order.progress, order.at, WAITING)
      case 'end':
        return handle.end(id, order.progress, order.end, WAITING)
      case 'revoke':
        return handle.revoke(id, order.revocation, WAITING)
      case 'lock':
        return handle.lock(order.lock, WAITING)
      case 'unlock':
        return handle.unlock({ kind: 'user', name: user }, WAITING)
      case 'delete':
        return this.#place.remove(id)
    }
  }

  async #look(handle: SessionStore): Promise<Kept> {
    const { id, user, profile } = this.#session
    const { session, locks } = await handle.look({ id, user, profile }, WAITING)
    const lock = locks.find(({ scope }) => scope.kind === 'user')
    return { ...(session && { session }), ...(lock && { lock }) }
  }

  #order(): Order {
    const verb = pick(this.#next, VERBS)
    this.#at += 1
    const at = this.#at
    const by = `admin-${at - NOW}`
    switch (verb) {
      case 'create':
        return { verb, session: this.#creation() }
      case 'touch':
      case 'settle':
        return { verb, progress: this.#word(Math.max(0, this.#count - this.#below(4))), at }
      case 'end':
        return { verb, progress: this.#word(this.#count), end: { at, reason: 'SIGTERM' } }
      case 'revoke':
        return { verb, revocation: { at, by, reason: 'laptop stolen' } }
      case 'lock': {
        const scope = { kind: 'user', name: this.#session.user } as const
        return { verb, lock: aLock(scope, { at, by, until: NOW + this.#below(5) * HOUR }) }
      }
      case 'unlock':
      case 'delete':
        return { verb }
    }
  }

  /** Again by the same server, at its end, or by another one that drew the same id. */
  #creation(): SessionStart & SessionProgress & { readonly end?: SessionEnd } {
    const session = { ...this.#session, ...this.#word(this.#count) }
    const [isEnd, isOther] = [this.#next() < 0.3, this.#next() < 0.2]
    return {
      ...session,
      ...(isEnd && { end: { at: this.#at, reason: 'SIGTERM' } }),
      ...(isOther && { serverInstanceId: aSession().serverInstanceId }),
    }
  }

  /** The totals at `count`, with a lease as of now: a heartbeat brings no more than that. */
  #word(count: number) {
    const { lastAccessAt, sourceIdentity, ...totals } = progress(count)
    const leaseUntil = this.#at + HOUR
    return { ...totals, leaseUntil, ...(count > 0 && { lastAccessAt, sourceIdentity }) }
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  #fail(what: string): never {
    assert.fail(`seed ${this.#seed}: ${what}\n${this.#trace.join('\n')}`)
  }
}

function codeOf(error: unknown): unknown {
  if (hasCode(error, 'SESSION_EXISTS')) return error.code
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
