import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BreakGlassEvent, BreakGlassId, FiledEvent } from '../../src/domain/break-glass.ts'
import { assertAdmitted } from '../../src/domain/break-glass-admission.ts'
import type { BreakGlassRule } from '../../src/domain/policy/types.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { hasCode, SentinelError } from '../../src/errors.ts'
import { aBreakGlassRule } from '../fixtures/policies.ts'
import { pick, random, scaled } from '../fixtures/random.ts'
import { anEvent, aReview } from '../stores/break-glass-under-test.ts'
import { aParty, byAnotherSet, sha256 } from '../stores/request-under-test.ts'

const START = Date.UTC(2026, 0, 14, 9) + 250
const PEOPLE = [aParty('alice'), aParty('bob'), aParty('carol')]
const REVIEWER = aParty('dave')
const PROFILES = ['prod', 'prod-eu', 'dev']
const TRIES = 40

test('admits what a naive model admits, through random lives of a team', () => {
  for (let seed = 1; seed <= scaled(300); seed += 1) {
    const team = new Team(seed)
    for (let number = 0; number < TRIES; number += 1) team.act(number)
    team.check()
  }
})

/** People who break glass, close and review by chance, most often when something just ends. */
class Team {
  readonly #about: string
  readonly #next: () => number
  readonly #rule: BreakGlassRule
  #filed: FiledEvent[] = []
  #now = START

  constructor(seed: number) {
    this.#about = `seed ${seed}`
    this.#next = random(seed)
    this.#rule = someRule(this.#next)
  }

  act(number: number): void {
    this.#now = this.#someTime()
    const [some] = this.#filed.length > 0 ? [pick(this.#next, this.#filed)] : []
    const chance = this.#next()
    if (some && chance < 0.15 && this.#now < endOf(some)) {
      this.#replace(some, { ...some, closed: { at: this.#now, by: 'somebody' } })
    } else if (some && chance < 0.3 && this.#now >= endOf(some)) {
      const reviewer = pick(this.#next, [REVIEWER, some.event.invoker])
      const review = aReview(some.event, { reviewer, at: this.#now })
      this.#replace(some, { ...some, reviews: [...some.reviews, review] })
    } else {
      this.#invoke(number)
    }
  }

  /** Looks at it all from afar, not at one event after another. */
  check(): void {
    const { cooldown = 0, maxPerUser, maxPerProfile } = this.#rule
    for (const filed of this.#filed) {
      const { event } = filed
      const since = (window: number) =>
        this.#filed.filter(
          (other) =>
            other.event.startedAt <= event.startedAt &&
            other.event.startedAt > event.startedAt - window * 1000,
        )
      const others = this.#filed.filter((other) => other !== filed && isSame(other.event, event))
      const isApart = (other: FiledEvent) =>
        event.startedAt >= endOf(other) + cooldown * 1000 ||
        other.event.startedAt >= endOf(filed) + cooldown * 1000
      assert.ok(others.every(isApart), this.#about)
      if (maxPerUser) {
        const own = since(maxPerUser.window).filter((other) => isCounted(other.event, event))
        assert.ok(own.length <= maxPerUser.count, this.#about)
      }
      if (maxPerProfile) {
        const here = since(maxPerProfile.window).filter(
          (other) => other.event.profile === event.profile,
        )
        assert.ok(here.length <= maxPerProfile.count, this.#about)
      }
    }
  }

  #invoke(number: number): void {
    const person = pick(this.#next, PEOPLE)
    const event = anEvent({
      id: String(number).padStart(20, 'a') as BreakGlassId,
      invoker: this.#next() < 0.3 ? byAnotherSet(person) : person,
      profile: pick(this.#next, PROFILES.slice(0, 2)),
      startedAt: this.#now,
      duration: pick(this.#next, [900, 1800, 3600]),
      reviewWithin: 3600,
    })
    const about = `${this.#about}, event ${number}`
    const error = this.#refusal(event, this.#now)
    assert.equal(error === undefined, this.#isNaivelyFine(event), `${about}: ${error?.message}`)
    if (error) this.#assertToldTime(event, error, about)
    else this.#filed.push({ event, reviews: [] })
  }

  /** What is told is the first whole second at which it may begin, as far as is known now. */
  #assertToldTime(event: BreakGlassEvent, error: SentinelError, about: string): void {
    if (hasCode(error, 'BREAK_GLASS_LIVE')) return
    const [time] = /(?<=not again before )\S+Z$/.exec(error.message) ?? []
    if (time === undefined) {
      assert.match(error.message, /was to be reviewed/, about)
      return
    }
    const at = Date.parse(time)
    assert.ok(at > this.#now, about)
    const later = this.#refusal(event, at)
    // Somebody's review may be overdue by then, which no time ends.
    assert.ok(later === undefined || /was to be reviewed/.test(later.message), about)
    if (at - 1000 > this.#now) assert.ok(this.#refusal(event, at - 1000), about)
  }

  #refusal(event: BreakGlassEvent, now: number): SentinelError | undefined {
    const { person } = event.invoker
    const history = {
      ofPerson: this.#filed.filter((filed) => filed.event.invoker.person === person),
      ofProfile: this.#filed.filter((filed) => filed.event.profile === event.profile),
    }
    try {
      assertAdmitted(event, history, this.#rule, { now, digest: sha256 })
      return undefined
    } catch (error) {
      if (error instanceof SentinelError) return error
      throw error
    }
  }

  #isNaivelyFine(event: BreakGlassEvent): boolean {
    const { cooldown = 0, maxPerUser, maxPerProfile, blockWhenOverdue } = this.#rule
    let [own, here] = [0, 0]
    for (const filed of this.#filed) {
      const { event: earlier, reviews } = filed
      const age = this.#now - earlier.startedAt
      if (isSame(earlier, event) && this.#now < endOf(filed) + cooldown * 1000) return false
      if (maxPerUser && isCounted(earlier, event) && age < maxPerUser.window * 1000) own += 1
      if (maxPerProfile && earlier.profile === event.profile) {
        if (age < maxPerProfile.window * 1000) here += 1
      }
      const isOwn = earlier.invoker.person === event.invoker.person
      const isReviewed = reviews.some(({ reviewer }) => reviewer === REVIEWER)
      const isOverdue = this.#now >= endOf(filed) + 3_600_000 && !isReviewed
      if (blockWhenOverdue && isOwn && isOverdue) return false
    }
    return own < (maxPerUser?.count ?? Infinity) && here < (maxPerProfile?.count ?? Infinity)
  }

  /** Now, in a while, or at a time that something depends on: to the millisecond, and beside it. */
  #someTime(): number {
    const { cooldown = 0, maxPerUser, maxPerProfile } = this.#rule
    const edges = this.#filed.flatMap((filed) => [
      endOf(filed),
      endOf(filed) + cooldown * 1000,
      endOf(filed) + 3_600_000,
      filed.event.startedAt + (maxPerUser?.window ?? 0) * 1000,
      filed.event.startedAt + (maxPerProfile?.window ?? 0) * 1000,
    ])
    const ahead = edges.map((edge) => edge + pick(this.#next, [-1, 0, 1]))
    const times = [this.#now, this.#now + this.#next() * 90 * MINUTE, ...ahead]
    return Math.floor(
      pick(
        this.#next,
        times.filter((time) => time >= this.#now),
      ),
    )
  }

  #replace(filed: FiledEvent, by: FiledEvent): void {
    this.#filed = this.#filed.map((one) => (one === filed ? by : one))
  }
}

function someRule(next: () => number): BreakGlassRule {
  const quota = () => ({ count: pick(next, [1, 2, 3]), window: pick(next, [3600, 7200, 86_400]) })
  return aBreakGlassRule({
    profiles: ['prod*'],
    ...(next() < 0.5 && { cooldown: pick(next, [60, 1800]) }),
    ...(next() < 0.5 && { maxPerUser: quota() }),
    ...(next() < 0.5 && { maxPerProfile: quota() }),
    blockWhenOverdue: next() < 0.3,
  })
}

function endOf({ event, closed }: FiledEvent): number {
  return closed ? closed.at : event.startedAt + event.duration * 1000
}

function isSame(a: BreakGlassEvent, b: BreakGlassEvent): boolean {
  return a.invoker.person === b.invoker.person && a.profile === b.profile
}

/** Whether `earlier` counts for the quota of the person, by the rule of these tests. */
function isCounted(earlier: BreakGlassEvent, event: BreakGlassEvent): boolean {
  return earlier.invoker.person === event.invoker.person && earlier.profile.startsWith('prod')
}
