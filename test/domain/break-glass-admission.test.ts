import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type {
  BreakGlassEvent,
  BreakGlassHistory,
  FiledEvent,
} from '../../src/domain/break-glass.ts'
import { assertAdmitted } from '../../src/domain/break-glass-admission.ts'
import type { BreakGlassRule } from '../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../src/domain/time.ts'
import { hasCode, SentinelError } from '../../src/errors.ts'
import { aBreakGlassRule } from '../fixtures/policies.ts'
import { anEvent, aReview } from '../stores/break-glass-under-test.ts'
import { aParty, byAnotherSet, sha256 } from '../stores/request-under-test.ts'

/** No whole second, as clocks have it. */
const START = Date.UTC(2026, 0, 14, 9) + 250
const END = START + HOUR

const [alice, bob] = [aParty('alice'), aParty('bob')]

/** Alice's hour on prod, from `START` on. */
const first = anEvent({ invoker: alice, profile: 'prod', startedAt: START, duration: 3600 })

suite('assertAdmitted', () => {
  test('admits whoever was never here', () => {
    const strict = aBreakGlassRule({
      cooldown: 7 * 24 * 3600,
      maxPerUser: { count: 1, window: 31 * 24 * 3600 },
      maxPerProfile: { count: 1, window: 31 * 24 * 3600 },
      reviewWithin: 900,
      blockWhenOverdue: true,
    })

    assert.equal(refusal([], strict, START), undefined)
  })

  suite('while an event is live', () => {
    test('admits no second one of the person for the profile', () => {
      for (const invoker of [alice, byAnotherSet(alice)]) {
        const error = refusal([{ event: first, reviews: [] }], aBreakGlassRule(), END - 1, {
          invoker,
        })

        assert.ok(hasCode(error, 'BREAK_GLASS_LIVE'))
        assert.equal(error.exitCode, 4)
        const which = `${first.id} of ${alice.user} for prod`
        assert.equal(error.message, `break-glass event ${which} is live until 2026-01-14T10:00:00Z`)
        assert.match(error.hint ?? '', new RegExp(`sentinel breakglass close ${first.id}`))
      }
    })

    test('admits another person, another profile, and the next one at its end', () => {
      const live = [{ event: first, reviews: [] }]
      const rule = aBreakGlassRule()

      assert.equal(refusal(live, rule, START, { invoker: bob }), undefined)
      assert.equal(refusal(live, rule, START, { profile: 'prod-2' }), undefined)
      assert.equal(refusal(live, rule, END), undefined)
      const closed = { at: START + MINUTE, by: 'alice' }
      assert.equal(refusal([{ event: first, closed, reviews: [] }], rule, closed.at), undefined)
    })

    test('says so of one for another role too, and of one whose clock was ahead', () => {
      const roleArn = 'arn:aws:iam::444455556666:role/Another'
      const live = [{ event: { ...first, roleArn }, reviews: [] }]

      assert.ok(hasCode(refusal(live, aBreakGlassRule(), START), 'BREAK_GLASS_LIVE'))
      assert.ok(hasCode(refusal(live, aBreakGlassRule(), START - MINUTE), 'BREAK_GLASS_LIVE'))
    })
  })

  suite('with a cooldown', () => {
    const rule = aBreakGlassRule({ cooldown: 30 * 60 })
    const over = [{ event: first, reviews: [] }]

    test('admits the next one that long after the end, to the millisecond', () => {
      const error = refusal(over, rule, END + 30 * MINUTE - 1)

      assertRefused(error, 'rule on-call wants 30m between two events', '2026-01-14T10:30:01Z')
      assert.equal(refusal(over, rule, END + 30 * MINUTE), undefined)
    })

    test('counts from the close of one that was closed', () => {
      const closed = [{ event: first, closed: { at: START + 750, by: 'alice' }, reviews: [] }]

      const error = refusal(closed, rule, START + 30 * MINUTE + 749)

      assertRefused(error, 'rule on-call wants 30m', '2026-01-14T09:30:01Z')
      assert.equal(refusal(closed, rule, START + 30 * MINUTE + 750), undefined)
    })

    test('is of the person on the profile, and of nobody and nothing else', () => {
      assert.equal(refusal(over, rule, END, { invoker: bob }), undefined)
      assert.equal(refusal(over, rule, END, { profile: 'prod-2' }), undefined)
      assertRefused(refusal(over, rule, END, { invoker: byAnotherSet(alice) }), 'wants 30m')
    })
  })

  suite('with a quota of the person', () => {
    const rule = aBreakGlassRule({
      profiles: ['prod', 'prod-*'],
      maxPerUser: { count: 2, window: 24 * 3600 },
    })
    const second = anEvent({ invoker: alice, profile: 'prod-2', startedAt: START + 5 * HOUR })
    const both = [first, second].map((event) => ({ event, reviews: [] }))

    test('admits no more than that within the window before, on all of its profiles', () => {
      for (const profile of ['prod', 'prod-2', 'prod-3']) {
        const error = refusal(both, rule, START + 24 * HOUR - 1, { profile })

        const why = `rule on-call lets ${alice.user} break glass 2 times in 1d`
        assertRefused(error, why, '2026-01-15T09:00:01Z')
        assert.equal(refusal(both, rule, START + 24 * HOUR, { profile }), undefined)
      }
    })

    test('counts nobody else, no profile that it does not cover, and whatever rule it was', () => {
      const now = START + 10 * HOUR
      const elsewhere = [first, { ...second, profile: 'dev' }]
      const renamed = [first, { ...second, rule: 'old' }]

      assert.equal(refusal(both, rule, now, { invoker: bob }), undefined)
      assert.equal(refusal(elsewhere.map(unreviewed), rule, now), undefined)
      assertRefused(refusal(renamed.map(unreviewed), rule, now), '2 times in 1d')
    })

    test('is told rather than the live event, which it would outlast', () => {
      const once = aBreakGlassRule({ maxPerUser: { count: 1, window: 24 * 3600 } })

      const error = refusal([unreviewed(first)], once, START)

      assertRefused(error, 'break glass once in 1d', '2026-01-15T09:00:01Z')
      assert.match((error as SentinelError).hint ?? '', new RegExp(`use event ${first.id}`))
    })
  })

  suite('with a quota of the profile', () => {
    const rule = aBreakGlassRule({ maxPerProfile: { count: 2, window: 7 * 24 * 3600 } })
    const bobs = anEvent({ invoker: bob, profile: 'prod', startedAt: START + 1 })
    const both = [first, bobs].map(unreviewed)

    test('admits no more than that, of all people together', () => {
      const carol = aParty('carol')
      for (const invoker of [alice, bob, carol]) {
        const error = refusal(both, rule, START + 7 * 24 * HOUR - 1, { invoker })

        const why = 'rule on-call lets all together break glass for prod 2 times in 7d'
        assertRefused(error, why, '2026-01-21T09:00:01Z')
        assert.equal(refusal(both, rule, START + 7 * 24 * HOUR, { invoker }), undefined)
      }
    })

    test('counts no other profile', () => {
      const elsewhere = [first, { ...bobs, profile: 'prod-2' }].map(unreviewed)

      assert.equal(refusal(elsewhere, rule, END), undefined)
    })
  })

  suite('while a review is overdue', () => {
    const rule = aBreakGlassRule({ reviewWithin: 3600, blockWhenOverdue: true })
    const event = { ...first, reviewWithin: 3600 }
    const overdueAt = END + HOUR

    test('admits nothing of the person anywhere, and says how to have it reviewed', () => {
      for (const profile of ['prod', 'prod-2']) {
        const error = refusal([unreviewed(event)], rule, overdueAt, { profile })

        assertRefused(error, `break-glass event ${event.id} of ${alice.user} for prod was to be`)
        assert.match((error as SentinelError).message, /reviewed until 2026-01-14T11:00:00Z/)
        const { hint = '' } = error as SentinelError
        assert.match(hint, new RegExp(`sentinel breakglass review ${event.id} --outcome`))
      }
    })

    test('admits before it is overdue, other people, and where no rule minds', () => {
      const overdue = [unreviewed(event)]

      assert.equal(refusal(overdue, rule, overdueAt - 1), undefined)
      assert.equal(refusal(overdue, rule, overdueAt, { invoker: bob }), undefined)
      assert.equal(refusal(overdue, { ...rule, blockWhenOverdue: false }, overdueAt), undefined)
    })

    test('admits once it was reviewed, by somebody else', () => {
      const own = aReview(event, { reviewer: byAnotherSet(alice) })
      const bobs = aReview(event, { reviewer: bob, outcome: 'misuse' })

      assertRefused(refusal([{ event, reviews: [own] }], rule, overdueAt), 'was to be reviewed')
      assert.equal(refusal([{ event, reviews: [own, bobs] }], rule, overdueAt), undefined)
    })
  })

  test('tells the time at which nothing of all is in the way', () => {
    const rule = aBreakGlassRule({
      cooldown: 30 * 60,
      maxPerUser: { count: 1, window: 2 * 3600 },
      maxPerProfile: { count: 1, window: 4 * 3600 },
    })

    assertRefused(
      refusal([unreviewed(first)], rule, END),
      'for prod once in 4h',
      '2026-01-14T13:00:01Z',
    )
  })

  test('counts an event once that is in both lists', () => {
    const rule = aBreakGlassRule({ maxPerUser: { count: 2, window: 24 * 3600 } })

    assert.equal(refusal([unreviewed(first)], rule, END), undefined)
  })
})

function unreviewed(event: BreakGlassEvent): FiledEvent {
  return { event, reviews: [] }
}

/** As a store shows it. */
function historyOf(filed: readonly FiledEvent[], event: BreakGlassEvent): BreakGlassHistory {
  return {
    ofPerson: filed.filter((earlier) => earlier.event.invoker.person === event.invoker.person),
    ofProfile: filed.filter((earlier) => earlier.event.profile === event.profile),
  }
}

/** Why another event of alice's on prod, unless told, may not begin at `now`. */
function refusal(
  filed: readonly FiledEvent[],
  rule: BreakGlassRule,
  now: number,
  overrides: Partial<BreakGlassEvent> = {},
): unknown {
  const event = anEvent({ invoker: alice, profile: 'prod', startedAt: now, ...overrides })
  try {
    assertAdmitted(event, historyOf(filed, event), rule, { now, digest: sha256 })
    return undefined
  } catch (error) {
    return error
  }
}

function assertRefused(error: unknown, why: string, time?: string): void {
  assert.ok(error instanceof SentinelError)
  assert.equal(error.code, 'BREAK_GLASS_REFUSED')
  assert.equal(error.exitCode, 3)
  assert.ok(error.message.includes(why), error.message)
  if (time === undefined) return
  assert.ok(error.message.endsWith(`: not again before ${time}`), error.message)
  assert.match(error.hint ?? '', new RegExp(`try again at ${time}$`))
}
