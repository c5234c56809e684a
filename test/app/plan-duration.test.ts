import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type DurationLimits, planDuration } from '../../src/app/plan-duration.ts'

const HOUR = 3600

suite('planDuration', () => {
  const plans: [what: string, limits: DurationLimits, seconds: number, note?: string][] = [
    ['what is asked for', { asked: 900, isChained: false }, 900],
    ['12 hours of a user', { asked: 12 * HOUR, isChained: false }, 12 * HOUR],
    ['an hour of a chained role', { asked: HOUR, isChained: true }, HOUR],
    ['a cap that is as long', { asked: HOUR, cap: HOUR, isChained: false }, HOUR],
    [
      'a shorter cap',
      { asked: HOUR, cap: 1800, isChained: false },
      1800,
      '30m instead of 1h: the policy allows no more',
    ],
    [
      'no more than an hour of a chained role',
      { asked: HOUR + 1, isChained: true },
      HOUR,
      '1h instead of 1h1s: STS allows a chained role no more',
    ],
    [
      "the role's own maximum",
      { asked: 4 * HOUR, isChained: false, roleMax: HOUR },
      HOUR,
      '1h instead of 4h: the role allows no more',
    ],
    [
      'what remains of a grant, less 10 s',
      { asked: HOUR, isChained: false, grantRemaining: 1810.9 },
      1800,
      '30m instead of 1h: the grant ends before',
    ],
    ['a grant with just enough left', { asked: 900, isChained: false, grantRemaining: 910 }, 900],
    [
      'the smallest of all limits',
      { asked: 9 * HOUR, cap: 7200, isChained: true, roleMax: HOUR, grantRemaining: 1000 },
      990,
      '16m30s instead of 9h: the grant ends before',
    ],
  ]
  for (const [what, limits, seconds, note] of plans) {
    test(`gives ${what}`, () => {
      assert.deepEqual(planDuration(limits), note === undefined ? { seconds } : { seconds, note })
    })
  }

  const refusals: [what: string, limits: DurationLimits, message: RegExp][] = [
    ['14m59s', { asked: 899, isChained: false }, /no less than 15m, but 14m59s was asked for$/],
    ['0 s', { asked: 0, isChained: false }, /but 0s was asked for$/],
    [
      'a grant with a second too little',
      { asked: 900, isChained: false, grantRemaining: 909.99 },
      /but the grant ends before$/,
    ],
    [
      'a grant that is over',
      { asked: 900, isChained: false, grantRemaining: -5 },
      /but the grant ends before$/,
    ],
    ['a cap below STS', { asked: 900, cap: 600, isChained: false }, /the policy allows no more$/],
  ]
  for (const [what, limits, message] of refusals) {
    test(`refuses ${what}`, () => {
      assert.throws(() => planDuration(limits), { code: 'DURATION_TOO_SHORT', message })
    })
  }

  test('says the same of a grant however much of it is left', () => {
    const textAt = (grantRemaining: number) => {
      try {
        return planDuration({ asked: 900, isChained: false, grantRemaining })
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.equal(textAt(800), textAt(799))
  })
})
