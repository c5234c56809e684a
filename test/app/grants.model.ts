import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginBreakGlass } from '../../src/app/begin-break-glass.ts'
import { closeEvent } from '../../src/app/close-event.ts'
import { findEvent } from '../../src/app/find-event.ts'
import { planBreakGlass } from '../../src/app/plan-break-glass.ts'
import { requestAccess } from '../../src/app/request-access.ts'
import { reviewEvent } from '../../src/app/review-event.ts'
import { reviewRequest } from '../../src/app/review-request.ts'
import { StoreGrants } from '../../src/app/store-grants.ts'
import { cancelRequest, revokeRequest } from '../../src/app/withdraw-request.ts'
import { decide } from '../../src/domain/policy/evaluate.ts'
import { type Principal, personOf } from '../../src/domain/principal.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { hasCode } from '../../src/errors.ts'
import type { BreakGlassStore } from '../../src/ports/break-glass-store.ts'
import type { RequestStore } from '../../src/ports/request-store.ts'
import { anSSOPrincipal, NOON, PROD } from '../fixtures/policies.ts'
import { pick, random } from '../fixtures/random.ts'
import { sha256, theParty, WAITING } from '../fixtures/requests.ts'
import { anId } from '../stores/store-under-test.ts'
import { byAnotherSet, Ledger } from './grants-ledger.ts'
import { POLICY, RULE } from './grants-policy.ts'

/** What a worker works on: as a process has it, whose handles are its own. */
export interface GrantHandles {
  readonly requests: RequestStore
  readonly breakGlass: BreakGlassStore
}

interface ModelOptions {
  /** How many sequences of commands to play, by {@link WORKERS} at a time. */
  readonly sequences: number
}

export const WORKERS = 8
const COMMANDS = 6

const VERBS = [
  ...['request', 'request', 'approve', 'approve', 'approve', 'deny', 'cancel', 'revoke'],
  ...['break', 'break', 'close', 'review', 'look', 'look', 'wait', 'wait'],
] as const
const WAITS = [SECOND, 5 * MINUTE, 20 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR]

/** What commands may come to that are refused. */
const REFUSALS = [
  ...(['REVIEW_REFUSED', 'REQUEST_DECIDED'] as const),
  ...(['BREAK_GLASS_REFUSED', 'BREAK_GLASS_LIVE', 'BREAK_GLASS_OVER'] as const),
] as const

/**
 * Plays random commands of teams on stores, eight workers at a time on the same requests and
 * events, and holds each grant to what the commands said.
 */
export function modelGrants(
  backend: string,
  openHandles: () => Promise<readonly GrantHandles[]>,
  { sequences }: ModelOptions,
): void {
  const teams = Math.ceil(sequences / WORKERS)
  const name = `Grants: ${backend}: ${teams * WORKERS} sequences of commands by ${WORKERS} workers`
  test(`${name}, as the ledger says`, async (t) => {
    t.diagnostic(`seeds 1 to ${teams}`)
    const handles = await openHandles()
    const tally = new Map<string, number>()
    for (let seed = 1; seed <= teams; seed += 1) await new Team(seed, handles, tally).play()

    // A model in which nothing happens would be no proof.
    for (const what of [...VERBS, 'refused', 'access by approval', 'access by break_glass']) {
      assert.ok(tally.get(what), `never: ${what}`)
    }
  })
}

/** Three people, one of them by two permission sets, and three profiles: of nobody else. */
class Team {
  readonly #about: string
  readonly #handles: readonly GrantHandles[]
  readonly #tally: Map<string, number>
  readonly #next: () => number
  readonly #ledger = new Ledger()
  readonly #people: readonly Principal[]
  readonly #profiles: readonly string[]
  #now = NOON

  /** No two readings are the same, so that what came first is never in doubt. */
  readonly #clock = {
    aws: () => {
      this.#now += 1
      return this.#now
    },
  }

  constructor(seed: number, handles: readonly GrantHandles[], tally: Map<string, number>) {
    this.#about = `seed ${seed}`
    this.#handles = handles
    this.#tally = tally
    this.#next = random(seed)
    const own = anId().slice(0, 8)
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) =>
      anSSOPrincipal(`${name}-${own}@corp.example`),
    )
    this.#people = [alice!, byAnotherSet(alice!), bob!, carol!]
    this.#profiles = ['one', 'two', 'auto'].map((name) => `${name} ${own}`)
  }

  async play(): Promise<void> {
    const workers = this.#handles.map(async (handles) => {
      for (let command = 0; command < COMMANDS; command += 1) {
        await this.#try(pick(this.#next, VERBS), handles)
      }
    })
    await Promise.all(workers)
    await this.#check(pick(this.#next, this.#handles))
  }

  async #try(verb: (typeof VERBS)[number], handles: GrantHandles): Promise<void> {
    try {
      if (await this.#run(verb, handles)) this.#count(verb)
    } catch (error) {
      if (!hasCode(error, ...REFUSALS)) throw new Error(`${this.#about}: ${verb}`, { cause: error })
      this.#count('refused')
    }
  }

  /** Gives one command. Resolves to whether there was anything to do it to. */
  async #run(verb: (typeof VERBS)[number], handles: GrantHandles): Promise<unknown> {
    const actor = this.#someone()
    const deps = { ...this.#deps(), store: handles.requests }
    const profile = pick(this.#next, this.#profiles)
    const known = this.#some([...this.#ledger.requests.values()])
    const id = known?.request.id ?? ''
    switch (verb) {
      case 'request': {
        const ask = { profile, justification: 'release 4711', duration: this.#seconds() }
        const asked = await requestAccess(deps, { requester: actor, ...ask })
        if (asked.outcome === 'created') this.#ledger.created(asked.shown.filed.request)
        return true
      }
      case 'approve':
      case 'deny': {
        if (!known) return false
        const duration = this.#next() < 0.3 ? 900 : undefined
        const way = { request: id, reviewer: actor, comment: undefined, duration }
        if (verb === 'approve') known.tried.add(actor.party.person)
        const reviewed = await reviewRequest(deps, { ...way, verdict: verb }, async () => {})
        assert.notEqual(actor.party.person, known.request.requester.person, this.#about)
        if (reviewed.outcome === 'already') return true
        if (verb === 'approve') known.approvals.push(reviewed.review)
        else known.isWithdrawn = true
        return true
      }
      case 'cancel':
      case 'revoke': {
        if (!known) return false
        const withdraw = verb === 'cancel' ? cancelRequest : revokeRequest
        await withdraw(deps, { request: id, actor, reason: 'called off' })
        known.isWithdrawn = true
        return true
      }
      case 'look':
        await this.#look(handles, actor.principal, profile)
        return true
      case 'wait':
        this.#now += pick(this.#next, WAITS)
        return true
      default:
        return this.#runEvent(verb, handles, profile)
    }
  }

  async #runEvent(
    verb: 'break' | 'close' | 'review',
    { breakGlass: store }: GrantHandles,
    profile: string,
  ): Promise<boolean> {
    const actor = this.#someone()
    const deps = { ...this.#deps(), store }
    if (verb === 'break') {
      const why = { reasonCode: 'incident', justification: 'nobody can pay since ten' } as const
      const wish = { profile, ...why, duration: this.#seconds() }
      const { plan } = planBreakGlass(POLICY, actor, wish, this.#now)
      assert.ok(plan)
      const { filed } = await beginBreakGlass(deps, { invoker: actor, wish, plan })
      this.#ledger.begun(filed.event)
      return true
    }
    const known = this.#some([...this.#ledger.events.values()])
    if (!known) return false
    const filed = await findEvent(store, known.event.id)
    if (verb === 'close') {
      const closed = await closeEvent(deps, filed, { actor })
      known.closedAt = closed.state.endsAt
    } else {
      await reviewEvent(deps, filed, { actor, outcome: 'justified', comment: 'seen' })
      assert.notEqual(actor.party.person, known.event.invoker.person, this.#about)
    }
    return true
  }

  /** What there is of access in the middle of it all is possible. */
  async #look(handles: GrantHandles, principal: Principal, profile: string): Promise<void> {
    const withdrawn = this.#ledger.withdrawn()
    const since = this.#now
    const { grants, decision } = await this.#access(handles, principal, profile)
    for (const grant of grants) {
      assert.ok(!withdrawn.has(grant.id), `${this.#about}: ${grant.id} was withdrawn`)
      this.#ledger.assertPossible(grant, personOf(principal), since, this.#about)
    }
    if (decision.outcome === 'allow') this.#count(`access by ${decision.basis}`)
  }

  /** When all is quiet, what there is of access is exactly what was given. */
  async #check(handles: GrantHandles): Promise<void> {
    for (const principal of this.#people.slice(1)) {
      for (const profile of this.#profiles) {
        const { grants, decision } = await this.#access(handles, principal, profile)
        const expected = this.#ledger.live(personOf(principal), profile, this.#now)
        assert.deepEqual(grants.map(({ id }) => id).toSorted(), expected, this.#about)
        assert.equal(decision.outcome === 'allow', expected.length > 0, this.#about)
      }
    }
    const begun: string[] = []
    for (const profile of this.#profiles) {
      const query = { profile, which: 'all' } as const
      for await (const { event } of handles.breakGlass.list(query, WAITING)) begun.push(event.id)
    }
    assert.deepEqual(begun.toSorted(), [...this.#ledger.events.keys()].toSorted(), this.#about)
    this.#ledger.assertQuotas(RULE, this.#about)
  }

  async #access({ requests, breakGlass }: GrantHandles, principal: Principal, profile: string) {
    const source = new StoreGrants({
      stores: {
        configured: {
          requests: { location: requests.location, origin: 'a flag' },
          breakGlass: { location: breakGlass.location, origin: 'a flag' },
        },
        claim: async () => {},
        resolve: (location) => location,
        openRequests: async () => requests,
        openBreakGlass: async () => breakGlass,
      },
      policy: () => POLICY,
      digest: sha256,
      clock: this.#clock,
    })
    const grants = await source.live(personOf(principal), profile)
    const input = { principal, profile, target: TARGET, mode: 'server', at: this.#now } as const
    return { grants, decision: decide(POLICY, { ...input, grants }) }
  }

  #deps() {
    const log = { write: async () => {}, writeAhead: async () => {}, assertWritten() {} }
    return { policy: POLICY, clock: this.#clock, digest: sha256, newId: anId, log }
  }

  #someone() {
    const principal = pick(this.#next, this.#people)
    return { principal, party: theParty(principal), target: TARGET }
  }

  #seconds(): number {
    return pick(this.#next, [900, 1800, 3600])
  }

  /** The latest more often: what is long over has little to tell. */
  #some<Item>(items: readonly Item[]): Item | undefined {
    return items.length > 0 ? pick(this.#next, items.slice(-3)) : undefined
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1)
  }
}

const TARGET = { roleArn: PROD, account: '444455556666', stamped: true }
